from __future__ import annotations

from msgspec.structs import replace

from checks.monitoring import test_alertmanager_down as alertmanager
from fixtures.clients.http import HttpAnswer, Transport
from fixtures.monitoring.alertmanager import AlertmanagerHealth, Notifier
from playbook.evidence import Absent, Unknown
from playbook.quantities import Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

MINUTE, HOUR = 60.0, 3600.0
URL = "http://127.0.0.1:9093"


def answered(status: int, body: str = "") -> HttpAnswer:
    return HttpAnswer(URL, Transport.ANSWERED, Span(0.01), status, body)


READY = AlertmanagerHealth(answered(200), "ready", Span(HOUR), reloaded=True, metrics="answered 200 after 10 ms")
ALONE = replace(READY, cluster="disabled", up_for=Span(1))  # without a cluster on purpose
DOWN = AlertmanagerHealth(HttpAnswer(URL, Transport.REFUSED, Span(0.01)))
ANOTHER_PROGRAM = AlertmanagerHealth(answered(404, "no such page"))
PASSWORD_WANTED = AlertmanagerHealth(answered(401, "not for you"))
FORBIDDEN = AlertmanagerHealth(answered(403, "not for you"))
UNSETTLED = replace(READY, cluster="settling", up_for=Span(5 * MINUTE))
JUST_STARTED = replace(READY, cluster="settling", up_for=Span(119))
CLOCK_BEHIND = replace(READY, cluster="settling", up_for=Span(-3))
NOT_RELOADED = replace(READY, reloaded=False)
NO_METRICS = replace(READY, reloaded=None, metrics="answered 404 after 10 ms")

CONNECTED = Notifier(alertmanagers=1, dropped=0.0)
DISCONNECTED = Notifier(alertmanagers=0, dropped=0.0)
DROPPING = Notifier(alertmanagers=1, dropped=12.4, within=Span(120))
UNCOUNTED = Notifier(alertmanagers=1, dropped=None)
PROMETHEUS_DOWN = Notifier(unknown=Unknown("Prometheus at http://127.0.0.1:9090 refused the connection", "prometheus"))
NO_PROMETHEUS = Notifier(absent=Absent("this target has no Prometheus: set prometheus_url"))
NOT_ASKED = Notifier()

CASES: list[Case] = [
    healthy(alertmanager.test_alertmanager_works, alertmanager_health=READY, notifier=CONNECTED),
    healthy(alertmanager.test_alertmanager_works, alertmanager_health=ALONE, notifier=CONNECTED),
    healthy(alertmanager.test_alertmanager_works, alertmanager_health=READY, notifier=NO_PROMETHEUS),
    healthy(alertmanager.test_alertmanager_works, alertmanager_health=READY, notifier=UNCOUNTED),
    *(
        faulty(alertmanager.test_alertmanager_works, says, alertmanager_health=health, notifier=notifier)
        for says, health, notifier in (
            (f"{URL} refused the connection", DOWN, CONNECTED),
            (f"{URL} refused the connection", DOWN, PROMETHEUS_DOWN),
            ("but not as Alertmanager does: 'no such page'", ANOTHER_PROGRAM, CONNECTED),
            ("its cluster is settling, 5 min after its start", UNSETTLED, CONNECTED),
            ("its last reload of the configuration failed: it works with the old one", NOT_RELOADED, CONNECTED),
            ("it works with the old one", replace(JUST_STARTED, reloaded=False), CONNECTED),
            ("Prometheus is connected to no Alertmanager", READY, DISCONNECTED),
            ("Prometheus is connected to no Alertmanager", FORBIDDEN, DISCONNECTED),
            ("Prometheus dropped 12 notifications in the last 2 min", READY, DROPPING),
        )
    ),
    *(
        unobserved(alertmanager.test_alertmanager_works, says, alertmanager_health=health, notifier=notifier)
        for says, health, notifier in (
            (f"the suite may not ask Alertmanager: {URL} answered 401", PASSWORD_WANTED, CONNECTED),
            (f"the suite may not ask Alertmanager: {URL} answered 403", FORBIDDEN, CONNECTED),
            ("its cluster is settling, as it may be 1 min 59 s after its start: ask again", JUST_STARTED, CONNECTED),
            ("its cluster is settling, as it may be", CLOCK_BEHIND, CONNECTED),
            ("whether it could load its configuration is unknown: answered 404", NO_METRICS, CONNECTED),
            ("Prometheus at http://127.0.0.1:9090 refused the connection", READY, PROMETHEUS_DOWN),
            ("Prometheus was not asked for its Alertmanagers", READY, NOT_ASKED),
        )
    ),
    unobserved(alertmanager.test_alertmanager_works, notifier=CONNECTED),
    unobserved(alertmanager.test_alertmanager_works, alertmanager_health=READY),
    #
    healthy(alertmanager.test_alertmanager_answers, alertmanager_health=READY),
    healthy(alertmanager.test_alertmanager_answers, alertmanager_health=ANOTHER_PROGRAM),
    faulty(alertmanager.test_alertmanager_answers, f"{URL} refused the connection", alertmanager_health=DOWN),
    unobserved(alertmanager.test_alertmanager_answers),
    #
    healthy(alertmanager.test_what_answers_is_alertmanager, alertmanager_health=READY),
    faulty(
        alertmanager.test_what_answers_is_alertmanager,
        "answered 404 after 10 ms, but not as Alertmanager does",
        alertmanager_health=ANOTHER_PROGRAM,
    ),
    unobserved(alertmanager.test_what_answers_is_alertmanager, "refused the connection", alertmanager_health=DOWN),
    unobserved(
        alertmanager.test_what_answers_is_alertmanager,
        "the suite may not ask Alertmanager",
        alertmanager_health=PASSWORD_WANTED,
    ),
    unobserved(
        alertmanager.test_what_answers_is_alertmanager,
        "the suite may not ask Alertmanager",
        alertmanager_health=FORBIDDEN,
    ),
    #
    healthy(alertmanager.test_the_cluster_is_ready, alertmanager_health=READY),
    healthy(alertmanager.test_the_cluster_is_ready, alertmanager_health=ALONE),
    faulty(
        alertmanager.test_the_cluster_is_ready,
        "the cluster is settling (limit 2 min after a start)",
        alertmanager_health=UNSETTLED,
    ),
    unobserved(alertmanager.test_the_cluster_is_ready, "ask again", alertmanager_health=JUST_STARTED),
    unobserved(alertmanager.test_the_cluster_is_ready, "ask again", alertmanager_health=CLOCK_BEHIND),
    unobserved(alertmanager.test_the_cluster_is_ready, "refused the connection", alertmanager_health=DOWN),
    unobserved(alertmanager.test_the_cluster_is_ready, "answered 404", alertmanager_health=ANOTHER_PROGRAM),
    unobserved(
        alertmanager.test_the_cluster_is_ready, "the suite may not ask Alertmanager", alertmanager_health=FORBIDDEN
    ),
    #
    healthy(alertmanager.test_the_configuration_was_loaded, alertmanager_health=READY),
    healthy(alertmanager.test_the_configuration_was_loaded, alertmanager_health=JUST_STARTED),
    faulty(
        alertmanager.test_the_configuration_was_loaded,
        "the last reload failed: Alertmanager works with the old configuration",
        alertmanager_health=NOT_RELOADED,
    ),
    unobserved(
        alertmanager.test_the_configuration_was_loaded,
        "whether it could load its configuration is unknown: answered 404",
        alertmanager_health=NO_METRICS,
    ),
    unobserved(alertmanager.test_the_configuration_was_loaded, "refused the connection", alertmanager_health=DOWN),
    unobserved(alertmanager.test_the_configuration_was_loaded, "is unknown", alertmanager_health=ANOTHER_PROGRAM),
    #
    healthy(alertmanager.test_prometheus_is_connected, notifier=CONNECTED),
    healthy(alertmanager.test_prometheus_is_connected, notifier=UNCOUNTED),
    faulty(
        alertmanager.test_prometheus_is_connected, "Prometheus is connected to no Alertmanager", notifier=DISCONNECTED
    ),
    unobserved(
        alertmanager.test_prometheus_is_connected,
        "Prometheus at http://127.0.0.1:9090 refused the connection",
        notifier=PROMETHEUS_DOWN,
    ),
    unobserved(alertmanager.test_prometheus_is_connected, "this target has no Prometheus", notifier=NO_PROMETHEUS),
    unobserved(alertmanager.test_prometheus_is_connected, "Prometheus was not asked", notifier=NOT_ASKED),
    #
    healthy(alertmanager.test_prometheus_drops_nothing, notifier=CONNECTED),
    faulty(
        alertmanager.test_prometheus_drops_nothing,
        "Prometheus dropped 12 notifications in the last 2 min",
        notifier=DROPPING,
    ),
    faulty(
        alertmanager.test_prometheus_drops_nothing,
        "Prometheus dropped 1 notification in the last 2 min",
        notifier=Notifier(alertmanagers=1, dropped=1.1, within=Span(120)),
    ),
    unobserved(
        alertmanager.test_prometheus_drops_nothing,
        "Prometheus does not count the notifications that it drops",
        notifier=UNCOUNTED,
    ),
    unobserved(alertmanager.test_prometheus_drops_nothing, "refused the connection", notifier=PROMETHEUS_DOWN),
    unobserved(alertmanager.test_prometheus_drops_nothing, "this target has no Prometheus", notifier=NO_PROMETHEUS),
    unobserved(alertmanager.test_prometheus_drops_nothing, "Prometheus was not asked", notifier=NOT_ASKED),
    #
    healthy(alertmanager.test_losses_are_counted, notifier=CONNECTED),
    healthy(alertmanager.test_losses_are_counted, notifier=DROPPING),
    faulty(
        alertmanager.test_losses_are_counted,
        "dropped notifications are not counted: Prometheus does not scrape itself",
        notifier=UNCOUNTED,
    ),
    unobserved(alertmanager.test_losses_are_counted, "refused the connection", notifier=PROMETHEUS_DOWN),
    unobserved(alertmanager.test_losses_are_counted, "this target has no Prometheus", notifier=NO_PROMETHEUS),
    unobserved(alertmanager.test_losses_are_counted, "Prometheus was not asked", notifier=NOT_ASKED),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
