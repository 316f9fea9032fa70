from __future__ import annotations

from msgspec.structs import replace

from checks.monitoring import test_grafana_down as grafana
from fixtures.clients.http import HttpAnswer, Transport
from fixtures.monitoring.dashboards import Dashboards, GrafanaHealth
from playbook.quantities import Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

URL = "http://127.0.0.1:3000"


def answered(status: int, body: str = "") -> HttpAnswer:
    return HttpAnswer(URL, Transport.ANSWERED, Span(0.01), status, body)


WORKS = GrafanaHealth(answered(200), database="ok")
DOWN = GrafanaHealth(HttpAnswer(URL, Transport.REFUSED, Span(0.01)))
ANOTHER_PROGRAM = GrafanaHealth(answered(200, "<html>"))
NO_DATABASE = GrafanaHealth(answered(503), database="failing")

DATA = Dashboards(failing_sources=(), panels=5, without_data=())
NO_PANEL = Dashboards(failing_sources=(), panels=0, without_data=())
SOURCE_FAILS = Dashboards(failing_sources=("Prometheus (answered 502 after 10 ms)",))
EMPTY_PANEL = Dashboards(failing_sources=(), panels=5, without_data=("Overview: Queue Depth",))
SLOW_PANEL = Dashboards(
    failing_sources=(),
    panels=2,
    without_data=(),
    unasked=("Overview: Requests (did not answer in time after 3 s)",),
)
SLOW_FROM_THE_FIRST = replace(SLOW_PANEL, panels=0)
EMPTY_AND_SLOW = replace(SLOW_PANEL, without_data=("Overview: Queue Depth",))
NOT_ASKED = Dashboards()  # Grafana is down

CASES: list[Case] = [
    healthy(grafana.test_grafana_shows_data, grafana_health=WORKS, dashboards=DATA),
    healthy(grafana.test_grafana_shows_data, grafana_health=WORKS, dashboards=NO_PANEL),
    *(
        faulty(grafana.test_grafana_shows_data, says, grafana_health=health, dashboards=dashboards)
        for says, health, dashboards in (
            (f"{URL} refused the connection", DOWN, NOT_ASKED),
            ("answered 200 after 10 ms, but not as Grafana does: '<html>'", ANOTHER_PROGRAM, NOT_ASKED),
            ("its database is failing", NO_DATABASE, NOT_ASKED),
            ("data source: Prometheus (answered 502 after 10 ms)", WORKS, SOURCE_FAILS),
            ("panel without data: Overview: Queue Depth", WORKS, EMPTY_PANEL),
            ("panel without data: Overview: Queue Depth", WORKS, EMPTY_AND_SLOW),
        )
    ),
    unobserved(
        grafana.test_grafana_shows_data,
        "whether a panel has data is unknown: Overview: Requests (did not answer in time after 3 s)",
        grafana_health=WORKS,
        dashboards=SLOW_PANEL,
    ),
    unobserved(
        grafana.test_grafana_shows_data,
        "whether a panel has data is unknown",
        grafana_health=WORKS,
        dashboards=SLOW_FROM_THE_FIRST,
    ),
    unobserved(
        grafana.test_grafana_shows_data,
        "Grafana could not be asked for its data sources",
        grafana_health=WORKS,
        dashboards=NOT_ASKED,
    ),
    unobserved(grafana.test_grafana_shows_data, grafana_health=WORKS),
    unobserved(grafana.test_grafana_shows_data, dashboards=DATA),
    #
    healthy(grafana.test_grafana_answers, grafana_health=WORKS),
    healthy(grafana.test_grafana_answers, grafana_health=ANOTHER_PROGRAM),
    faulty(grafana.test_grafana_answers, f"{URL} refused the connection", grafana_health=DOWN),
    unobserved(grafana.test_grafana_answers),
    #
    healthy(grafana.test_what_answers_is_grafana, grafana_health=WORKS),
    healthy(grafana.test_what_answers_is_grafana, grafana_health=NO_DATABASE),
    faulty(
        grafana.test_what_answers_is_grafana,
        "answered 200 after 10 ms, but not as Grafana does",
        grafana_health=ANOTHER_PROGRAM,
    ),
    unobserved(grafana.test_what_answers_is_grafana, "refused the connection", grafana_health=DOWN),
    #
    healthy(grafana.test_its_database_works, grafana_health=WORKS),
    faulty(grafana.test_its_database_works, "Grafana's database: failing", grafana_health=NO_DATABASE),
    unobserved(grafana.test_its_database_works, "refused the connection", grafana_health=DOWN),
    unobserved(grafana.test_its_database_works, "answered 200", grafana_health=ANOTHER_PROGRAM),
    #
    healthy(grafana.test_the_data_sources_answer, dashboards=DATA),
    healthy(grafana.test_the_data_sources_answer, dashboards=EMPTY_PANEL),
    faulty(grafana.test_the_data_sources_answer, "Prometheus (answered 502 after 10 ms)", dashboards=SOURCE_FAILS),
    unobserved(
        grafana.test_the_data_sources_answer, "Grafana could not be asked for its data sources", dashboards=NOT_ASKED
    ),
    #
    healthy(grafana.test_the_panels_have_data, dashboards=DATA),
    faulty(
        grafana.test_the_panels_have_data,
        "1 of 5 panels without data: Overview: Queue Depth",
        dashboards=EMPTY_PANEL,
    ),
    faulty(
        grafana.test_the_panels_have_data,
        "1 of 2 panels without data: Overview: Queue Depth",
        dashboards=EMPTY_AND_SLOW,
    ),
    unobserved(
        grafana.test_the_panels_have_data, "no panel of a dashboard asks Prometheus for data", dashboards=NO_PANEL
    ),
    unobserved(grafana.test_the_panels_have_data, "whether a panel has data is unknown", dashboards=SLOW_PANEL),
    unobserved(
        grafana.test_the_panels_have_data, "whether a panel has data is unknown", dashboards=SLOW_FROM_THE_FIRST
    ),
    unobserved(grafana.test_the_panels_have_data, "a data source does not answer", dashboards=SOURCE_FAILS),
    unobserved(
        grafana.test_the_panels_have_data, "Grafana could not be asked for its data sources", dashboards=NOT_ASKED
    ),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
