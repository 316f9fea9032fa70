"""index.html: the runs that are kept, newest first, each with what was not ok."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports import html
from reports.output import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from reports.history import Run

FILE = "index.html"


def write(root: Path, runs: list[Run], timezone: str) -> None:
    """Write the list; OSError where that cannot be."""
    kept = {path.name for path in root.glob("20*")}
    page = html.environment(timezone).get_template("index.html.j2").render(
        runs=runs, kept=kept, style=html.style(), policy=html.POLICY
    )  # fmt: skip
    replace_file(root / FILE, page)
