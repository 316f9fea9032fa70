"""AlertCannotFire: a rule uses series that do not exist, so it never fires."""

from fixtures.monitoring.series import RuleSeries
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AlertLimits, hours, minutes
from playbook.quantities import Span, listed


class Limits(AlertLimits):
    """The limits of the alert."""

    gone_for: Span = hours(1)


ALERT = Alert(
    name="AlertCannotFire",
    severity=2,
    trigger="an alerting rule uses series that Prometheus does not have, or has not had for {gone_for}",
    impact="an alert that on-call relies on never fires",
    limits=Limits,
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "prometheus"},
)


@trigger()
def test_every_rule_can_fire(rule_series: RuleSeries, limits: Limits) -> None:
    """Every series that an alerting rule uses exists, or existed recently."""
    problems = rule_series.problems(limits.gone_for)
    assert not problems, listed(problems)


@diagnostic(cause="metric-never-seen", step=())
def test_every_metric_was_seen(rule_series: RuleSeries) -> None:
    """Every metric that a rule uses had a series in the last 7 days."""
    assert not rule_series.metrics_never_seen, listed(rule_series.metrics_never_seen)


@diagnostic(cause="label-never-present", step=())
def test_every_label_was_seen(rule_series: RuleSeries) -> None:
    """Every label that a rule selects by was present on its metric in the last 7 days."""
    assert not rule_series.labels_never_seen, listed(rule_series.labels_never_seen)


@diagnostic(cause="label-value-never-seen", step=())
def test_every_value_was_seen(rule_series: RuleSeries) -> None:
    """Every label value that a rule selects existed in the last 7 days."""
    assert not rule_series.values_never_seen, listed(rule_series.values_never_seen)


@diagnostic(cause="label-value-vanished", step=())
def test_nothing_has_vanished(rule_series: RuleSeries, limits: Limits) -> None:
    """No series that a rule uses has disappeared for longer than the limit."""
    vanished = rule_series.vanished(limits.gone_for)
    assert not vanished, f"{listed(vanished)} (limit {limits.gone_for})"
