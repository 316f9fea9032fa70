from __future__ import annotations

from msgspec.structs import replace

from checks.monitoring import test_prometheus_down as prometheus
from fixtures.clients.http import HttpAnswer, Transport
from fixtures.monitoring.scraping import PrometheusHealth
from playbook.quantities import Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

MINUTE, HOUR = 60.0, 3600.0
URL = "http://127.0.0.1:9090"
REFUSED = HttpAnswer(URL, Transport.REFUSED, Span(0.01))
HTML = HttpAnswer(URL, Transport.ANSWERED, Span(0.01), 200, "<html>It works!</html>")
JSON = HttpAnswer(URL, Transport.ANSWERED, Span(0.01), 200, '{"status": "success"}')

WORKS = PrometheusHealth(JSON, reloaded=True, ready=True, sample_age=Span(3), jobs=("api", "node"))
DOWN = PrometheusHealth(REFUSED)
ANOTHER_PROGRAM = PrometheusHealth(HTML)
STARTING = PrometheusHealth(JSON, reloaded=True, ready=False)
NOT_RELOADED = replace(WORKS, reloaded=False)
STALE = replace(WORKS, sample_age=Span(4 * MINUTE))
NO_SAMPLE = replace(WORKS, sample_age=None, loaded_ago=Span(HOUR))
JUST_LOADED = replace(WORKS, sample_age=None, loaded_ago=Span(MINUTE))

CASES: list[Case] = [
    healthy(prometheus.test_prometheus_works, prometheus_health=WORKS),
    healthy(prometheus.test_prometheus_works, prometheus_health=replace(WORKS, sample_age=Span(2 * MINUTE))),
    faulty(prometheus.test_prometheus_works, f"{URL} refused the connection", prometheus_health=DOWN),
    faulty(
        prometheus.test_prometheus_works,
        "answered 200 after 10 ms, but not as Prometheus does: '<html>It works!</html>'",
        prometheus_health=ANOTHER_PROGRAM,
    ),
    faulty(prometheus.test_prometheus_works, "it is not ready", prometheus_health=STARTING),
    faulty(
        prometheus.test_prometheus_works,
        "its last reload of the configuration failed: it works with the old one",
        prometheus_health=NOT_RELOADED,
    ),
    faulty(
        prometheus.test_prometheus_works,
        "newest sample of `up` is 4 min old (limit 2 min)",
        prometheus_health=STALE,
    ),
    faulty(
        prometheus.test_prometheus_works,
        "no sample of `up` of the jobs api, node (limit 2 min)",
        prometheus_health=NO_SAMPLE,
    ),
    faulty(
        prometheus.test_prometheus_works,
        "it works with the old one",  # that is known, although it has just loaded its configuration
        prometheus_health=replace(JUST_LOADED, reloaded=False),
    ),
    unobserved(
        prometheus.test_prometheus_works,
        "loaded its configuration 1 min ago, no sample of `up` of the jobs api, node since: ask again",
        prometheus_health=JUST_LOADED,
    ),
    unobserved(prometheus.test_prometheus_works),
    #
    healthy(prometheus.test_prometheus_answers, prometheus_health=WORKS),
    healthy(prometheus.test_prometheus_answers, prometheus_health=ANOTHER_PROGRAM),
    faulty(prometheus.test_prometheus_answers, f"{URL} refused the connection", prometheus_health=DOWN),
    unobserved(prometheus.test_prometheus_answers),
    #
    healthy(prometheus.test_what_answers_is_prometheus, prometheus_health=WORKS),
    healthy(prometheus.test_what_answers_is_prometheus, prometheus_health=STARTING),
    faulty(
        prometheus.test_what_answers_is_prometheus,
        "answered 200 after 10 ms, but not as Prometheus does",
        prometheus_health=ANOTHER_PROGRAM,
    ),
    unobserved(prometheus.test_what_answers_is_prometheus, "refused the connection", prometheus_health=DOWN),
    #
    healthy(prometheus.test_prometheus_is_ready, prometheus_health=WORKS),
    faulty(prometheus.test_prometheus_is_ready, "Prometheus answers and is not ready", prometheus_health=STARTING),
    unobserved(prometheus.test_prometheus_is_ready, "refused the connection", prometheus_health=DOWN),
    unobserved(prometheus.test_prometheus_is_ready, "answered 200", prometheus_health=ANOTHER_PROGRAM),
    unobserved(
        prometheus.test_prometheus_is_ready,
        "Prometheus was not asked whether it is ready",
        prometheus_health=PrometheusHealth(JSON, reloaded=True),
    ),
    #
    healthy(prometheus.test_the_last_reload_worked, prometheus_health=WORKS),
    healthy(prometheus.test_the_last_reload_worked, prometheus_health=STARTING),
    faulty(
        prometheus.test_the_last_reload_worked,
        "the last reload failed: Prometheus works with the old configuration",
        prometheus_health=NOT_RELOADED,
    ),
    unobserved(prometheus.test_the_last_reload_worked, "refused the connection", prometheus_health=DOWN),
    unobserved(prometheus.test_the_last_reload_worked, "answered 200", prometheus_health=ANOTHER_PROGRAM),
    #
    healthy(prometheus.test_samples_are_fresh, prometheus_health=WORKS),
    faulty(
        prometheus.test_samples_are_fresh,
        "newest sample of `up` is 4 min old (limit 2 min)",
        prometheus_health=STALE,
    ),
    faulty(
        prometheus.test_samples_are_fresh,
        "no sample of `up` of the jobs api, node (limit 2 min)",
        prometheus_health=NO_SAMPLE,
    ),
    unobserved(prometheus.test_samples_are_fresh, "refused the connection", prometheus_health=DOWN),
    unobserved(prometheus.test_samples_are_fresh, "answered 200", prometheus_health=ANOTHER_PROGRAM),
    unobserved(prometheus.test_samples_are_fresh, "Prometheus is not ready", prometheus_health=STARTING),
    unobserved(prometheus.test_samples_are_fresh, "since: ask again", prometheus_health=JUST_LOADED),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
