"""Prometheus rules for the alerts, from the alerts' own metadata: `python -m reports.commands.rules > rules.yml`.

Their limits are the target's. What the metrics called `ordinaut_…` need is said at the top of what is written.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures.settings import settings_of_target
from playbook.catalogue import Catalogue
from playbook.rules import Rule, rules_of
from playbook.target import BadSettings

if TYPE_CHECKING:
    from playbook.quantities import Span

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = "prometheus_rules.yml.j2"
GROUP = "ordinaut"


def text(found: list[Rule]) -> str:
    """Return the rules as the file that Prometheus reads."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(ROOT / "reports" / "pages" / "templates")
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701  YAML
    environment.filters |= {"duration": _duration, "quoted": partial(json.dumps, ensure_ascii=False)}
    return environment.get_template(TEMPLATE).render(group=GROUP, rules=found) + "\n"


def _duration(span: Span) -> str:
    seconds = round(span.total_seconds())
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"


def main(arguments: list[str] | None = None) -> int:
    """Write the rules to the standard output."""
    parser = argparse.ArgumentParser(prog="python -m reports.commands.rules", description=__doc__)
    parser.add_argument("--target", metavar="NAME", help="whose limits: as with pytest (default: ordinaut.toml)")
    parser.add_argument("--runbooks", metavar="URL", default="runbooks", help="where the runbooks can be read")
    options = parser.parse_args(arguments)
    try:
        settings = settings_of_target(options.target, ROOT, os.environ)
        alerts = Catalogue([ROOT / "checks"]).alerts
        sys.stdout.write(text(rules_of(alerts, settings.limits, options.runbooks)))
    except (BadSettings, KeyError, ValueError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
