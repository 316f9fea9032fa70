"""What came of each check: pytest's outcome read as the state of an alert, and told in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import pytest
from msgspec import Struct, field
from msgspec.structs import replace

from fixtures.settings import BadSettings
from fixtures.target import TARGET
from playbook.alert import Alert, Check, Role
from playbook.probe import PROBES, Evidence, Unknown, probes_of
from playbook.quantities import magnitude
from playbook.selection import part_of_alert
from playbook.suppression import Muted, muted

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import SimpleNamespace


State = Literal["ok", "firing", "unknown", "pending", "silenced", "noted", "skipped"]
TRIGGER_STATE = pytest.StashKey[State]()
RUNBOOKS = Path(__file__).parent.parent / "runbooks"  # each is named like its alert, selected or not
NOT_NEEDED = "looked at only when the alert fires"


class Measured(Struct, frozen=True):
    """A quantity as people read it, and as a plain number: seconds, a share of 1, a count."""

    text: str
    value: float | None


class AlertRow(Struct, frozen=True):
    """What the report needs to know of an alert, so that it need not import the check's module."""

    name: str
    severity: int
    trigger: str
    impact: str
    runbook: str
    respond_within: float  # seconds
    escalate_after: float  # seconds
    escalate_when: list[str]
    explains: str | None
    lasts: float  # seconds


class CheckOutcome(Struct, frozen=True):
    """One check, judged. `resource` is what was gone, where that is why it is unknown."""

    id: str
    alert: AlertRow
    role: Role
    steps: list[int]
    state: State
    claim: str
    message: str = ""
    cause: str | None = None
    explained_by: str | None = None
    resource: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    measured: Measured | None = None
    limit: Measured | None = None
    muted: Muted | None = None
    judged: bool = True  # False: the run was stopped before
    duration_ms: float = 0.0
    evidence: list[Evidence] = field(default_factory=list)


def judge(role: Role, raised: BaseException | None, trigger_state: State) -> State:
    """Give the state of a check from what it raised and, for a diagnostic, from its trigger's state.

    Only an AssertionError says that something is wrong; any other exception says that it could not be judged.
    """
    if raised is None:
        return "ok"
    if isinstance(raised, pytest.skip.Exception):
        return "skipped"
    if not isinstance(raised, AssertionError):
        return "unknown"
    if role == "trigger":
        return "firing"
    return trigger_state if trigger_state in ("firing", "pending", "silenced") else "noted"


def sentence_of(raised: BaseException) -> str:
    """Give the words of a failure, without the operands that pytest adds beneath an assertion's message."""
    if isinstance(raised, AssertionError):
        message = str(raised).split("\nassert ")[0].strip()
        return message or "the assertion failed without a word"
    if isinstance(raised, Unknown | pytest.skip.Exception):
        return str(raised)
    place = raised.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
    return f"the check itself failed: {type(raised).__name__}: {raised}{where}"


@pytest.fixture
def limits(request: pytest.FixtureRequest) -> SimpleNamespace:
    """The alert's limits as the target has them, by name."""
    alert: Alert = request.module.ALERT
    return request.session.stash[TARGET].limits[alert.name]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop the run where a limit of the settings is wrong, or is that of no alert."""
    target = session.stash.get(TARGET, None)
    if target is None:
        return
    alerts = {part[0].name: part[0] for item in session.items if (part := part_of_alert(item))}
    known = {name.lower(): name for name in (*alerts, *(page.stem for page in RUNBOOKS.glob("*.md")))}
    for table, names in (("limits", target.settings.limits), ("exemptions", target.settings.exemptions)):
        for name in names:
            meant = known.get(name.lower())
            if name != meant:
                hint = f" (one is {meant})" if meant else ""
                raise BadSettings(f"{table}.{name}: there is no alert of that name{hint}")
    for name, alert in alerts.items():
        try:
            target.limits[name] = alert.limits_for(target.settings.limits.get(name, {}))
        except KeyError as error:
            raise BadSettings(str(error.args[0])) from None
        except ValueError as error:
            raise BadSettings(f"limits.{name}: {error}") from None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Spare the costly probes of the second wave while the alert does not fire."""
    part = part_of_alert(item)
    if (
        part
        and part[1].role == "diagnostic"
        and _trigger_state(item) in ("ok", "skipped")
        and any(p.second_wave for p in probes_of(item))
    ):
        pytest.skip(NOT_NEEDED)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn pytest's report of a check into its outcome, and make pytest tell it the same way."""
    report = yield
    part = part_of_alert(item)
    raised = call.excinfo.value if call.excinfo else None
    undecided = raised is None and report.when != "call"
    if part:
        report.sections = []  # what was printed is not masked
    if part is None or undecided or isinstance(raised, KeyboardInterrupt | pytest.exit.Exception):
        return report
    alert, check = part
    state = judge(check.role, raised, _trigger_state(item))
    outcome = _outcome(item, alert, check, state, raised, report)
    if check.role == "trigger" and state == "firing":
        outcome = _muted(item, alert, outcome)
        state = outcome.state
    if check.role == "trigger":
        _remember(item, state)
    _tell(item, report, outcome)
    return report


def _muted(item: pytest.Item, alert: Alert, outcome: CheckOutcome) -> CheckOutcome:
    """Give what becomes of an alert whose condition holds, where something keeps it from firing."""
    try:
        why = muted(item.session, alert)
    except Unknown as error:  # it fires: nothing is known that would keep it from it
        return replace(outcome, message=f"{outcome.message} ({error})")
    return replace(outcome, state=why.state, muted=why) if why else outcome


def _trigger_state(item: pytest.Item) -> State:
    module = item.getparent(pytest.Module)
    return module.stash.get(TRIGGER_STATE, "unknown") if module else "unknown"


def _remember(item: pytest.Item, state: State) -> None:
    """Keep the trigger's state for the diagnostics, and start the second wave where it does not say ok."""
    module = item.getparent(pytest.Module)
    assert module is not None
    module.stash[TRIGGER_STATE] = state
    if state in ("ok", "skipped"):
        return
    mine = [other for other in item.session.items if other.getparent(pytest.Module) is module]
    wanted = {probe.name: probe for other in mine for probe in probes_of(other) if probe.second_wave}
    item.session.stash[PROBES].start(wanted.values())


def _outcome(
    item: pytest.Item,
    alert: Alert,
    check: Check,
    state: State,
    raised: BaseException | None,
    report: pytest.TestReport,
) -> CheckOutcome:
    assert isinstance(item, pytest.Function)
    probes = item.session.stash[PROBES]
    mask = item.session.stash[TARGET].mask
    measured, limit = _measured(item, alert, check)
    return CheckOutcome(
        id=item.nodeid,
        alert=AlertRow(
            alert.name, alert.severity, alert.trigger, alert.impact, alert.runbook,
            alert.respond_within.total_seconds(), alert.escalate_after.total_seconds(), list(alert.escalate_when),
            alert.explains, alert.lasts.total_seconds(),
        ),
        role=check.role,
        steps=list(check.steps),
        state=state,
        claim=(item.function.__doc__ or "").strip(),
        message=mask(sentence_of(raised)) if raised else "",
        cause=check.cause,
        explained_by=check.explained_by,
        resource=raised.resource if isinstance(raised, Unknown) else None,
        values=_values(item, check) if raised else {},
        measured=measured,
        limit=limit,
        duration_ms=round(report.duration * 1000, 1),
        evidence=[page for probe in probes_of(item) for page in probes.evidence(probe.name)],
    )  # fmt: skip


def _measured(item: pytest.Function, alert: Alert, check: Check) -> tuple[Measured | None, Measured | None]:
    """Read the quantity that a trigger measures from the facts it was given."""
    limit = None
    if check.against:
        bound = getattr(item.session.stash[TARGET].limits[alert.name], check.against)
        limit = Measured(str(bound), magnitude(bound))
    if not check.measures:
        return None, limit
    value = _told(item, check.measures)
    mask = item.session.stash[TARGET].mask  # who measured it, and why not another, may be told with an address
    return (None if value is None else Measured(mask(str(value)), magnitude(value))), limit


def _values(item: pytest.Function, check: Check) -> dict[str, str]:
    """Read what the runbook's commands name in angle brackets from the facts that the check was given."""
    mask = item.session.stash[TARGET].mask
    told = {name: _told(item, path) for name, path in check.fills.items()}
    return {name: mask(str(value)) for name, value in told.items() if value is not None}


def _told(item: pytest.Function, path: str) -> object:
    """Give what a fact says at `fact.attribute…`; None where it does not."""
    name, _, rest = path.partition(".")
    value = item.funcargs.get(name)
    try:
        for attribute in rest.split("."):
            value = getattr(value, attribute, None)
    except Unknown:
        value = None
    return value


def _tell(item: pytest.Item, report: pytest.TestReport, outcome: CheckOutcome) -> None:
    """Give pytest the same state in its own terms, a sentence instead of a traceback, and what the report needs."""
    if outcome.state == "unknown":
        report.when = "setup"  # what fails before the call is an error to pytest, JUnit and HTML alike
        report.outcome = "failed"
    elif outcome.state in ("noted", "pending", "silenced"):
        report.outcome = "skipped"
        report.wasxfail = f"{outcome.state}: {outcome.message}"
    if outcome.state not in ("ok", "skipped"):
        report.longrepr = outcome.message
    item.user_properties += [  # JUnit takes them from the report of the teardown, which is still to come
        (name, str(value))
        for name, value in (
            ("alert", outcome.alert.name), ("severity", outcome.alert.severity), ("role", outcome.role),
            ("state", outcome.state), ("cause", outcome.cause), ("runbook", outcome.alert.runbook),
        )
        if value is not None
    ]  # fmt: skip
    vars(report)["check"] = msgspec.to_builtins(outcome)  # an attribute of plain values survives xdist
