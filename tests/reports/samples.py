"""Sample results: runs and alerts as a health run would find them, and a project whose checks are known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict, replace

from playbook.alert import Description, Severity
from playbook.outcome import Measured
from reports.results import AlertResult, CheckResult, Results, Selection, Verdict, stamp

if TYPE_CHECKING:
    from playbook.outcome import State

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
FOLDER = "2026-03-04T12-00-00Z"  # of a run that began then
EVERYTHING = Selection("", "", [], partial=False)


def description(name: str, severity: Severity = 0, explains: tuple[str, ...] = ()) -> Description:
    """Return what is said of an alert: respond within 5 min, escalate after 15."""
    return Description(
        name=name, severity=severity, trigger="it is bad", impact="harm", runbook=f"runbooks/{name}.md",
        respond_within=300, escalate_after=900, explains=explains,
    )  # fmt: skip


def alert(state: State, name: str = "AnAlert", started: datetime = NOON, **more: Any) -> AlertResult:
    """Return an alert of severity 1 in this state, judged by its trigger alone."""
    at = None if state in ("ok", "skipped") else stamp(started)
    found = AlertResult(
        **asdict(description(name, severity=1)), state=state, since=at, measured=Measured("3 s", 3.0),
        limit=Measured("2 s", 2.0), message="" if state == "ok" else "why", caused_by=None, causes=[], respond_by=at,
        escalate_at=at, checks=[CheckResult(f"{name}::it", "trigger", [1], state, None, "It is so.", "", 1.0, [])],
    )  # fmt: skip
    return replace(found, **more)


def run_of(started: datetime, states: dict[str, State], **more: Any) -> Results:
    """Return the results of a run that found these alerts in these states."""
    verdict: Verdict = "firing" if "firing" in states.values() else "ok"
    results = Results(
        target="mine", timezone="UTC", started_at=stamp(started), finished_at=stamp(started), duration_seconds=0.5,
        complete=True, verdict=verdict, exit_status=1 if verdict == "firing" else 0, selection=EVERYTHING,
        alerts=[alert(state, name, started) for name, state in states.items()],
    )  # fmt: skip
    return replace(results, **more)
