"""AlertCannotFire: a rule asks for what is not there, so it is quiet for ever."""

from types import SimpleNamespace

from fixtures.monitoring.series import RuleSeries
from playbook.alert import Alert, diagnostic, hours, minutes, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="AlertCannotFire",
    severity=2,
    trigger="an alerting rule asks for series that Prometheus does not have, so that it can never fire",
    impact="an alert that is counted on never comes",
    limits={"gone_for": hours(1)},
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "prometheus"},
)


@trigger()
def test_every_rule_can_fire(rule_series: RuleSeries, limits: SimpleNamespace) -> None:
    """What each alerting rule asks for is there, or was until a moment ago."""
    problems = rule_series.problems(limits.gone_for)
    assert not problems, listed(problems)


@diagnostic(cause="metric-never-seen", step=())
def test_every_metric_was_seen(rule_series: RuleSeries) -> None:
    """Every metric that a rule names had a series in the last 7 days."""
    assert not rule_series.metrics_never_seen, listed(rule_series.metrics_never_seen)


@diagnostic(cause="label-never-present", step=())
def test_every_label_was_seen(rule_series: RuleSeries) -> None:
    """Every label that a rule asks for was one of the metric's in the last 7 days."""
    assert not rule_series.labels_never_seen, listed(rule_series.labels_never_seen)


@diagnostic(cause="label-value-never-seen", step=())
def test_every_value_was_seen(rule_series: RuleSeries) -> None:
    """Every value that a rule asks a label for was there in the last 7 days."""
    assert not rule_series.values_never_seen, listed(rule_series.values_never_seen)


@diagnostic(cause="label-value-vanished", step=())
def test_nothing_has_vanished(rule_series: RuleSeries, limits: SimpleNamespace) -> None:
    """Nothing that a rule asks for was there, and has been gone for long since."""
    vanished = rule_series.vanished(limits.gone_for)
    assert not vanished, listed(vanished)


@diagnostic(cause="zero-of-what-disappears", step=())
def test_no_rule_waits_for_a_zero_that_never_comes(rule_series: RuleSeries, limits: SimpleNamespace) -> None:
    """No rule waits for a zero in series that go away instead."""
    disappearing = rule_series.disappearing(limits.gone_for)
    assert not disappearing, listed(disappearing)
