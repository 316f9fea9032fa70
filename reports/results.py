"""Outcomes in, results out: what every report says, as data. The contract is results.schema.json beside this file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from playbook.alert import AlertRow
from playbook.evidence import Evidence
from playbook.outcome import CheckOutcome, Measured, Muted, State
from reports.past import ContainerState, Past

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_VERSION = 1
NOTHING_JUDGED = 5  # as pytest's own status for "no tests collected"
FIRING, UNKNOWN = 1, 6
FLAPPING = 5  # changes of state within the runs that are remembered
Verdict = Literal["ok", "firing", "unknown"]

_EXPLAINS = ("firing", "unknown", "pending", "silenced")  # states in which an alert explains others
_WORST_FIRST: dict[State, int] = {
    "firing": 0, "unknown": 1, "silenced": 2, "pending": 3, "noted": 4, "ok": 5, "skipped": 6,
}  # fmt: skip


class CheckResult(Struct, frozen=True):
    """One check of an alert."""

    id: str
    role: str
    step: list[int]
    outcome: State
    cause: str | None
    claim: str
    message: str
    duration_ms: float
    evidence: list[Evidence]


class Cause(Struct, frozen=True):
    """A probable cause, most likely first, and where its runbook deals with it."""

    name: str
    runbook_anchor: str
    message: str
    values: dict[str, str]  # what the runbook's commands name in angle brackets


class Finding(Struct, frozen=True):
    """What diagnostics of these causes found, or could not tell, all in the same words."""

    outcome: State
    causes: list[str]
    message: str

    def __str__(self) -> str:
        return f"{', '.join(self.causes)}: {self.message}"


class Point(Struct, frozen=True):
    """What a run found of an alert: when (UTC), its state, and the value beside its limit, as plain numbers."""

    at: str
    state: State
    value: float | None
    limit: float | None


class Recovered(Struct, frozen=True):
    """When an alert ceased to hold (UTC), and how long it had held."""

    at: str
    lasted_seconds: float


class Changes(Struct, frozen=True):
    """What became of the containers since the last run that found everything well (UTC)."""

    since: str
    words: list[str]


class AlertResult(Struct, frozen=True):
    """One alert, judged. `caused_by` names the resource or the alert that explains this one.

    `recent` is what the last runs found, this one last; `changes_of_state` says how often it began or ceased to hold
    in them.
    """

    name: str
    severity: int
    state: State
    since: str | None
    measured: Measured | None
    limit: Measured | None
    message: str
    caused_by: str | None
    causes: list[Cause]
    runbook: str
    respond_by: str | None
    escalate_at: str | None
    trigger: str
    impact: str
    escalate_when: list[str]
    checks: list[CheckResult]
    judged: bool = True  # False: the run was stopped before
    muted: Muted | None = None
    recent: list[Point] = field(default_factory=list)
    changes_of_state: int = 0
    recovered: Recovered | None = None

    @property
    def follows(self) -> bool:
        """It is not well, and another alert or a resource explains that."""
        return self.caused_by is not None and self.shown_state in ("firing", "unknown", "noted")

    @property
    def flaps(self) -> bool:
        """It comes and goes: what is told of it now may be different in a moment."""
        return self.changes_of_state >= FLAPPING

    @property
    def findings(self) -> list[Finding]:
        """What diagnostics found while the alert does not fire, or could not tell; not what the alert says itself."""
        found: dict[tuple[State, str], Finding] = {}
        for check in self.checks:
            if check.role == "diagnostic" and check.outcome in ("noted", "unknown") and check.message != self.message:
                same = found.setdefault((check.outcome, check.message), Finding(check.outcome, [], check.message))
                same.causes.append(check.cause or check.id)
        return list(found.values())

    @property
    def shown_state(self) -> State:
        """The state for people: an alert that is ok or skipped, with something noted or not told, says so."""
        if self.state not in ("ok", "skipped"):
            return self.state
        states = {check.outcome for check in self.checks}
        return "unknown" if "unknown" in states else "noted" if "noted" in states else self.state


class Selection(Struct, frozen=True):
    """What the run was asked for; a partial one speaks for a part of some alerts only."""

    markers: str
    keywords: str
    arguments: list[str]
    partial: bool

    @property
    def words(self) -> str:
        """What was asked for, in short; empty for everything."""
        return self.markers or self.keywords or " ".join(self.arguments) or ("what failed" if self.partial else "")


class Results(Struct, frozen=True):
    """One run, whole: what results.json holds."""

    schema_version: int
    target: str
    timezone: str
    started_at: str
    finished_at: str
    duration_seconds: float
    complete: bool
    verdict: Verdict
    exit_status: int
    selection: Selection
    alerts: list[AlertResult]
    probes: list[dict[str, Any]] = field(default_factory=list)
    cost: dict[str, dict[str, float]] = field(default_factory=dict)
    containers: list[ContainerState] = field(default_factory=list)
    changes: Changes | None = None
    compose_command: str = ""  # how the stack's own compose project is spoken to, where that is known

    @property
    def judged_something(self) -> bool:
        """Some alert was neither skipped nor left out."""
        return any(alert.judged and alert.state != "skipped" for alert in self.alerts)

    @property
    def worst(self) -> AlertResult | None:
        """The alert to look at first."""
        return self.alerts[0] if self.alerts else None

    def by_root(self) -> list[tuple[AlertResult, list[AlertResult]]]:
        """Give each alert that stands by itself, with all that follow from it, however far: every alert is there once.

        Of alerts that explain each other in a circle, the one to look at first stands for them.
        """
        speak = {alert.name for alert in self.alerts if alert.shown_state not in ("ok", "skipped")}
        explains: dict[str | None, list[AlertResult]] = {}
        for alert in self.alerts:
            follows = alert.follows and alert.caused_by in speak
            explains.setdefault(alert.caused_by if follows else None, []).append(alert)
        told: set[str] = set()

        def beneath(root: AlertResult) -> Iterator[AlertResult]:
            told.add(root.name)
            for alert in explains.get(root.name, ()):
                if alert.name not in told:
                    yield alert
                    yield from beneath(alert)

        families = {root.name: list(beneath(root)) for root in explains.get(None, ())}
        families |= {alert.name: list(beneath(alert)) for alert in self.alerts if alert.name not in told}
        return [(alert, families[alert.name]) for alert in self.alerts if alert.name in families]


def states_that_count(outcomes: list[CheckOutcome]) -> list[State]:
    """Give the states that decide how a run ends.

    What could not be told for want of a resource follows from the alert about it; where that one is pending or
    silenced, nobody is to be woken by what follows either. The report shows both.
    """
    held_back = {o.alert.explains for o in outcomes if o.role == "trigger" and o.state in ("pending", "silenced")}
    return [o.state for o in outcomes if not (o.state == "unknown" and o.resource and o.resource in held_back)]


def exit_status(states: list[State]) -> int:
    """Give the exit status of a finished run: 1 something fires, 6 something is unknown, 5 nothing was judged."""
    if "firing" in states:
        return FIRING
    if "unknown" in states:
        return UNKNOWN
    return 0 if any(state != "skipped" for state in states) else NOTHING_JUDGED


def verdict(status: int) -> Verdict:
    """Give the verdict that goes with an exit status: whatever is neither fine nor firing could not be told."""
    return "ok" if status == 0 else "firing" if status == FIRING else "unknown"


def stamp(moment: datetime) -> str:
    """Write a moment as UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def alerts_of(outcomes: list[CheckOutcome], now: datetime, past: Past) -> list[AlertResult]:
    """Give the alerts of these outcomes, what must be acted on first, each with what explains it."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.alert.name)
    grouped = [(name, list(checks)) for name, checks in groupby(ordered, lambda outcome: outcome.alert.name)]
    states = {name: _trigger(checks).state for name, checks in grouped}
    explainers = {checks[0].alert.explains: name for name, checks in grouped if states[name] in _EXPLAINS}
    alerts = [_alert(name, checks, states, explainers, now, past) for name, checks in grouped]
    return sorted(
        alerts,
        key=lambda alert: (
            _WORST_FIRST[alert.shown_state],
            alert.caused_by is not None,
            alert.severity,
            alert.name,
        ),
    )


def _trigger(checks: list[CheckOutcome]) -> CheckOutcome:
    """Give the trigger's outcome; an interrupted run may have none."""
    found = next((check for check in checks if check.role == "trigger"), None)
    if found:
        return found
    return CheckOutcome("", checks[0].alert, "trigger", [], "unknown", "", "the trigger was not judged", judged=False)


def _alert(
    name: str,
    checks: list[CheckOutcome],
    states: dict[str, State],
    explainers: dict[str | None, str],
    now: datetime,
    past: Past,
) -> AlertResult:
    trigger = _trigger(checks)
    row: AlertRow = trigger.alert
    failing = [check for check in checks if check.cause and check.state in ("firing", "pending", "silenced")]
    caused_by: str | None = None
    if trigger.state == "firing" and failing:
        explained_by = failing[0].explained_by
        caused_by = explained_by if explained_by and states.get(explained_by) == "firing" else None
    elif trigger.state == "unknown" and trigger.resource:
        explainer = explainers.get(trigger.resource, trigger.resource)
        caused_by = explainer if explainer != name else None
    elif trigger.state == "ok":
        # It does not fire, but not every cause could be looked for; where all for one reason, that explains it.
        untold = {explainers.get(check.resource) for check in checks if check.state == "unknown"}
        caused_by = next(iter(untold)) if len(untold) == 1 and name not in untold else None
        noted = next((check for check in checks if check.state == "noted"), None)
        if noted and not untold and states.get(noted.explained_by or "") == "firing":
            caused_by = noted.explained_by
    holds = trigger.state not in ("ok", "skipped")
    since = past.since(name, trigger.state, timedelta(seconds=row.lasts), now)
    recovery = past.recovery(name, trigger.state, now)
    points = [Point(stamp(r.at), r.state, r.value, r.limit) for r in reversed(past.records.get(name, ()))]
    here = Point(
        stamp(now), trigger.state, trigger.measured.value if trigger.measured else None,
        trigger.limit.value if trigger.limit else None,
    )  # fmt: skip
    return AlertResult(
        name=name,
        severity=row.severity,
        state=trigger.state,
        since=stamp(since) if holds else None,
        measured=trigger.measured,
        limit=trigger.limit,
        message=trigger.message,
        caused_by=caused_by,
        causes=_causes(failing),
        runbook=row.runbook,
        respond_by=stamp(since + timedelta(seconds=row.respond_within)) if holds else None,
        escalate_at=stamp(since + timedelta(seconds=row.escalate_after)) if holds else None,
        trigger=row.trigger,
        impact=row.impact,
        escalate_when=row.escalate_when,
        checks=[
            CheckResult(c.id, c.role, c.steps, c.state, c.cause, c.claim, c.message, c.duration_ms, c.evidence)
            for c in checks
        ],
        judged=trigger.judged,
        muted=trigger.muted,
        recent=[*points, here],
        changes_of_state=past.changes_of_state(name, trigger.state),
        recovered=Recovered(stamp(recovery.at), recovery.lasted_seconds) if recovery else None,
    )


def _causes(failing: list[CheckOutcome]) -> list[Cause]:
    """Give each cause once, in the order in which the module tries them."""
    causes: dict[str, Cause] = {}
    for check in failing:
        if check.cause:
            causes.setdefault(check.cause, Cause(check.cause, check.cause, check.message, check.values))
    return list(causes.values())
