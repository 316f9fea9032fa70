"""A run in a few lines of plain text, to paste into a chat or a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbook.quantities import counted

if TYPE_CHECKING:
    from reports.results import AlertResult, Cause, Results


def of(results: Results) -> str:
    """Return what fires, why, since when, and which section of which runbook to read."""
    head = f"{results.target} {verdict(results)} at {results.started_at}"
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


def verdict(results: Results) -> str:
    """Return the verdict and how many alerts it is about: `FIRING: 1 of 11 alerts (8 skipped)`."""
    judged = sum(alert.state != "skipped" for alert in results.alerts)
    about = sum(alert.shown_state == results.verdict for alert in results.alerts)
    alerts = counted(judged, "alert")
    skipped = f" ({len(results.alerts) - judged} skipped)" if judged < len(results.alerts) else ""
    return f"{results.verdict.upper()}: {f'{about} of ' if results.verdict != 'ok' else ''}{alerts}{skipped}"


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
    """Return the name of a probable cause, with its message unless the alert has the same."""
    return found.name if found.message == alert.message else f"{found.name}: {found.message}"


def follows(alert: AlertResult, root: AlertResult) -> str:
    """Return what an alert below its root follows from."""
    return f"follows from {'it' if alert.caused_by == root.name else alert.caused_by}"


def runbook(alert: AlertResult) -> str:
    """Return the path of an alert's runbook, at the section of its most probable cause or its first finding."""
    anchors = [cause.runbook_anchor for cause in alert.causes] or [each.causes[0] for each in alert.findings]
    return f"{alert.runbook}#{anchors[0]}" if anchors else alert.runbook


def _noted(alert: AlertResult) -> str:
    return "; ".join(map(str, alert.findings))
