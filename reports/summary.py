"""A run in a few lines of plain text, to paste into a chat or a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.results import AlertResult, Cause, Results


def of(results: Results) -> str:
    """Return what fires, against which limit, why, since when, and where it is written what to do."""
    head = f"{results.target}: {results.verdict} at {results.started_at}"
    lines = [head if results.complete else f"{head} (stopped before it was complete)"]
    for alert, followers in results.by_root():
        if alert.shown_state in ("ok", "skipped"):
            continue
        lines += _lines(alert)
        lines += [f"  - {each.shown_state} sev{each.severity} {each.name} {follows(each, alert)}" for each in followers]
    if results.changes:
        lines.append(
            f"changed since the last ok run at {results.changes.since}: {'; '.join(results.changes.sentences)}"
        )
    return "\n".join(lines)


def _lines(alert: AlertResult) -> list[str]:
    lines = [f"* {alert.shown_state} sev{alert.severity} {alert.name}: {alert.message or _noted(alert)}"]
    if alert.state == "firing":
        lines += [f"  cause: {cause(alert, each)}" for each in alert.causes[:2]]
        lines.append(f"  since {alert.since}, respond by {alert.respond_by}, escalate at {alert.escalate_at}")
        lines.append(f"  {runbook(alert)}")
    if alert.suppressed:
        lines.append(f"  {alert.suppressed}")
    return lines


def cause(alert: AlertResult, found: Cause) -> str:
    """Name a probable cause, and say what was seen of it where that is more than the alert itself says."""
    return found.name if found.message == alert.message else f"{found.name}: {found.message}"


def follows(alert: AlertResult, root: AlertResult) -> str:
    """Return what an alert beneath a root follows from."""
    return f"follows from {'it' if alert.caused_by == root.name else alert.caused_by}"


def runbook(alert: AlertResult) -> str:
    """Return the path of an alert's runbook, at the section of its most probable cause, or of what else was found."""
    anchors = [cause.runbook_anchor for cause in alert.causes] or [each.causes[0] for each in alert.findings]
    return f"{alert.runbook}#{anchors[0]}" if anchors else alert.runbook


def _noted(alert: AlertResult) -> str:
    return "; ".join(map(str, alert.findings))
