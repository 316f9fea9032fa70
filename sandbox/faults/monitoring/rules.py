"""Faults of Prometheus' rules."""

from __future__ import annotations

import re
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

from sandbox.fault import Expect, Fault, Stack
from sandbox.monitoring.stack import EXTRA, OURS, SHIPPED_RULES
from sandbox.polling import require, until

if TYPE_CHECKING:
    from collections.abc import Callable

DRIFTED, CANNOT_FIRE = "AlertRulesDrifted", "AlertCannotFire"
MISSING, CHANGED, UNHEALTHY = "NoActiveWorkers", "HighQueueDepth", "MemoryUsageCritical"
ON_NOTHING = ("HighDatabaseConnections", "postgres_stat_activity_count > 80")
VANISHED = 'node_filesystem_avail_bytes{mountpoint="/srv/data"}'
ON_VANISHED = ("DataDiskFull", f"{VANISHED} < 1e9")
FIRST_SEEN, LAST_SEEN, NOT_LONG_AGO = 61 * 3600, 60 * 3600, 3 * 3600  # seconds ago
EVERY = 300  # seconds


def _rule_text(text: str, name: str) -> str:
    found = re.search(rf"^ +- alert: {name}$.*?(?=^ +- alert: |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"the rules lack {name}"
    return found[0]


def _change(stack: Stack, name: str, change: Callable[[str], str]) -> None:
    text = stack.monitoring.read_rules()
    before = _rule_text(text, name)
    stack.monitoring.write_rules(OURS, text.replace(before, change(before)))


def _add(stack: Stack, rule: str) -> None:
    stack.monitoring.write_rules(EXTRA, f"groups:\n  - name: {EXTRA}\n    rules:\n{rule}")


def add_rule(stack: Stack, name: str, expression: str) -> None:
    """Add a rule to those of `make rules`."""
    _add(stack, f"      - {{alert: {name}, expr: '{expression}', labels: {{severity: warning}}}}\n")


def _seen(stack: Stack, name: str) -> list[dict[str, object]]:
    return [rule for rule in stack.monitoring.rules() if rule["name"] == name]


def _number_of(stack: Stack, name: str, number: int) -> None:
    found = len(_seen(stack, name))
    require(found == number, f"Prometheus has {found} rules {name}")


def _loosen(rule: str) -> str:
    return rule.replace("> 1000\n", "> 100\n").replace("for: 10m\n", "for: 2m\n")


def _has(stack: Stack, rule: str, **expected: object) -> None:
    seen = [{key: each[key] for key in expected} for each in _seen(stack, rule)]
    require(seen == [expected], f"{rule} has {seen}")


def _has_another_link(stack: Stack) -> None:
    seen = [rule["annotations"] for rule in _seen(stack, CHANGED)]
    require("/runbooks/old/" in str(seen), f"{CHANGED} has {seen}")


def _make_ambiguous(rule: str) -> str:
    return rule.replace("/ node_memory_MemTotal_bytes", '/ on (job) {__name__=~"node_memory_.+"}')


def _has_no_series(stack: Stack) -> None:
    name, expression = ON_NOTHING
    _number_of(stack, name, 1)
    metric = expression.split()[0]
    require(not stack.monitoring.query(f"count_over_time({metric}[7d])"), f"{metric} has series")


def _samples(series: str, value: float, since: int, until: int) -> str:
    now = int(time.time())
    moments = range(now - since, now - until, EVERY)
    name = series.partition("{")[0]
    return "".join([f"# TYPE {name} gauge\n", *(f"{series} {value} {moment}\n" for moment in moments)])


def _remember_a_disk(stack: Stack) -> None:
    """Write samples of the last days into Prometheus' storage; healing leaves them, since no other rule reads them."""
    monitoring = stack.monitoring
    file = monitoring.folder / "past.om"
    disk = VANISHED.replace("}", ',job="node",instance="orchestrator-host",device="/dev/sdb1",fstype="ext4"}')
    ran = _samples('up{job="prometheus",instance="orchestrator-prometheus"}', 1, FIRST_SEEN, NOT_LONG_AGO)
    file.write_text(f"{_samples(disk, 5e9, FIRST_SEEN, LAST_SEEN)}{ran}# EOF\n")
    monitoring.prometheus.stop()
    into = str(monitoring.folder / "prometheus")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(file), into]
    subprocess.run(command, capture_output=True, check=True, timeout=20)
    monitoring.prometheus.start()
    until(monitoring.require_settled)
    add_rule(stack, *ON_VANISHED)


def _has_vanished(stack: Stack) -> None:
    _number_of(stack, ON_VANISHED[0], 1)
    require(stack.monitoring.query(f"count_over_time({VANISHED}[7d])"), f"{VANISHED} has no old sample")
    require(not stack.monitoring.query(VANISHED), f"{VANISHED} has a sample")


_changed = partial(Fault, heal=lambda stack: stack.monitoring.write_rules(OURS, stack.monitoring.expected_rules()))
_added = partial(Fault, heal=lambda stack: stack.monitoring.write_rules(EXTRA, ""))

RULE_MISSING = _changed(
    name="rule-missing",
    does=f"removes the rule {MISSING} from Prometheus",
    expect=Expect(DRIFTED, "firing", "rule-missing"),
    break_=lambda stack: _change(stack, MISSING, lambda _: ""),
    took_hold=lambda stack: _number_of(stack, MISSING, 0),
)
RULE_DRIFTED = _changed(
    name="rule-drifted",
    does=f"changes the threshold and the `for` of the rule {CHANGED}",
    expect=Expect(DRIFTED, "firing", "rule-differs"),
    break_=lambda stack: _change(stack, CHANGED, _loosen),
    took_hold=partial(_has, rule=CHANGED, query="ordinaut_due_work_items > 100", duration=120),
)
RULE_DUPLICATE = _added(
    name="rule-duplicate",
    does=f"loads the rule {CHANGED} a second time, in another group",
    expect=Expect(DRIFTED, "firing", "rule-duplicate"),
    break_=lambda stack: _add(stack, _rule_text(stack.monitoring.read_rules(), CHANGED)),
    took_hold=lambda stack: _number_of(stack, CHANGED, 2),
)
RULE_UNHEALTHY = _changed(
    name="rule-unhealthy",
    does=f"gives the rule {UNHEALTHY} an expression that Prometheus cannot evaluate",
    expect=Expect(DRIFTED, "firing", "rule-unhealthy"),
    break_=lambda stack: _change(stack, UNHEALTHY, _make_ambiguous),
    took_hold=partial(_has, rule=UNHEALTHY, health="err"),
)
RUNBOOK_DEAD = _changed(
    name="runbook-link-dead",
    does=f"makes the rule {CHANGED} link to a runbook that does not exist",
    expect=Expect(DRIFTED, "firing", "runbook-link-dead"),
    break_=lambda stack: _change(stack, CHANGED, lambda rule: rule.replace("/runbooks/", "/runbooks/old/")),
    took_hold=_has_another_link,
)
AS_SHIPPED = _changed(
    name="rules-as-shipped",
    does="replaces the rules with those that Ordinaut ships",
    expect=Expect(DRIFTED, "firing", "rule-missing", may_follow=(CANNOT_FIRE,)),
    break_=lambda stack: stack.monitoring.write_rules(OURS, SHIPPED_RULES.read_text()),
    took_hold=lambda stack: _number_of(stack, "DiskSpaceLow", 1),
)
NEVER_EXISTED = _added(
    name="metric-never-existed",
    does="adds a rule on a metric that no exporter has",
    expect=Expect(CANNOT_FIRE, "firing", "metric-never-seen"),
    break_=lambda stack: add_rule(stack, *ON_NOTHING),
    took_hold=_has_no_series,
)
VALUE_VANISHED = _added(
    name="label-value-vanished",
    does="adds a rule on a mount point whose last sample is days old",
    expect=Expect(CANNOT_FIRE, "firing", "label-value-vanished"),
    break_=_remember_a_disk,
    took_hold=_has_vanished,
)
