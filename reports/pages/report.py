"""report.html: one self-contained file, from a template."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from playbook.quantities import Span
from reports import runbooks, summary
from reports.pages import rendering

if TYPE_CHECKING:
    from reports.results import AlertResult, Point, Results

WIDTH, HEIGHT, MARGIN = 180, 36, 3  # of a picture, in pixels


class Picture(Struct, frozen=True):
    """What was measured over the last runs, as coordinates in pixels; `text` says the same."""

    line: str  # x,y pairs
    limit: float | None  # the height of the limit
    failing: list[tuple[float, float]]  # where the alert's condition held
    text: str


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
    text = f"the last {len(points)} runs: between {min(values):g} and {max(values):g}"
    return Picture(
        " ".join(f"{x},{y}" for x, y in spots), None if limit is None else down(limit), failing,
        text if limit is None else f"{text}, limit {limit:g}",
    )  # fmt: skip


def render(results: Results, *, has_checks_page: bool = False) -> str:
    """Return the whole document; with `has_checks_page` it links to pytest-html's own page beside it."""
    return str(rendering.environment(results.timezone).get_template("report.html.j2").render(
        results=results,
        has_checks_page=has_checks_page,
        style=rendering.style(),
        policy=rendering.POLICY,
        groups=_groups(results),
        picture=lambda alert: picture(alert.recent),
        runbook_of=lambda alert: runbooks.of_alert(alert.name),
        duration=lambda alert: _duration(results, alert),
        filled=lambda text, cause: runbooks.filled(text, cause.values if cause else {}, results.compose_command),
        summary=summary.of(results),
        script=rendering.file("report.js"),
    ))  # fmt: skip


def _groups(results: Results) -> list[tuple[str, list[tuple[AlertResult, list[AlertResult]]]]]:
    """Return the root alerts by their shown state, each with its consequences."""
    return [(state, list(group)) for state, group in groupby(results.by_root(), lambda family: family[0].shown_state)]


def _duration(results: Results, alert: AlertResult) -> Span | None:
    """Return how long an alert has been in its state, where it has been for longer than this run."""
    if alert.since is None:
        return None
    duration: timedelta = datetime.fromisoformat(results.started_at) - datetime.fromisoformat(alert.since)
    return Span(duration.total_seconds()) if duration else None
