"""The alerts as Prometheus rules: what `make rules` writes, and what the rules of a Prometheus are held against."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from math import isinf
from string import Template

from msgspec import Struct

from playbook.alert import Alert, alert_of
from playbook.quantities import Span, magnitude
from playbook.selection import alert_names

# Of the API's histogram. A percentile is known to lie above a limit only where it lies above the limit's bucket.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, float("inf"))
BUCKET = "_bucket"  # what a limit's name ends with in an expression that means its bucket
Overrides = Mapping[str, Mapping[str, str | float]]


class Rule(Struct, frozen=True):
    """One alerting rule, as Prometheus has it; `lasts` is its `for`."""

    name: str
    expression: str
    lasts: Span
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def alerts() -> list[Alert]:
    """Give all alerts, the severest first."""
    modules = [importlib.import_module(f"checks.{path.parent.name}.{path.stem}") for path in alert_names().values()]
    found = [alert for module in modules if (alert := alert_of(module))]
    return sorted(found, key=lambda alert: (alert.severity, alert.name))


def rules(overrides: Overrides, runbooks: str) -> list[Rule]:
    """Give the rules of the alerts that Prometheus can evaluate, with a target's limits; `runbooks` is a URL.

    ValueError for a limit that no rule can say.
    """
    return [_rule(alert, overrides.get(alert.name, {}), runbooks) for alert in alerts() if alert.expression]


def _rule(alert: Alert, overrides: Mapping[str, str | float], runbooks: str) -> Rule:
    limits = vars(alert.limits_for(overrides))
    numbers = {name: f"{magnitude(limit):.12g}" for name, limit in limits.items()}
    template = Template(alert.expression)
    for name in (one.removesuffix(BUCKET) for one in template.get_identifiers() if one.endswith(BUCKET)):
        numbers[name + BUCKET] = f"{_bucket(f'limits.{alert.name}.{name}', limits[name]):g}"
    labels = {name: value for name, value in alert.all_labels.items() if name != "alertname"}
    annotations = {
        "summary": alert.trigger,
        "impact": alert.impact,
        "runbook_url": f"{runbooks.rstrip('/')}/{alert.name}.md",
    }
    return Rule(alert.name, template.substitute(numbers), alert.lasts, labels, annotations)


def _bucket(name: str, limit: Span) -> float:
    bucket = min(bound for bound in BUCKETS if bound >= limit.total_seconds())
    if isinf(bucket):
        raise ValueError(f"{name}: no rule can say {limit}: the API's histogram ends at {Span(BUCKETS[-2])}")
    return bucket
