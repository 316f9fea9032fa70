"""report.html: our section, from a template, on top of pytest-html's page; one self-contained file."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from playbook.quantities import Span
from reports import runbooks, summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from reports.results import AlertResult, Point, Results

HERE = Path(__file__).parent / "templates"
BYTECODE = Path(__file__).parent / "__pycache__"
# Nothing is fetched, sent or framed, whatever a log line or a query says.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'"
WIDTH, HEIGHT, MARGIN = 180, 36, 3  # of a picture, in pixels


class Picture(Struct, frozen=True):
    """What was measured over the last runs, as coordinates in pixels; `words` say the same."""

    line: str  # x,y pairs
    limit: float | None  # the height of the limit
    failing: list[tuple[float, float]]  # where the alert's condition held
    words: str


def picture(points: list[Point]) -> Picture | None:
    """Draw the values of the runs that have one; None where there are not two."""
    known = [(place, point) for place, point in enumerate(points) if point.value is not None]
    if len(known) < 2:
        return None
    values = [point.value or 0.0 for _, point in known]
    limit = points[-1].limit
    low, high = min(0.0, *values), max(*values, limit or 0.0) or 1.0

    def across(place: int) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * place / (len(points) - 1), 1)

    def down(value: float) -> float:
        return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / (high - low), 1)

    spots = [(across(place), down(value)) for (place, _), value in zip(known, values, strict=True)]
    failing = [spot for spot, (_, point) in zip(spots, known, strict=True) if point.state not in ("ok", "skipped")]
    words = f"the last {len(points)} runs: between {min(values):g} and {max(values):g}"
    return Picture(
        " ".join(f"{x},{y}" for x, y in spots), None if limit is None else down(limit), failing,
        words if limit is None else f"{words}, limit {limit:g}",
    )  # fmt: skip


def render(results: Results, table: str | None) -> str:
    """Give the whole document. `table` is pytest-html's own page, None where it wrote none."""
    section = environment(results.timezone).get_template("report.html.j2").render(
        results=results,
        groups=_groups(results),
        picture=lambda alert: picture(alert.recent),
        runbook_of=lambda alert: runbooks.of_alert(alert.name),
        lasted=lambda alert: _lasted(results, alert),
        filled=lambda text, cause: runbooks.filled(text, cause.values if cause else {}, results.compose_command),
        summary=summary.of(results),
        script=_file("report.js"),
    )  # fmt: skip
    return _join(section, table, escape(f"{results.verdict}: {results.target}"))


@cache
def environment(timezone: str) -> Any:
    """Give the templates, with times told in UTC and in this zone."""
    import jinja2

    zone = ZoneInfo(timezone)

    def moment(stamp: str) -> str:
        at = datetime.fromisoformat(stamp)
        local = f" ({at.astimezone(zone):%H:%M} {timezone})" if timezone != "UTC" else ""
        return f"{at:%Y-%m-%d %H:%M:%S} UTC{local}"

    class Compiled(jinja2.FileSystemBytecodeCache):
        """The templates as bytecode, where Python keeps that of modules; where it cannot be kept it is made anew."""

        def dump_bytecode(self, bucket: Any) -> None:
            if not sys.dont_write_bytecode:
                with suppress(OSError):
                    super().dump_bytecode(bucket)

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), bytecode_cache=Compiled(str(BYTECODE)),
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    filters: dict[str, Callable[..., object]] = {"moment": moment, "markdown": runbooks.render, "span": Span}
    made.filters |= filters
    return made


@cache
def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def style() -> str:
    """Give the style that the report and the list of runs share."""
    return _file("report.css")


def _groups(results: Results) -> list[tuple[str, list[tuple[AlertResult, list[AlertResult]]]]]:
    """Give the alerts that stand by themselves, by what is shown of them, each with what is shown beneath it."""
    return [(state, list(group)) for state, group in groupby(results.by_root(), lambda family: family[0].shown_state)]


def _lasted(results: Results, alert: AlertResult) -> Span | None:
    """How long an alert has been in its state, where it has been for longer than this run."""
    if alert.since is None:
        return None
    lasted: timedelta = datetime.fromisoformat(results.started_at) - datetime.fromisoformat(alert.since)
    return Span(lasted.total_seconds()) if lasted else None


def _join(section: str, table: str | None, title: str) -> str:
    """Put our section after <body>, and fold pytest-html's page beneath it."""
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{style()}</style>'
    )
    if table is None:
        table = "<!DOCTYPE html><html><head><title></title></head><body></body></html>"
    page = re.sub(r"<title[^>]*>.*?</title>", lambda _: f"<title>{title}</title>", table, count=1, flags=re.DOTALL)
    page = page.replace("<html>", '<html lang="en">', 1).replace("</head>", f"{head}</head>", 1)
    page = re.sub(r"<p>Report generated on.*?</p>", "", page, count=1, flags=re.DOTALL)
    page = re.sub(r'<h1 id="title">.*?</h1>', '<span id="title" hidden></span>', page, count=1, flags=re.DOTALL)
    opened = f'<body>{section}<details class="all-checks"><summary>All checks, as pytest tells them</summary>'
    return page.replace("<body>", opened, 1).replace("<footer>", "</details><footer>", 1)
