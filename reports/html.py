"""report.html: our section, from a template, on top of pytest-html's page; one self-contained file."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reports import runbooks

if TYPE_CHECKING:
    from reports.results import AlertResult, Results

HERE = Path(__file__).parent / "templates"


def render(results: Results, table: str | None) -> str:
    """Give the whole document. `table` is pytest-html's own page, None where it wrote none."""
    import jinja2

    zone = ZoneInfo(results.timezone)

    def moment(stamp: str) -> str:
        at = datetime.fromisoformat(stamp)
        local = f" ({at.astimezone(zone):%H:%M} {results.timezone})" if results.timezone != "UTC" else ""
        return f"{at:%Y-%m-%d %H:%M:%S} UTC{local}"

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"moment": moment, "markdown": runbooks.render}
    section = environment.get_template("report.html.j2").render(
        results=results, roots=_roots(results), followers=results.followers, runbook_of=runbooks.of_alert
    )
    style = (HERE / "report.css").read_text(encoding="utf-8")
    return _join(section, style, table, escape(f"{results.verdict}: {results.target}"))


def _roots(results: Results) -> list[AlertResult]:
    """The alerts that stand by themselves; those that follow from another are shown beneath it."""
    names = {alert.name for alert in results.alerts}
    return [
        alert for alert in results.alerts if alert.caused_by not in names or alert.state not in ("firing", "unknown")
    ]


def _join(section: str, style: str, table: str | None, title: str) -> str:
    """Put our section after <body>, and fold pytest-html's page beneath it."""
    head = (
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{style}</style>'
    )
    if table is None:
        table = "<!DOCTYPE html><html><head><title></title></head><body></body></html>"
    page = re.sub(r"<title[^>]*>.*?</title>", lambda _: f"<title>{title}</title>", table, count=1, flags=re.DOTALL)
    page = page.replace("<html>", '<html lang="en">', 1).replace("</head>", f"{head}</head>", 1)
    page = re.sub(r"<p>Report generated on.*?</p>", "", page, count=1, flags=re.DOTALL)
    page = re.sub(r'<h1 id="title">.*?</h1>', '<span id="title" hidden></span>', page, count=1, flags=re.DOTALL)
    opened = f'<body>{section}<details class="all-checks"><summary>All checks, as pytest tells them</summary>'
    return page.replace("<body>", opened, 1).replace("<footer>", "</details><footer>", 1)
