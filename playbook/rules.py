"""The alerts as Prometheus rules: what `make rules` writes, and what the rules of a Prometheus are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import Template
from typing import TYPE_CHECKING

from msgspec import Struct

from playbook.quantities import Span, magnitude

if TYPE_CHECKING:
    from playbook.alert import Alert

BUCKET = "_bucket"  # what a limit's name ends with in an expression that means its bucket
Overrides = Mapping[str, Mapping[str, str | float]]


class Rule(Struct, frozen=True):
    """One alerting rule, as Prometheus has it."""

    name: str
    expression: str
    for_: Span
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def rules_of(alerts: Iterable[Alert], overrides: Overrides, runbooks: str) -> list[Rule]:
    """Return the rules of the alerts that Prometheus can evaluate, with a target's limits; `runbooks` is a URL.

    ValueError for a wrong limit, and for one that no rule can express.
    """
    return [_rule(alert, overrides.get(alert.name, {}), runbooks) for alert in alerts if alert.expression]


def _rule(alert: Alert, overrides: Mapping[str, str | float], runbooks: str) -> Rule:
    try:
        limits = alert.limits.overridden(overrides)
        numbers = {name: f"{magnitude(limit):.12g}" for name, limit in limits.by_name().items()}
        template = Template(alert.expression)
        for name in (one.removesuffix(BUCKET) for one in template.get_identifiers() if one.endswith(BUCKET)):
            numbers[name + BUCKET] = f"{_bucket(alert, name, limits.by_name()[name]):g}"
    except ValueError as error:
        raise ValueError(f"limits.{alert.name}.{error}") from None
    labels = {name: value for name, value in alert.all_labels.items() if name != "alertname"}
    annotations = {
        "summary": alert.describe(limits).trigger,
        "impact": alert.impact,
        "runbook_url": f"{runbooks.rstrip('/')}/{alert.name}.md",
    }
    return Rule(alert.name, template.substitute(numbers), alert.for_, labels, annotations)


def _bucket(alert: Alert, name: str, limit: object) -> float:
    """Return the bound of the bucket that holds a limit: a percentile is known to be above no smaller one."""
    bound = next((bound for bound in alert.buckets if bound >= (magnitude(limit) or 0.0)), None)
    if bound is None:
        raise ValueError(f"{name}: no rule can express {limit}: the histogram ends at {Span(alert.buckets[-1])}")
    return bound
