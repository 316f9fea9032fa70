"""index.html: the runs that are kept, newest first, each with the alerts that were not ok."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.output import replace_file
from reports.pages import rendering

if TYPE_CHECKING:
    from pathlib import Path

    from reports.history import Run

FILE = "index.html"


def write(root: Path, runs: list[Run], timezone: str) -> None:
    """Write the list; OSError where that cannot be."""
    kept = {path.name for path in root.glob("20*")}
    page = rendering.environment(timezone).get_template("index.html.j2")
    replace_file(root / FILE, page.render(runs=runs, kept=kept, style=rendering.style(), policy=rendering.POLICY))
