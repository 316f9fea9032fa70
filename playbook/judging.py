"""The judging of a run: pytest's outcome of each check becomes the state of an alert, with one sentence."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from playbook.catalogue import catalogue_of
from playbook.contract import problems_of_strings
from playbook.evidence import Unknown
from playbook.outcome import CheckOutcome, Measured, State, internal_error, judge, sentence_of
from playbook.probe import PROBES, probes_of
from playbook.quantities import magnitude
from playbook.selection import judges, only_prints, part_of_alert, problems_of_item
from playbook.suppression import suppression_of
from playbook.target import TARGET, BadSettings
from playbook.text import brief

if TYPE_CHECKING:
    from collections.abc import Generator

    from playbook.alert import Alert, Check, Description
    from playbook.limits import AlertLimits

TRIGGER_STATE = pytest.StashKey[State]()
IN_FORCE = pytest.StashKey[dict[str, tuple["AlertLimits", "Description"]]]()  # limits and sentences, by alert
BROKEN = pytest.StashKey[bool]()  # the check names what does not exist
LONGEST_MESSAGE = 2000  # characters: cut here, after masking, and nowhere before
NOT_NEEDED = "looked at only when the alert fires"


@pytest.fixture
def limits(request: pytest.FixtureRequest) -> AlertLimits:
    """The alert's limits as the target has them."""
    alert: Alert = request.module.ALERT
    return request.session.stash[IN_FORCE][alert.name][0]


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to judge where assertions do nothing: every check would be ok."""
    if judges(config) and not __debug__:
        raise BadSettings("Python ignores assertions, which is what checks are: unset PYTHONOPTIMIZE, omit -O")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop the run where a limit of the settings is wrong, or belongs to no alert."""
    target = session.stash.get(TARGET, None)
    if target is None:
        if not only_prints(session.config) and any(map(part_of_alert, session.items)):
            raise BadSettings("pytest runs checks, but not as this project has it: omit -c, --rootdir and -o testpaths")
        return
    alerts = {part[0].name: part[0] for item in session.items if (part := part_of_alert(item))}
    catalogue = catalogue_of(session.config)
    for table, names in (("limits", target.limits), ("exemptions", target.exemptions)):
        for name in names:
            if name not in alerts and (wrong := catalogue.why_unknown(name)):
                raise BadSettings(f"{table}.{name}: {wrong}")
    in_force = session.stash[IN_FORCE] = {}
    for name, alert in alerts.items():
        try:
            limits = alert.limits.overridden(target.limits.get(name, {}))
        except ValueError as error:
            raise BadSettings(f"limits.{name}.{error}") from None
        in_force[name] = limits, alert.describe(limits)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Let an error of the suite itself, or of a plugin, cost one check its outcome, and no other check."""
    try:
        return (yield)
    except pytest.exit.Exception:
        raise
    except Exception as error:
        if part_of_alert(item) is None:
            raise
        with suppress(Exception):
            getattr(item.session, "_setupstate").teardown_exact(nextitem)  # noqa: B009  or the next check fails, too
        words = item.session.stash[TARGET].mask(internal_error(error))
        item.ihook.pytest_runtest_logreport(
            report=pytest.TestReport(item.nodeid, item.location, {}, "failed", words, "setup", internal_error=words)
        )
        return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a check that names what does not exist; spare costly probes while the alert does not fire."""
    part = part_of_alert(item)
    if part is None:
        return
    if problems := problems_of_item(item, problems_of_strings):
        item.stash[BROKEN] = True
        raise Unknown("; ".join(problems))
    spared = part[1].role == "diagnostic" and _trigger_state(item) in ("ok", "skipped")
    if spared and any(probe.second_wave for probe in probes_of(item)):
        pytest.skip(NOT_NEEDED)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn pytest's report of a check into its outcome, and make pytest report the same state."""
    report = yield
    part = part_of_alert(item)
    raised = call.excinfo.value if call.excinfo else None
    undecided = raised is None and report.when != "call"
    if part:
        report.sections = []  # what was printed is not masked
    if part is None or undecided or isinstance(raised, KeyboardInterrupt | pytest.exit.Exception):
        return report
    alert, check = part
    if isinstance(raised, AttributeError) and (problems := problems_of_item(item)):
        raised = Unknown("; ".join(problems))
    state = judge(check.role, raised, _trigger_state(item), alert.explains)
    outcome = _outcome(item, alert, check, state, raised, report)
    if check.role == "trigger":
        if state == "firing":
            outcome = _suppressed(item, alert, outcome)
        _keep(item, outcome.state)
    _report(item, report, outcome)
    return report


def _suppressed(item: pytest.Item, alert: Alert, outcome: CheckOutcome) -> CheckOutcome:
    """Return the outcome of an alert whose condition holds, where something may keep it from firing."""
    try:
        why = suppression_of(item.session, alert)
    except Unknown as error:  # it fires: nothing is known that would keep it from firing
        return replace(outcome, message=f"{outcome.message} ({error})")
    return replace(outcome, state=why.state, suppressed=why) if why else outcome


def _trigger_state(item: pytest.Item) -> State:
    module = item.getparent(pytest.Module)
    return module.stash.get(TRIGGER_STATE, "unknown") if module else "unknown"


def _keep(item: pytest.Item, state: State) -> None:
    """Keep the trigger's state for the diagnostics, and start the second wave unless it is ok."""
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
    limits, description = item.session.stash[IN_FORCE][alert.name]
    message = brief(mask, sentence_of(raised), LONGEST_MESSAGE) if raised else ""
    if state == "skipped" and isinstance(raised, Unknown):
        message = f"not looked at: {message}"
    bound = getattr(limits, check.against, None) if check.against else None
    whole = BROKEN not in item.stash
    values = {name: _value(item, path) for name, path in check.fills.items()} if raised and whole else {}
    value = _value(item, check.measures) if check.measures and whole else None
    return CheckOutcome(
        id=item.nodeid,
        alert=description,
        role=check.role,
        steps=list(check.steps),
        state=state,
        claim=(item.function.__doc__ or "").strip(),
        message=message,
        cause=check.cause,
        explained_by=check.explained_by,
        resource=raised.resource if isinstance(raised, Unknown) else None,
        values={name: brief(mask, str(found), LONGEST_MESSAGE) for name, found in values.items() if found is not None},
        measured=None if value is None else Measured(brief(mask, str(value), LONGEST_MESSAGE), magnitude(value)),
        limit=None if bound is None else Measured(str(bound), magnitude(bound)),
        duration_ms=round(report.duration * 1000, 1),
        evidence=[page for probe in probes_of(item) for page in probes.evidence(probe.name)],
    )


def _value(item: pytest.Function, path: str) -> object:
    """Return the value at `fact.attribute…` of the facts that a check was given; None where there is none."""
    name, _, rest = path.partition(".")
    value = item.funcargs.get(name)
    try:
        for attribute in rest.split("."):
            value = getattr(value, attribute) if value is not None else None
    except Unknown:
        return None
    return value


def _report(item: pytest.Item, report: pytest.TestReport, outcome: CheckOutcome) -> None:
    """Return pytest the same state in its own terms, a sentence instead of a traceback, and what the report needs."""
    if outcome.state == "unknown":
        report.when = "setup"  # what fails before the call is an error to pytest, JUnit and HTML alike
        report.outcome = "failed"
    elif outcome.state == "skipped":
        report.outcome = "skipped"
        path, line, _ = item.location
        report.longrepr = (path, line or 0, f"Skipped: {outcome.message}")
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
