"""Outcomes in, results out: what every report says, as data. `results.schema.json` is generated from these types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import asdict

from playbook import __version__
from playbook.alert import Description, Role
from playbook.evidence import Evidence, Milliseconds, Spent, Text
from playbook.outcome import HOLDS, CheckOutcome, Measured, Moment, State, Suppression
from playbook.probe import ProbeSummary
from reports.past import ContainerState, Past

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_VERSION: Literal[2] = 2
NOTHING_JUDGED = 5  # as pytest's own exit status for "no tests collected"
FIRING, UNKNOWN = 1, 6
FLAPPING = 5  # changes of state within the remembered runs
Verdict = Literal["ok", "firing", "unknown"]
Name = Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]  # of a cause, and of the section of its runbook
NotNegative = Annotated[float, Meta(ge=0)]

_EXPLAINS = (*HOLDS, "unknown")  # states in which an alert explains others
_WORST_FIRST: dict[State, int] = {
    "firing": 0, "unknown": 1, "silenced": 2, "pending": 3, "noted": 4, "ok": 5, "skipped": 6,
}  # fmt: skip


class CheckResult(Struct, frozen=True, forbid_unknown_fields=True):
    """One check of an alert; `steps` are the playbook's numbered steps that it covers."""

    id: Text
    role: Role
    steps: list[Annotated[int, Meta(ge=1)]]
    outcome: State
    cause: Name | None
    claim: str
    message: str
    duration_ms: Milliseconds
    evidence: list[Evidence]


class Cause(Struct, frozen=True, forbid_unknown_fields=True):
    """A probable cause, the section of the runbook about it, and the values of that section's placeholders."""

    name: Name
    runbook_anchor: Name
    message: Text
    values: dict[str, str]


class Finding(Struct, frozen=True):
    """The causes that diagnostics found, or could not judge, all with the same message."""

    outcome: State
    causes: list[str]
    message: str

    def __str__(self) -> str:
        return f"{', '.join(self.causes)}: {self.message}"


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run found of an alert: when (UTC), its state, and the value beside its limit, as plain numbers."""

    at: Moment
    state: State
    value: float | None
    limit: float | None


class Recovered(Struct, frozen=True, forbid_unknown_fields=True):
    """When an alert's condition ceased to hold (UTC), and how long it had held."""

    at: Moment
    lasted_seconds: NotNegative


class Changes(Struct, frozen=True, forbid_unknown_fields=True):
    """What changed in the containers since the last run that found everything ok (UTC), one sentence each."""

    since: Moment
    sentences: Annotated[list[str], Meta(min_length=1)]


class AlertResult(Description, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One alert, judged: its description, and what the run found.

    `caused_by` names the alert or the resource that explains this one. `recent` is what the last runs found, this one
    last; `changes_of_state` counts how often the condition began or ceased to hold in them. `judged` is false where
    the run was stopped before.
    """

    state: State
    since: Moment | None
    measured: Measured | None
    limit: Measured | None
    message: str
    caused_by: Text | None
    causes: list[Cause]
    respond_by: Moment | None
    escalate_at: Moment | None
    checks: Annotated[list[CheckResult], Meta(min_length=1)]
    judged: bool = True
    suppressed: Suppression | None = None
    recent: Annotated[list[Point], Meta(min_length=1)] = field(default_factory=list)
    changes_of_state: Annotated[int, Meta(ge=0)] = 0
    recovered: Recovered | None = None

    @property
    def follows(self) -> bool:
        """It is not ok, and another alert or a resource explains that."""
        return self.caused_by is not None and self.shown_state in ("firing", "unknown", "noted")

    @property
    def flaps(self) -> bool:
        """It comes and goes: its state may be different in a moment."""
        return self.changes_of_state >= FLAPPING

    @property
    def findings(self) -> list[Finding]:
        """What diagnostics noted or could not judge, without what the alert itself says."""
        found: dict[tuple[State, str], Finding] = {}
        for check in self.checks:
            if check.role == "diagnostic" and check.outcome in ("noted", "unknown") and check.message != self.message:
                same = found.setdefault((check.outcome, check.message), Finding(check.outcome, [], check.message))
                same.causes.append(check.cause or check.id)
        return list(found.values())

    @property
    def shown_state(self) -> State:
        """The state that people see: `noted` or `unknown` where the alert is ok and a diagnostic is so."""
        if self.state not in ("ok", "skipped"):
            return self.state
        states = {check.outcome for check in self.checks}
        return "unknown" if "unknown" in states else "noted" if "noted" in states else self.state


class Selection(Struct, frozen=True, forbid_unknown_fields=True):
    """What the run was asked for; a partial one leaves out what `markers` select."""

    markers: str
    keywords: str
    arguments: list[str]
    partial: bool

    @property
    def text(self) -> str:
        """What was asked for, in short; empty for everything."""
        return self.markers or self.keywords or " ".join(self.arguments) or ("a part" if self.partial else "")


class Results(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run: what results.json contains. Times are in UTC, durations in seconds.

    `version` is that of the suite. `complete` is false where the run was stopped before all that was selected was
    judged. `exit_status`: 0 nothing fires, 1 something fires, 2 interrupted, 3 pytest itself failed, 5 nothing was
    judged, 6 something is unknown. The alert to act on first comes first. `compose_command` is how the stack's compose
    project is addressed, empty where that is not known.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    version: Text = __version__
    target: Text
    timezone: Text
    started_at: Moment
    finished_at: Moment
    duration_seconds: NotNegative
    complete: bool
    verdict: Verdict
    exit_status: Literal[0, 1, 2, 3, 5, 6]
    selection: Selection
    alerts: list[AlertResult]
    probes: list[ProbeSummary] = field(default_factory=list)
    cost: dict[str, Spent] = field(default_factory=dict)
    containers: list[ContainerState] = field(default_factory=list)
    changes: Changes | None = None
    compose_command: str = ""

    @property
    def judged_something(self) -> bool:
        """Some alert was neither skipped nor left out."""
        return any(alert.judged and alert.state != "skipped" for alert in self.alerts)

    @property
    def worst(self) -> AlertResult | None:
        """The alert to look at first."""
        return self.alerts[0] if self.alerts else None

    def by_root(self) -> list[tuple[AlertResult, list[AlertResult]]]:
        """Return each root alert with all that follow from it, however far: every alert is there once.

        Of alerts that explain each other in a circle, the one to look at first stands for them.
        """
        speak = {alert.name for alert in self.alerts if alert.shown_state not in ("ok", "skipped")}
        explains: dict[str | None, list[AlertResult]] = {}
        for alert in self.alerts:
            follows = alert.follows and alert.caused_by in speak
            explains.setdefault(alert.caused_by if follows else None, []).append(alert)
        placed: set[str] = set()

        def beneath(root: AlertResult) -> Iterator[AlertResult]:
            placed.add(root.name)
            for alert in explains.get(root.name, ()):
                if alert.name not in placed:
                    yield alert
                    yield from beneath(alert)

        families = {root.name: list(beneath(root)) for root in explains.get(None, ())}
        families |= {alert.name: list(beneath(alert)) for alert in self.alerts if alert.name not in placed}
        return [(alert, families[alert.name]) for alert in self.alerts if alert.name in families]


def states_that_count(outcomes: list[CheckOutcome]) -> list[State]:
    """Return the states that decide how a run ends.

    What is unknown because a resource is unavailable follows from the alert about it; where that one is pending or
    silenced, what follows does not page either. The report shows both.
    """
    suppressed = [o for o in outcomes if o.role == "trigger" and o.state in ("pending", "silenced")]
    held_back = {resource for outcome in suppressed for resource in outcome.alert.explains}
    return [o.state for o in outcomes if not (o.state == "unknown" and o.resource and o.resource in held_back)]


def exit_status(states: list[State]) -> int:
    """Return the exit status of a finished run: 1 something fires, 6 something is unknown, 5 nothing was judged."""
    if "firing" in states:
        return FIRING
    if "unknown" in states:
        return UNKNOWN
    return 0 if any(state != "skipped" for state in states) else NOTHING_JUDGED


def verdict(status: int) -> Verdict:
    """Return the verdict that goes with an exit status: whatever is neither fine nor firing could not be told."""
    return "ok" if status == 0 else "firing" if status == FIRING else "unknown"


def stamp(moment: datetime) -> str:
    """Write a moment as UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def alerts_of(outcomes: list[CheckOutcome], now: datetime, past: Past) -> list[AlertResult]:
    """Return the alerts of these outcomes, what must be acted on first, each with what explains it."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.alert.name)
    grouped = [(name, list(checks)) for name, checks in groupby(ordered, lambda outcome: outcome.alert.name)]
    states = {name: _trigger(checks).state for name, checks in grouped}
    # By the resource that an alert is about, and by the reason why its trigger is unknown: others may share it.
    explainers = {
        _trigger(checks).message: name for name, checks in grouped if states[name] == "unknown"
    } | {
        resource: name
        for name, checks in grouped if states[name] in _EXPLAINS
        for resource in checks[0].alert.explains
    }  # fmt: skip
    alerts = [_alert(name, checks, states, explainers, now, past) for name, checks in grouped]
    return sorted(alerts, key=lambda a: (_WORST_FIRST[a.shown_state], a.caused_by is not None, a.severity, a.name))


def _trigger(checks: list[CheckOutcome]) -> CheckOutcome:
    """Return the trigger's outcome; an interrupted run may have none."""
    found = next((check for check in checks if check.role == "trigger"), None)
    if found:
        return found
    return CheckOutcome("", checks[0].alert, "trigger", [], "unknown", "", "the trigger was not judged", judged=False)


def _alert(
    name: str,
    checks: list[CheckOutcome],
    states: dict[str, State],
    explainers: dict[str, str],
    now: datetime,
    past: Past,
) -> AlertResult:
    trigger = _trigger(checks)
    about = trigger.alert
    failing = [check for check in checks if check.cause and check.state in HOLDS]
    holds = trigger.state not in ("ok", "skipped")
    since = past.since(name, trigger.state, timedelta(seconds=about.for_seconds), now)
    recovery = past.recovery(name, trigger.state, now)
    points = [Point(stamp(r.at), r.state, r.value, r.limit) for r in reversed(past.recent(name, now))]
    here = Point(
        stamp(now), trigger.state, trigger.measured.value if trigger.measured else None,
        trigger.limit.value if trigger.limit else None,
    )  # fmt: skip
    return AlertResult(
        **asdict(about),
        state=trigger.state,
        since=stamp(since) if holds else None,
        measured=trigger.measured,
        limit=trigger.limit,
        message=trigger.message,
        caused_by=_caused_by(name, checks, failing, states, explainers),
        causes=_causes(failing),
        respond_by=stamp(since + timedelta(seconds=about.respond_within)) if holds else None,
        escalate_at=stamp(since + timedelta(seconds=about.escalate_after)) if holds else None,
        checks=[
            CheckResult(c.id, c.role, c.steps, c.state, c.cause, c.claim, c.message, c.duration_ms, c.evidence)
            for c in checks
        ],
        judged=trigger.judged,
        suppressed=trigger.suppressed,
        recent=[*points, here],
        changes_of_state=past.changes_of_state(name, trigger.state),
        recovered=Recovered(stamp(recovery.at), recovery.lasted_seconds) if recovery else None,
    )


def _caused_by(
    name: str,
    checks: list[CheckOutcome],
    failing: list[CheckOutcome],
    states: dict[str, State],
    explainers: dict[str, str],
) -> str | None:
    """Return the alert or the resource that explains this alert's state; None where it stands by itself."""
    trigger = _trigger(checks)
    if trigger.state == "firing" and failing:
        explained_by = failing[0].explained_by
        return explained_by if explained_by and states.get(explained_by) == "firing" else None
    if trigger.state == "unknown" and trigger.resource:
        explainer = explainers.get(trigger.resource, trigger.resource)
        return explainer if explainer != name else None
    if trigger.state != "ok":
        return None
    # It does not fire, but some diagnostics could not run; where all for one reason, that explains it.
    unknown = [check for check in checks if check.state == "unknown"]
    reasons = {explainers.get(check.resource or "") or explainers.get(check.message) for check in unknown}
    if len(reasons) == 1 and name not in reasons:
        return next(iter(reasons))
    noted = next((check for check in checks if check.state == "noted"), None)
    explained = noted and not reasons and states.get(noted.explained_by or "") == "firing"
    return noted.explained_by if noted and explained else None


def _causes(failing: list[CheckOutcome]) -> list[Cause]:
    """Return each cause once, in the module's order."""
    causes: dict[str, Cause] = {}
    for check in failing:
        if check.cause:
            causes.setdefault(check.cause, Cause(check.cause, check.cause, check.message, check.values))
    return list(causes.values())
