"""index.html: the runs that are kept, newest first, each with what was not ok."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from reports.output import replace_file
from reports.pages import report as html

if TYPE_CHECKING:
    from pathlib import Path

    from reports.history import Run

FILE = "index.html"


def write(root: Path, runs: list[Run], timezone: str) -> None:
    """Write the list; OSError where that cannot be."""
    kept = {path.name for path in root.glob("20*")}
    rows = [_row(run, is_kept=run.folder in kept) for run in runs]  # a template would take four times as long
    page = html.environment(timezone).get_template("index.html.j2").render(
        rows=rows, style=html.style(), policy=html.POLICY
    )  # fmt: skip
    replace_file(root / FILE, page)


def _row(run: Run, *, is_kept: bool) -> str:
    """Give a run as a row of the table, all that it says escaped."""
    at = f'<a href="{escape(run.folder)}/report.html">{run.at}</a>' if is_kept else run.at
    about = escape(f"{run.target}, {run.duration_seconds:.1f} s" + (f", {run.selection}" if run.selection else ""))
    verdict = f'<span class="pill {run.verdict}">{run.verdict}</span>' + ("" if run.complete else "<br>stopped")
    speaks = escape(", ".join(f"{state} sev{severity} {name}" for name, severity, state in run.speaks))
    return f'<tr><td>{at}<br><span class="dim">{about}</span></td><td>{verdict}</td><td>{speaks}</td></tr>'
