from __future__ import annotations

from checks.monitoring import test_alert_cannot_fire as cannot_fire
from fixtures.monitoring.series import Lost, RuleSeries, Selector
from playbook.quantities import Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
DISK = Selector("node_filesystem_avail_bytes", (("mountpoint", "=", "/data"),))
SERVER_ERRORS = Selector("hits_total", (("code", "=~", "5.."),))


def series(*lost: Lost, unreadable: tuple[str, ...] = ()) -> RuleSeries:
    return RuleSeries(lost, unreadable)


ALL_THERE = series()
NO_METRIC = series(Lost(("Slow",), Selector("postgres_max_tx"), metric_seen=False))
NO_LABEL = series(Lost(("Full",), DISK, metric_seen=True, labels_never_seen=("mountpoint",)))
NO_VALUE = series(Lost(("Full",), DISK, metric_seen=True))
NO_MATCH = series(Lost(("Errors",), SERVER_ERRORS, metric_seen=True, may_be=True))  # a healthy API has no errors
VANISHED = series(Lost(("Full",), DISK, metric_seen=True, gone_for=Span(2 * DAY)))
INTERRUPTED = series(Lost(("Full",), DISK, metric_seen=True, gone_for=Span(10 * MINUTE)))
UNREADABLE = series(unreadable=("Full (unknown function)",))

CASES: list[Case] = [
    healthy(cannot_fire.test_every_rule_can_fire, rule_series=ALL_THERE),
    healthy(cannot_fire.test_every_rule_can_fire, rule_series=NO_MATCH),
    healthy(cannot_fire.test_every_rule_can_fire, rule_series=INTERRUPTED),
    faulty(cannot_fire.test_every_rule_can_fire, "metric never seen: `postgres_max_tx` (Slow)", rule_series=NO_METRIC),
    faulty(
        cannot_fire.test_every_rule_can_fire,
        "metric never seen: `postgres_max_tx` (Slow)",  # although another rule could not be read
        rule_series=series(*NO_METRIC.lost, unreadable=("Full (unknown function)",)),
    ),
    faulty(
        cannot_fire.test_every_rule_can_fire,
        'label never present: mountpoint of `node_filesystem_avail_bytes{mountpoint="/data"}` (Full)',
        rule_series=NO_LABEL,
    ),
    faulty(
        cannot_fire.test_every_rule_can_fire,
        'value never seen: `node_filesystem_avail_bytes{mountpoint="/data"}` (Full)',
        rule_series=NO_VALUE,
    ),
    faulty(
        cannot_fire.test_every_rule_can_fire,
        'gone: `node_filesystem_avail_bytes{mountpoint="/data"}` (Full), for 2 d',
        rule_series=VANISHED,
    ),
    unobserved(
        cannot_fire.test_every_rule_can_fire,
        "what a rule asks for could not be read: Full (unknown function)",
        rule_series=UNREADABLE,
    ),
    unobserved(
        cannot_fire.test_every_rule_can_fire,
        "could not be read: Full (unknown function)",
        rule_series=series(*NO_MATCH.lost, unreadable=("Full (unknown function)",)),
    ),
    unobserved(cannot_fire.test_every_rule_can_fire),
    #
    healthy(cannot_fire.test_every_metric_was_seen, rule_series=ALL_THERE),
    healthy(cannot_fire.test_every_metric_was_seen, rule_series=NO_LABEL),
    healthy(cannot_fire.test_every_metric_was_seen, rule_series=VANISHED),
    faulty(cannot_fire.test_every_metric_was_seen, "`postgres_max_tx` (Slow)", rule_series=NO_METRIC),
    unobserved(cannot_fire.test_every_metric_was_seen, "could not be read: Full", rule_series=UNREADABLE),
    unobserved(cannot_fire.test_every_metric_was_seen),
    #
    healthy(cannot_fire.test_every_label_was_seen, rule_series=ALL_THERE),
    healthy(cannot_fire.test_every_label_was_seen, rule_series=NO_METRIC),
    healthy(cannot_fire.test_every_label_was_seen, rule_series=NO_VALUE),
    faulty(
        cannot_fire.test_every_label_was_seen,
        'mountpoint of `node_filesystem_avail_bytes{mountpoint="/data"}` (Full)',
        rule_series=NO_LABEL,
    ),
    unobserved(cannot_fire.test_every_label_was_seen, "could not be read: Full", rule_series=UNREADABLE),
    unobserved(cannot_fire.test_every_label_was_seen),
    #
    healthy(cannot_fire.test_every_value_was_seen, rule_series=ALL_THERE),
    healthy(cannot_fire.test_every_value_was_seen, rule_series=NO_METRIC),
    healthy(cannot_fire.test_every_value_was_seen, rule_series=NO_LABEL),
    healthy(cannot_fire.test_every_value_was_seen, rule_series=VANISHED),
    faulty(
        cannot_fire.test_every_value_was_seen,
        '`node_filesystem_avail_bytes{mountpoint="/data"}` (Full)',
        rule_series=NO_VALUE,
    ),
    faulty(cannot_fire.test_every_value_was_seen, '`hits_total{code=~"5.."}` (Errors)', rule_series=NO_MATCH),
    unobserved(cannot_fire.test_every_value_was_seen, "could not be read: Full", rule_series=UNREADABLE),
    unobserved(cannot_fire.test_every_value_was_seen),
    #
    healthy(cannot_fire.test_nothing_has_vanished, rule_series=ALL_THERE),
    healthy(cannot_fire.test_nothing_has_vanished, rule_series=NO_VALUE),
    healthy(cannot_fire.test_nothing_has_vanished, rule_series=INTERRUPTED),
    faulty(cannot_fire.test_nothing_has_vanished, "(Full), for 2 d (limit 1 h)", rule_series=VANISHED),
    unobserved(cannot_fire.test_nothing_has_vanished, "could not be read: Full", rule_series=UNREADABLE),
    unobserved(cannot_fire.test_nothing_has_vanished),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
