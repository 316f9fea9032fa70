from __future__ import annotations

from msgspec.structs import replace

from checks.monitoring import test_alert_routing_broken as broken
from fixtures.clients.alertmanager import Matcher
from fixtures.monitoring.notification import SentAlert
from fixtures.monitoring.routing import Inhibition, Route, Routing, Way
from playbook.evidence import Unknown
from tests.cases import Case, faulty, healthy, parametrized, unobserved

API_DOWN = {"alertname": "APIDown", "severity": "critical", "service": "api"}
LATENCY = {"alertname": "Latency", "severity": "critical", "service": "api"}
QUEUE = {"alertname": "Queue", "severity": "warning", "service": "worker"}
DATABASE_DOWN = {"alertname": "DatabaseDown", "severity": "critical", "service": "postgres"}
CRITICAL = (Matcher("severity", "critical"),)

ROUTED = Routing(
    ways=(
        Way("APIDown", API_DOWN, ("oncall",)),
        Way("Latency", LATENCY, ("oncall",)),
        Way("Queue", QUEUE, ("team", "archive")),
    ),
    most_severe=("APIDown",),
    first=(),
    integrations={"oncall": ("pagerduty",), "team": ("email",), "archive": ("webhook",), "unused": ()},
    placeholders={"oncall": (), "team": (), "archive": (), "unused": ("ops@example.com",)},
    routes=(Route("oncall", CRITICAL, ("team", "oncall")),),
    inhibitions=(),
)
ASKED_TOO_OFTEN = Unknown("the routes ask for too much: amtool was asked 100 times")
NOT_ALL_ROUTED = replace(ROUTED, unknown=ASKED_TOO_OFTEN)

# -- routes


def with_route(receiver: str, *matchers: Matcher, comes_to: str, untried: str = "") -> Routing:
    return replace(ROUTED, routes=(Route(receiver, matchers, (comes_to,), untried),))


SHADOWED = with_route("oncall", *CRITICAL, comes_to="team")
SHADOWED_BY_WORDS = with_route("dba", Matcher("service", "pg|redis", is_regex=True), comes_to="team")
NAMES_NO_LABEL = [  # its matchers do not say which alerts it is meant for
    with_route("dba", Matcher("severity", "critical", is_equal=False), comes_to="team"),
    with_route("dba", Matcher("service", "p.*", is_regex=True), comes_to="team"),
]
NOT_ALL_TRIED = with_route("oncall", *CRITICAL, comes_to="team", untried="amtool was asked 100 times")

# -- receivers

NO_INTEGRATION = replace(ROUTED, integrations={**ROUTED.integrations, "oncall": ()})
NOTIFIED_BY_THE_OTHER = replace(ROUTED, integrations={**ROUTED.integrations, "archive": ()})
NOTIFIED_BY_NEITHER = replace(ROUTED, integrations={**ROUTED.integrations, "archive": (), "team": ()})
PLACEHOLDER = replace(ROUTED, placeholders={**ROUTED.placeholders, "oncall": ("oncall@example.com",)})

# -- inhibitions


def inhibited(source: dict[str, str], target: dict[str, str], *equal: str, routing: Routing = ROUTED) -> Routing:
    """Return a routing in which alerts with the labels of the source inhibit those with the labels of the target."""
    matchers = [tuple(Matcher(name, value) for name, value in labels.items()) for labels in (source, target)]
    return replace(routing, inhibitions=(Inhibition(matchers[0], matchers[1], equal),))


BY_WARNINGS = inhibited({"severity": "warning"}, {"severity": "critical"})
BY_WARNINGS_OF_ITS_SERVICE = inhibited({"severity": "warning"}, {"severity": "critical"}, "service")
BY_ANYTHING = replace(
    ROUTED,
    inhibitions=(Inhibition((Matcher("alertname", ".+", is_regex=True),), (Matcher("alertname", "APIDown"),), ()),),
)
TWO_ROOTS = replace(  # the first explains the other
    ROUTED,
    ways=(*ROUTED.ways, Way("DatabaseDown", DATABASE_DOWN, ("oncall",))),
    most_severe=("APIDown", "DatabaseDown"),
    first=("DatabaseDown",),
)
OTHER_ROOT_INHIBITED = inhibited({"alertname": "DatabaseDown"}, {"alertname": "APIDown"}, routing=TWO_ROOTS)
FIRST_ROOT_INHIBITED = inhibited({"alertname": "APIDown"}, {"alertname": "DatabaseDown"}, routing=TWO_ROOTS)
RIGHTLY_INHIBITED = [
    inhibited({"alertname": "APIDown"}, {"alertname": "Latency"}, "service"),
    inhibited({"severity": "critical"}, {"severity": "warning"}, "service", "alertname"),
    inhibited({"severity": "critical"}, {"severity": "critical"}),  # source and target at once inhibits nothing
    inhibited({"severity": "warning"}, {"severity": "critical"}, "alertname"),  # no other alert has its name
    inhibited({"alertname": "HostDown"}, {"severity": "critical"}),  # no alert of ours
    OTHER_ROOT_INHIBITED,
]

# -- the test alert

ARRIVED = SentAlert(expected=("oncall",), seen=("oncall",), is_gone=True)
LOST = replace(ARRIVED, seen=())
MISROUTED = replace(ARRIVED, seen=("team",))
STAYED = replace(ARRIVED, is_gone=False)

CASES: list[Case] = [
    healthy(broken.test_every_alert_reaches_on_call, routing=ROUTED, sent_alert=None),
    healthy(broken.test_every_alert_reaches_on_call, routing=ROUTED, sent_alert=ARRIVED),
    *(
        healthy(broken.test_every_alert_reaches_on_call, routing=routing, sent_alert=None)
        for routing in (NOTIFIED_BY_THE_OTHER, NOT_ALL_TRIED, TWO_ROOTS, *NAMES_NO_LABEL, *RIGHTLY_INHIBITED)
    ),
    *(
        faulty(broken.test_every_alert_reaches_on_call, says, routing=routing, sent_alert=None)
        for says, routing in (
            ('shadowed route: {severity="critical"} is meant for oncall and comes to team', SHADOWED),
            ("receiver without integration: oncall (APIDown, Latency)", NO_INTEGRATION),
            (
                "receiver without integration: oncall (APIDown, Latency)",
                replace(NO_INTEGRATION, unknown=ASKED_TOO_OFTEN),
            ),
            ("placeholder address: oncall: oncall@example.com", PLACEHOLDER),
            ("root alert inhibited: APIDown is inhibited by Queue", BY_WARNINGS),
        )
    ),
    faulty(
        broken.test_every_alert_reaches_on_call,
        "the test alert is for oncall and came to nobody",
        routing=ROUTED,
        sent_alert=LOST,
    ),
    faulty(
        broken.test_every_alert_reaches_on_call,
        "the test alert was taken back, and Alertmanager still has it",
        routing=ROUTED,
        sent_alert=STAYED,
    ),
    unobserved(
        broken.test_every_alert_reaches_on_call,
        "the routes ask for too much: amtool was asked 100 times",
        routing=NOT_ALL_ROUTED,
        sent_alert=None,
    ),
    unobserved(broken.test_every_alert_reaches_on_call, sent_alert=None),
    unobserved(broken.test_every_alert_reaches_on_call, routing=ROUTED),
    #
    healthy(broken.test_every_route_is_reached, routing=ROUTED),
    healthy(broken.test_every_route_is_reached, routing=NOT_ALL_TRIED),
    *(healthy(broken.test_every_route_is_reached, routing=routing) for routing in NAMES_NO_LABEL),
    faulty(
        broken.test_every_route_is_reached,
        '{severity="critical"} is meant for oncall and comes to team',
        routing=SHADOWED,
    ),
    faulty(
        broken.test_every_route_is_reached,
        '{service=~"pg|redis"} is meant for dba and comes to team',
        routing=SHADOWED_BY_WORDS,
    ),
    unobserved(broken.test_every_route_is_reached, "amtool was asked 100 times", routing=NOT_ALL_ROUTED),
    unobserved(broken.test_every_route_is_reached),
    #
    healthy(broken.test_every_receiver_has_an_integration, routing=ROUTED),
    healthy(broken.test_every_receiver_has_an_integration, routing=NOTIFIED_BY_THE_OTHER),
    faulty(broken.test_every_receiver_has_an_integration, "oncall (APIDown, Latency)", routing=NO_INTEGRATION),
    faulty(broken.test_every_receiver_has_an_integration, "team, archive (Queue)", routing=NOTIFIED_BY_NEITHER),
    unobserved(broken.test_every_receiver_has_an_integration, "amtool was asked 100 times", routing=NOT_ALL_ROUTED),
    unobserved(broken.test_every_receiver_has_an_integration),
    #
    healthy(broken.test_no_receiver_has_a_placeholder_address, routing=ROUTED),
    faulty(broken.test_no_receiver_has_a_placeholder_address, "oncall: oncall@example.com", routing=PLACEHOLDER),
    unobserved(broken.test_no_receiver_has_a_placeholder_address, "amtool was asked 100 times", routing=NOT_ALL_ROUTED),
    unobserved(broken.test_no_receiver_has_a_placeholder_address),
    #
    *(
        healthy(broken.test_no_root_alert_is_inhibited, routing=routing)
        for routing in (ROUTED, TWO_ROOTS, *RIGHTLY_INHIBITED)
    ),
    *(
        faulty(broken.test_no_root_alert_is_inhibited, says, routing=routing)
        for says, routing in (
            ("APIDown is inhibited by Queue", BY_WARNINGS),
            ('APIDown is inhibited by whatever has {severity="warning"}', BY_WARNINGS_OF_ITS_SERVICE),
            ("APIDown is inhibited by Latency, Queue, whatever has", BY_ANYTHING),
            ("DatabaseDown is inhibited by APIDown", FIRST_ROOT_INHIBITED),
        )
    ),
    unobserved(broken.test_no_root_alert_is_inhibited, "amtool was asked 100 times", routing=NOT_ALL_ROUTED),
    unobserved(broken.test_no_root_alert_is_inhibited),
    #
    healthy(broken.test_a_test_alert_arrives, notification=ARRIVED),
    faulty(broken.test_a_test_alert_arrives, "the test alert is for oncall and came to nobody", notification=LOST),
    faulty(broken.test_a_test_alert_arrives, "the test alert is for oncall and came to team", notification=MISROUTED),
    faulty(broken.test_a_test_alert_arrives, "Alertmanager still has it", notification=STAYED),
    unobserved(broken.test_a_test_alert_arrives),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
