from __future__ import annotations

from msgspec.structs import replace

from checks.monitoring import test_alert_rules_drifted as drifted
from fixtures.clients.http import HttpAnswer, Transport
from fixtures.monitoring.rules import AlertRule, RuleComparison, RunbookLink, RunbookLinks, page_of
from playbook.quantities import Span
from playbook.rules import Rule
from tests.cases import Case, faulty, healthy, parametrized, unobserved

DAY, HOUR = 86400.0, 3600.0

# -- the rules of Prometheus, compared with ours

OURS = (
    Rule("APIDown", "up == 0", Span(120), {"severity": "critical"}, {"runbook_url": "runbooks/APIDown.md"}),
    Rule("Queue", "depth > 1000", Span(600), {"severity": "warning"}, {"runbook_url": "runbooks/Queue.md"}),
)
API_DOWN = AlertRule(
    name="APIDown",
    expression="up == 0",
    for_=Span(120),
    severity="critical",
    runbook_url="https://here/APIDown.md",
    health="ok",
    error="",
    evaluated_ago=Span(10),
    loaded_ago=Span(HOUR),
    interval=Span(15),
)
QUEUE = AlertRule(
    name="Queue",
    expression="depth  >  1e3",
    for_=Span(600),
    severity="warning",
    runbook_url="https://here/Queue.md",
    health="ok",
    error="",
    evaluated_ago=Span(10),
    loaded_ago=Span(HOUR),
    interval=Span(15),
)
FOREIGN = replace(API_DOWN, name="Another", health="err", evaluated_ago=Span(DAY))


def compared(*rules: AlertRule) -> RuleComparison:
    return RuleComparison(rules, OURS)


SAME = compared(API_DOWN, QUEUE, FOREIGN)
NONE_OF_OURS = compared(FOREIGN)
NO_QUEUE = compared(API_DOWN)
TWICE = compared(API_DOWN, QUEUE, QUEUE)
IN_ERROR = compared(API_DOWN, replace(QUEUE, health="err", error="many-to-many matching"))
LATE = compared(API_DOWN, replace(QUEUE, evaluated_ago=Span(31)))
JUST_LOADED = compared(replace(API_DOWN, health="unknown", evaluated_ago=None, loaded_ago=Span(30)), QUEUE)
NEVER_EVALUATED = compared(replace(API_DOWN, health="unknown", evaluated_ago=None), QUEUE)
SOONER = compared(API_DOWN, replace(QUEUE, expression="depth > 100", for_=Span(120)))

# -- what answers at the address of a runbook


def linked(answer: HttpAnswer | None) -> RunbookLinks:
    page = page_of(answer, ("APIDown", "Queue"))
    return RunbookLinks((RunbookLink("APIDown", "https://here/APIDown.md", answer, page),))


def answered(status: int, body: str = "") -> HttpAnswer:
    return HttpAnswer("https://here/APIDown.md", Transport.ANSWERED, Span(0.01), status, body)


OUR_PAGE = linked(answered(200, "# APIDown\n"))
AS_HTML = linked(answered(200, "<h1>APIDown</h1>"))
NO_LINKS = RunbookLinks(())
OTHER_PAGE = linked(answered(200, "# Queue\nNot APIDown."))
NO_PAGE = linked(answered(404))
LOGIN = linked(answered(302))
LOGIN_FORM = linked(answered(200, "<form action=/login>"))
WELCOME = linked(answered(200, "# Welcome"))
ERROR_PAGE = linked(answered(500, "# Queue"))
REFUSED = linked(HttpAnswer("https://here/APIDown.md", Transport.REFUSED, Span(0.01)))
HANGING = linked(None)

CASES: list[Case] = [
    healthy(drifted.test_the_rules_are_ours, rule_comparison=SAME, runbook_links=OUR_PAGE),
    healthy(drifted.test_the_rules_are_ours, rule_comparison=JUST_LOADED, runbook_links=OUR_PAGE),
    *(
        healthy(drifted.test_the_rules_are_ours, rule_comparison=SAME, runbook_links=links)
        for links in (AS_HTML, NO_LINKS, LOGIN, LOGIN_FORM, WELCOME, ERROR_PAGE, REFUSED, HANGING)
    ),
    faulty(
        drifted.test_the_rules_are_ours,
        "runbook link dead: APIDown: https://here/APIDown.md answered 200 after 10 ms, with the runbook of Queue",
        rule_comparison=SAME,
        runbook_links=OTHER_PAGE,
    ),
    faulty(
        drifted.test_the_rules_are_ours,
        "runbook link dead: APIDown: https://here/APIDown.md answered 404",
        rule_comparison=SAME,
        runbook_links=NO_PAGE,
    ),
    faulty(
        drifted.test_the_rules_are_ours, "no rule: APIDown, Queue", rule_comparison=NONE_OF_OURS, runbook_links=NO_LINKS
    ),
    faulty(drifted.test_the_rules_are_ours, "no rule: Queue", rule_comparison=NO_QUEUE, runbook_links=OUR_PAGE),
    faulty(
        drifted.test_the_rules_are_ours,
        "more than one: Queue (2 rules)",
        rule_comparison=TWICE,
        runbook_links=OUR_PAGE,
    ),
    faulty(
        drifted.test_the_rules_are_ours,
        "not evaluated: Queue: many-to-many matching",
        rule_comparison=IN_ERROR,
        runbook_links=OUR_PAGE,
    ),
    faulty(
        drifted.test_the_rules_are_ours,
        "not evaluated: Queue 31 s ago, every 15 s",
        rule_comparison=LATE,
        runbook_links=OUR_PAGE,
    ),
    faulty(
        drifted.test_the_rules_are_ours,
        "not evaluated: APIDown never since it was loaded 1 h ago, every 15 s",
        rule_comparison=NEVER_EVALUATED,
        runbook_links=OUR_PAGE,
    ),
    faulty(
        drifted.test_the_rules_are_ours,
        "different: Queue: expression `depth > 100`, ours `depth > 1000`; `for` 2 min, ours 10 min",
        rule_comparison=SOONER,
        runbook_links=OUR_PAGE,
    ),
    unobserved(drifted.test_the_rules_are_ours, runbook_links=OUR_PAGE),
    unobserved(drifted.test_the_rules_are_ours, rule_comparison=SAME),
    #
    healthy(drifted.test_no_rule_is_missing, rule_comparison=SAME),
    faulty(drifted.test_no_rule_is_missing, "no rule for Queue", rule_comparison=NO_QUEUE),
    faulty(drifted.test_no_rule_is_missing, "no rule for APIDown, Queue", rule_comparison=NONE_OF_OURS),
    unobserved(drifted.test_no_rule_is_missing),
    #
    healthy(drifted.test_every_rule_can_be_evaluated, rule_comparison=SAME),
    faulty(drifted.test_every_rule_can_be_evaluated, "Queue: many-to-many matching", rule_comparison=IN_ERROR),
    unobserved(
        drifted.test_every_rule_can_be_evaluated,
        "Prometheus loaded its rules 30 s ago, and has not evaluated APIDown since: ask again",
        rule_comparison=JUST_LOADED,
    ),
    unobserved(
        drifted.test_every_rule_can_be_evaluated, "has not evaluated APIDown since", rule_comparison=NEVER_EVALUATED
    ),
    unobserved(
        drifted.test_every_rule_can_be_evaluated,
        "Prometheus has no rule of the playbook's alerts",
        rule_comparison=NONE_OF_OURS,
    ),
    #
    healthy(drifted.test_no_rule_is_there_twice, rule_comparison=SAME),
    faulty(drifted.test_no_rule_is_there_twice, "Queue (2 rules)", rule_comparison=TWICE),
    unobserved(
        drifted.test_no_rule_is_there_twice,
        "Prometheus has no rule of the playbook's alerts",
        rule_comparison=NONE_OF_OURS,
    ),
    #
    healthy(drifted.test_every_rule_is_evaluated_in_time, rule_comparison=SAME),
    healthy(drifted.test_every_rule_is_evaluated_in_time, rule_comparison=JUST_LOADED),
    healthy(
        drifted.test_every_rule_is_evaluated_in_time,  # evaluated every second: some seconds pass until we ask
        rule_comparison=compared(API_DOWN, replace(QUEUE, interval=Span(1), evaluated_ago=Span(9))),
    ),
    faulty(drifted.test_every_rule_is_evaluated_in_time, "Queue 31 s ago, every 15 s", rule_comparison=LATE),
    faulty(
        drifted.test_every_rule_is_evaluated_in_time,
        "Queue 11 s ago, every 1 s",
        rule_comparison=compared(API_DOWN, replace(QUEUE, interval=Span(1), evaluated_ago=Span(11))),
    ),
    faulty(
        drifted.test_every_rule_is_evaluated_in_time,
        "APIDown never since it was loaded 1 h ago, every 15 s",
        rule_comparison=NEVER_EVALUATED,
    ),
    unobserved(
        drifted.test_every_rule_is_evaluated_in_time,
        "Prometheus has no rule of the playbook's alerts",
        rule_comparison=NONE_OF_OURS,
    ),
    #
    healthy(drifted.test_no_rule_differs, rule_comparison=SAME),
    healthy(drifted.test_no_rule_differs, rule_comparison=NO_QUEUE),
    faulty(
        drifted.test_no_rule_differs,
        "Queue: expression `depth > 100`, ours `depth > 1000`; `for` 2 min, ours 10 min",
        rule_comparison=SOONER,
    ),
    faulty(
        drifted.test_no_rule_differs,
        "APIDown: severity warning, ours critical",
        rule_comparison=compared(replace(API_DOWN, severity="warning"), QUEUE),
    ),
    faulty(
        drifted.test_no_rule_differs,
        "APIDown: runbook api-down, ours APIDown.md",
        rule_comparison=compared(replace(API_DOWN, runbook_url="https://here/api-down"), QUEUE),
    ),
    faulty(
        drifted.test_no_rule_differs,
        "APIDown: expression `up from the future`, ours `up == 0`",
        rule_comparison=compared(replace(API_DOWN, expression="up from the future"), QUEUE),
    ),
    unobserved(
        drifted.test_no_rule_differs, "Prometheus has no rule of the playbook's alerts", rule_comparison=NONE_OF_OURS
    ),
    #
    healthy(drifted.test_every_runbook_is_where_its_rule_says, runbook_links=OUR_PAGE),
    healthy(drifted.test_every_runbook_is_where_its_rule_says, runbook_links=AS_HTML),
    faulty(
        drifted.test_every_runbook_is_where_its_rule_says,
        "https://here/APIDown.md answered 200 after 10 ms, with the runbook of Queue",
        runbook_links=OTHER_PAGE,
    ),
    faulty(
        drifted.test_every_runbook_is_where_its_rule_says,
        "APIDown: https://here/APIDown.md answered 404",
        runbook_links=NO_PAGE,
    ),
    faulty(
        drifted.test_every_runbook_is_where_its_rule_says,
        "APIDown: https://here/APIDown.md answered 404",
        runbook_links=RunbookLinks((*LOGIN.links, *NO_PAGE.links)),
    ),
    *(
        unobserved(
            drifted.test_every_runbook_is_where_its_rule_says,
            "not read: APIDown: https://here/APIDown.md",
            runbook_links=links,
        )
        for links in (LOGIN, LOGIN_FORM, WELCOME, ERROR_PAGE, REFUSED, HANGING)
    ),
    unobserved(drifted.test_every_runbook_is_where_its_rule_says, "no rule links to a runbook", runbook_links=NO_LINKS),
    unobserved(drifted.test_every_runbook_is_where_its_rule_says),
    #
    *(
        healthy(drifted.test_the_runbooks_can_be_read_from_here, runbook_links=links)
        for links in (OUR_PAGE, AS_HTML, OTHER_PAGE, NO_PAGE)
    ),
    *(
        faulty(drifted.test_the_runbooks_can_be_read_from_here, says, runbook_links=links)
        for says, links in (
            ("APIDown: https://here/APIDown.md answered 302", LOGIN),
            ("answered 200 after 10 ms, not with APIDown", LOGIN_FORM),
            ("answered 200 after 10 ms, not with APIDown", WELCOME),
            ("answered 500", ERROR_PAGE),
            ("refused the connection", REFUSED),
            ("did not answer in time", HANGING),
        )
    ),
    unobserved(drifted.test_the_runbooks_can_be_read_from_here, "no rule links to a runbook", runbook_links=NO_LINKS),
    unobserved(drifted.test_the_runbooks_can_be_read_from_here),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
