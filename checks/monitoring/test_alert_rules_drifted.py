"""AlertRulesDrifted: the rules of Prometheus differ from the playbook."""

from fixtures.monitoring.rules import RuleComparison, RunbookLinks
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import minutes
from playbook.quantities import listed

ALERT = Alert(
    name="AlertRulesDrifted",
    severity=2,
    trigger=(
        "an alert of the playbook has no rule, several rules, a rule that differs from `make rules`, "
        "or a dead runbook link"
    ),
    impact="Prometheus raises an alert too late, too early or never",
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "prometheus"},
)


@trigger(step=1)
def test_the_rules_are_ours(rule_comparison: RuleComparison, runbook_links: RunbookLinks) -> None:
    """Each alert of the playbook has exactly one rule, as `make rules` writes it, evaluated in time, with a runbook."""
    problems = rule_comparison.problems + runbook_links.problems
    assert not problems, listed(problems)


@diagnostic(cause="rule-missing", step=1, explained_by="PrometheusDown")
def test_no_rule_is_missing(rule_comparison: RuleComparison) -> None:
    """Every alert of the playbook has a rule."""
    assert not rule_comparison.missing, f"no rule for {listed(rule_comparison.missing, 11)}"


@diagnostic(cause="rule-unhealthy", step=1)
def test_every_rule_can_be_evaluated(rule_comparison: RuleComparison) -> None:
    """Prometheus evaluates each of these rules without an error."""
    assert not rule_comparison.unhealthy, listed(rule_comparison.unhealthy)


@diagnostic(cause="rule-duplicate", step=1)
def test_no_rule_is_there_twice(rule_comparison: RuleComparison) -> None:
    """No alert has two rules: each would page, and one of them is outdated."""
    assert not rule_comparison.duplicate, listed(rule_comparison.duplicate)


@diagnostic(cause="rule-late", step=1)
def test_every_rule_is_evaluated_in_time(rule_comparison: RuleComparison) -> None:
    """Each of these rules was evaluated within two intervals of its group."""
    assert not rule_comparison.late, listed(rule_comparison.late)


@diagnostic(cause="rule-differs", step=1)
def test_no_rule_differs(rule_comparison: RuleComparison) -> None:
    """Expression, threshold, `for`, severity and runbook of each rule are as `make rules` writes them."""
    assert not rule_comparison.differing, " | ".join(rule_comparison.differing)


@diagnostic(cause="runbook-link-dead", step=1)
def test_every_runbook_is_where_its_rule_says(runbook_links: RunbookLinks) -> None:
    """Each rule's runbook link leads to a page, and not to another alert's."""
    assert not runbook_links.dead, listed(runbook_links.dead, 3)


@diagnostic(cause="runbook-unread", step=1)
def test_the_runbooks_can_be_read_from_here(runbook_links: RunbookLinks) -> None:
    """Each rule's runbook link leads to a page that names the alert."""
    assert not runbook_links.unread, listed(runbook_links.unread, 3)
