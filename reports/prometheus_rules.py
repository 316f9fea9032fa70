"""Prometheus rules for the alerts, from the alerts' own metadata: `python -m reports.prometheus_rules > rules.yml`.

Their limits are the target's. What the metrics called `ordinaut_…` need is said at the top of what is written.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import Template
from types import SimpleNamespace

from prometheus_client import Histogram

from checks.alerting import Alert, alert_of
from checks.selection import alert_names
from fixtures.settings import BadSettings, Settings, load
from fixtures.words import Span, magnitude

HERE = Path(__file__).parent
TEMPLATE = "prometheus_rules.yml.j2"
GROUP = "ordinaut"
BUCKETS: tuple[float, ...] = Histogram.DEFAULT_BUCKETS  # those of Ordinaut's API
Overrides = dict[str, dict[str, str | float]]


@dataclass(frozen=True)
class Rule:
    """One alerting rule, as Prometheus has it; `lasts` is its `for`."""

    name: str
    expression: str
    lasts: Span
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def rules(overrides: Overrides, runbooks: str) -> list[Rule]:
    """Give the rules of all alerts that Prometheus can evaluate, the severest first."""
    alerts = sorted(_alerts(), key=lambda alert: (alert.severity, alert.name))
    return [_rule(alert, overrides.get(alert.name, {}), runbooks) for alert in alerts if alert.expression]


def _alerts() -> list[Alert]:
    modules = [importlib.import_module(f"checks.{path.parent.name}.{path.stem}") for path in alert_names().values()]
    return [alert for module in modules if (alert := alert_of(module))]


def _rule(alert: Alert, overrides: Mapping[str, str | float], runbooks: str) -> Rule:
    limits = vars(alert.limits_for(overrides))
    numbers = {name: f"{magnitude(limit):.12g}" for name, limit in limits.items()}
    # A percentile is known to lie above a limit only where it lies above the bucket that the limit falls into.
    numbers |= {f"{name}_bucket": f"{_bucket(limit):g}" for name, limit in limits.items() if isinstance(limit, Span)}
    labels = {name: value for name, value in alert.all_labels.items() if name != "alertname"}
    annotations = {
        "summary": alert.trigger,
        "impact": alert.impact,
        "runbook_url": f"{runbooks.rstrip('/')}/{alert.name}.md",
    }
    return Rule(alert.name, Template(alert.expression).substitute(numbers), alert.lasts, labels, annotations)


def _bucket(limit: Span) -> float:
    return min(bound for bound in BUCKETS if bound >= limit.total_seconds())


def text(found: list[Rule]) -> str:
    """Give the rules as the file that Prometheus reads."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(HERE / "templates")
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701  YAML
    environment.filters |= {"duration": _duration, "quoted": partial(json.dumps, ensure_ascii=False)}
    return environment.get_template(TEMPLATE).render(group=GROUP, rules=found) + "\n"


def _duration(span: Span) -> str:
    seconds = round(span.total_seconds())
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"


def main(arguments: list[str] | None = None) -> int:
    """Write the rules to the standard output."""
    parser = argparse.ArgumentParser(prog="python -m reports.prometheus_rules", description=__doc__)
    parser.add_argument("--target", metavar="NAME", help="whose limits: as with pytest (default: ordinaut.toml)")
    parser.add_argument("--runbooks", metavar="URL", default="runbooks", help="where the runbooks can be read")
    options = parser.parse_args(arguments)
    asked = SimpleNamespace(**dict.fromkeys(Settings.__struct_fields__), target=options.target)
    try:
        settings = load(asked, HERE.parent, dict(os.environ)).settings
        sys.stdout.write(text(rules(settings.limits, options.runbooks)))
    except (BadSettings, KeyError, ValueError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
