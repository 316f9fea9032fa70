"""The reporting of a health run: gather the outcomes, set the exit status, write the files, print the block."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
import pytest
from _pytest.junitxml import LogXML  # pytest has no public name for it
from _pytest.terminal import TerminalReporter  # nor for this one
from msgspec import Struct
from msgspec.structs import replace
from pytest_html.basereport import BaseReport  # type: ignore[import-untyped]

from fixtures.clients.context import Deadlines
from fixtures.platform.containers import container_of
from fixtures.settings import settings_of
from fixtures.target import target_of
from playbook.alert import Description
from playbook.catalogue import catalogue_of
from playbook.evidence import Spent
from playbook.outcome import CheckOutcome
from playbook.probe import PROBES, ProbeSummary
from playbook.scratch import Scratch, remove_abandoned
from playbook.selection import (
    WHOLE,
    asks_for_all,
    is_health_run,
    is_narrowed,
    judges,
    part_of_alert,
    runs_nothing,
)
from playbook.suppression import FAILING_SINCE
from playbook.target import TARGET, BadSettings
from reports import guard, terminal
from reports.errors import InternalErrors, internal_errors_of, masked_error
from reports.history import Earlier
from reports.output import replace_file
from reports.pages import table
from reports.past import ContainerState, Past
from reports.publishing import Published, publish
from reports.results import (
    FIRING,
    Changes,
    Results,
    Selection,
    alerts_of,
    exit_status,
    stamp,
    states_that_count,
    verdict,
)
from reports.sinks import github

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_WORDS = {
    "firing": ("failed", "F", ("FIRING", {"red": True})),
    "unknown": ("error", "E", ("UNKNOWN", {"red": True})),
    "pending": ("xfailed", "p", ("PENDING", {"yellow": True})),
    "silenced": ("xfailed", "m", ("SILENCED", {"yellow": True})),
    "noted": ("xfailed", "n", ("NOTED", {"yellow": True})),
}


_NEEDED = ("terminal", "junitxml", "html", "metadata")  # plugins of pytest
TELLER = pytest.StashKey[guard.Teller]()
KEEP = 1000  # three days and a half of a run every five minutes


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where a run goes, and who is notified."""
    group = parser.getgroup("ordinaut")
    group.addoption("--output", metavar="DIR", type=_path, help="the folder of the reports (default: reports/output)")
    group.addoption(
        "--keep", metavar="N", type=_at_least_one, default=KEEP,
        help=f"how many runs are kept, in the history and as reports (default: {KEEP})",
    )  # fmt: skip
    group.addoption("--results", metavar="FILE", type=_path, help="write results.json to this file too")
    group.addoption("--metrics", metavar="FILE", type=_path, help="write the run as Prometheus metrics (a textfile)")
    group.addoption("--ping", metavar="URL", help="ask for URL/<exit status> at the end, as healthchecks.io has it")


def _path(text: str) -> Path:
    if not text:
        raise pytest.UsageError("--output, --results, --metrics: the path is empty")
    return Path(text)


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise pytest.UsageError(f"--keep: {text!r} is not a number of runs")
    return int(text)


def output_of(config: pytest.Config) -> Path:
    """Return the folder of the reports."""
    folder: Path = config.option.output or config.rootpath / "reports" / "output"
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set pytest up for a health run: its HTML and JUnit files become parts of ours, its tracebacks our sentences."""
    if not is_health_run(config):
        return
    config.pluginmanager.register(InternalErrors(config), "ordinaut-internal-errors")
    if runs_nothing(config):
        config.pluginmanager.register(_NothingRun(), "ordinaut-nothing-run")
    if not judges(config):
        return
    for name in _NEEDED:
        if config.pluginmanager.is_blocked(name):
            raise BadSettings(f"-p no:{name}: reports are written with that plugin")
    if getattr(config.option, "nagios", False):
        raise BadSettings("--nagios: its exit status is not that of a health check; --results=FILE has the states")
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "no"
    if config.option.reportchars == "fE":
        config.option.reportchars = ""
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(_Worker(), "ordinaut-worker")
        return
    run = HealthRun(config)
    config.option.htmlpath, config.option.xmlpath = run.page, run.junit
    config.option.self_contained_html = True
    config.option.css = [*table.STYLES, *config.option.css]
    config.pluginmanager.register(run, "ordinaut-health-run")
    config.pluginmanager.register(table, "ordinaut-table")
    if github.is_here():
        config.pluginmanager.register(github.Step(lambda: run.results), "ordinaut-github")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int | None, int | None]:
    """Judge in a child process. Never end as if something fired where nothing does: Python's own errors end so."""
    try:
        _leave_to_a_child(config)
        return (yield)
    except pytest.UsageError:
        raise
    except Exception as error:  # noqa: BLE001
        print(masked_error(config, error), file=sys.stderr)
        run = config.pluginmanager.get_plugin("ordinaut-health-run")
        return FIRING if run and run.status == FIRING else pytest.ExitCode.INTERNAL_ERROR


def _leave_to_a_child(config: pytest.Config) -> None:
    """Return in the child, which judges; here, wait for it, report what it knew where it had to be ended, and end."""
    option = config.option
    if not judges(config) or option.usepdb or option.trace or not guard.is_command_line():
        return
    started = datetime.now(UTC)
    judge = guard.split()
    if isinstance(judge, guard.Teller):
        config.stash[TELLER] = judge
        return
    try:
        deadline = settings_of(config).settings.deadlines.run
    except BadSettings:  # the judge says so
        deadline = Deadlines().run
    status, why = judge.wait(deadline)
    if why:
        seconds = guard.RESCUE * judge.slowness
        guard.end_for_certain(status, seconds)
        status = HealthRun(config, started=started).rescue(judge.facts(), status, why, seconds)
    os._exit(status)


def pytest_metadata(metadata: dict[str, Any], config: pytest.Config) -> None:
    """Keep the machine's environment out of the report: CI variables carry tokens."""
    if is_health_run(config):
        metadata.clear()
        metadata["Python"] = sys.version.split()[0]
        metadata["pytest"] = pytest.__version__


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Take out what has no line: CPython interrupts there, too, and pytest fails to show such an entry."""
    excinfo.traceback = excinfo.traceback.filter(_has_line)


def _earlier(session: pytest.Session) -> Earlier | None:
    """Let the judging ask what earlier runs found."""
    if TARGET not in session.stash:
        return None
    earlier = Earlier(output_of(session.config), session.stash[TARGET].name)
    session.stash[FAILING_SINCE] = earlier.failing_since
    return earlier


class Seen(Struct):
    """What only the process that judges knows: its probes, their cost, the containers (None where nobody looked)."""

    probes: list[ProbeSummary] = []
    cost: dict[str, Spent] = {}
    containers: list[ContainerState] | None = None
    compose_command: str = ""
    complaint: str = ""


def _seen(session: pytest.Session, earlier: Earlier | None) -> Seen:
    if PROBES not in session.stash:
        return Seen(complaint=earlier.complaint if earlier else "")
    target, containers = target_of(session), None
    if (inspected := target.engine.seen()) is not None:
        found = (container_of(raw) for raw in inspected)
        shown = target.mask
        states = (ContainerState(shown(c.name), c.service, shown(c.image), c.started_at) for c in found)
        containers = sorted(states, key=lambda state: state.name)
    return Seen(
        session.stash[PROBES].summary(), target.context.cost.summary(), containers,
        target.mask(target.engine.compose_command), earlier.complaint if earlier else "",
    )  # fmt: skip


class _Worker:
    """In a worker of xdist: hand what only this process knows to the one that reports."""

    earlier: Earlier | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.earlier = _earlier(session)
        if TARGET in session.stash and hasattr(signal, "setitimer"):  # the kernel ends one that its guard does not see
            signal.setitimer(signal.ITIMER_REAL, target_of(session).run_deadline + guard.MARGIN + guard.RESCUE)

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_finish(self, session: pytest.Session) -> Iterator[None]:
        try:
            yield
        except BadSettings as error:
            session.config.workeroutput["wrong_setting"] = str(error)  # type: ignore[attr-defined]  # xdist adds it
            raise

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, Any] = getattr(session.config, "workeroutput")  # noqa: B009  xdist adds it
        output["whole"] = session.config.stash.get(WHOLE, [])
        if session.testscollected and session.stash[PROBES].summary():  # the others have judged nothing
            output["seen"] = msgspec.to_builtins(_seen(session, self.earlier))


class _NothingRun:
    """With --setup-only and --setup-plan: nothing is judged, whatever pytest says."""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


@dataclass(eq=False)
class HealthRun:
    """What is gathered while the checks run, and what is made of it at the end."""

    config: pytest.Config
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    outcomes: dict[str, CheckOutcome] = field(default_factory=dict)
    broken_modules: dict[str, CheckOutcome] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)  # of the alerts that are to be judged
    lost: dict[str, str] = field(default_factory=dict)  # checks that failed without an outcome, and why
    stopped_by_option: bool = False  # -x, in a worker of xdist
    whole: set[str] = field(default_factory=set)  # the modules that nothing but -m narrowed
    seen: Seen = field(default_factory=Seen)
    earlier: Earlier | None = None
    status: int = 0  # that the run comes to, as far as is known
    results: Results | None = None
    published: Published = field(default_factory=Published)
    target_name: str = ""
    timezone: str = "UTC"
    deadline: float = math.inf  # seconds after the start

    def __post_init__(self) -> None:
        """Make a place for what pytest's own reporters write; where there is none they write nothing."""
        option = self.config.option
        self._wanted = {"report.html": option.htmlpath, "junit.xml": option.xmlpath}  # the user's own copies
        self._scratch: Scratch | None = None
        self.page = self.junit = None
        with self.published.complaining("what pytest itself reports"):
            remove_abandoned()
            self._scratch = Scratch("report")
            self.page, self.junit = f"{self._scratch.name}/checks.html", f"{self._scratch.name}/junit.xml"
        self._silent: list[tuple[str, Any]] = []

    def _tell(self, what: str, value: object) -> None:
        """Tell the guard, where there is one."""
        if TELLER in self.config.stash:
            self.config.stash[TELLER].tell(what, value)

    def rescue(self, told: Iterator[tuple[str, Any]], status: int, why: str, seconds: float) -> int:
        """Report what a judge that had to be ended told before, in so many seconds; return the exit status."""
        for what, value in told:
            if what == "outcome":
                outcome = msgspec.convert(value, CheckOutcome)
                self.outcomes[outcome.id] = outcome
            elif what == "modules":
                self.modules |= set(value)
            elif what == "whole":
                self.whole |= set(value)
            elif what == "target":
                self.target_name, self.timezone = value
            elif what == "reported":  # it hung after that
                return int(value)
        outcomes = [*self.outcomes.values()]
        self.earlier = Earlier(output_of(self.config), self.target_name)
        outcomes += self._never_judged(outcomes, why)
        status = (
            1 if exit_status(states_that_count(outcomes)) == 1 and status != pytest.ExitCode.INTERRUPTED else status
        )
        self.published.complain(why)
        guard.end_for_certain(status, seconds)
        self.results = self._results(outcomes, status, complete=False)
        self._publish(self.results)
        self.pytest_terminal_summary(TerminalReporter(self.config, sys.stdout))
        sys.stdout.flush()
        self.pytest_unconfigure()
        self._ping(self.results)
        return status

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Let a SIGTERM leave a report, as Ctrl-C does; let nothing reach the terminal that it would obey."""
        if self.config.pluginmanager.has_plugin("terminalreporter"):
            writer: Any = self.config.get_terminal_writer()
            vars(writer)["_file"] = terminal.CleanFile(vars(writer)["_file"], is_styled=writer.hasmarkup)
        self.earlier = _earlier(session)
        if TARGET in session.stash:
            target = target_of(session)
            self.target_name, self.timezone = target.name, target.timezone
            self.deadline = target.run_deadline
            self._tell("target", [target.name, target.timezone])
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """Remove what pytest's own reporters wrote; they unregister themselves after us."""
        for name, plugin in self._silent:
            self.config.pluginmanager.register(plugin, name)
        if self._scratch:
            self._scratch.cleanup()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that does not import is an alert that could not be judged."""
        if report.failed:
            path, longrepr = Path(report.nodeid), str(report.longrepr)
            lines = [line for line in longrepr.splitlines() if line.startswith("E ")] or longrepr.splitlines()[-1:]
            why = " ".join(lines).removeprefix("E").strip()
            self.broken_modules[report.nodeid] = _unjudged(
                self.config, path, f"the module {path} does not import: {why}"
            )

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know which alerts are going to be judged."""
        whole = self.config.stash.get(WHOLE, [])
        self.whole.update(whole)
        self._tell("whole", sorted(self.whole))
        self._expect({item.nodeid.partition("::")[0] for item in session.items if part_of_alert(item)})

    def _expect(self, modules: set[str]) -> None:
        self.modules |= modules
        self._tell("modules", sorted(modules))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Know it from the workers of xdist, where they collect."""
        paths = catalogue_of(self.config).paths.values()
        known = {str(path.relative_to(self.config.rootpath)) for path in paths}
        self._expect(known & {identity.partition("::")[0] for identity in ids})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the outcome that a check's report carries, from whichever process."""
        check = getattr(report, "check", None)
        if check is not None:
            outcome = msgspec.convert(check, CheckOutcome)
            self.outcomes[outcome.id] = outcome
            self._tell("outcome", check)
        elif report.failed:  # a worker of xdist died, or the suite itself failed, or it is no check of an alert
            self.lost[report.nodeid] = str(report.longrepr).strip().rpartition("\n")[2]
            if words := getattr(report, "internal_error", ""):
                internal_errors_of(self.config).append(words)
                self.published.complain(words)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.CollectReport | pytest.TestReport) -> Any:
        """Say the state of an alert where pytest would say failed, error or xfailed."""
        check = getattr(report, "check", None)
        return _WORDS.get(check["state"]) if check else None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of xdist handed in."""
        output = getattr(node, "workeroutput", None) or {}
        if "wrong_setting" in output:
            raise BadSettings(output["wrong_setting"])
        self.stopped_by_option |= bool(output.get("shouldfail"))
        self.whole.update(output.get("whole", ()))
        if "seen" in output:
            self.seen = msgspec.convert(output["seen"], Seen)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Judge the run as a whole, once pytest's own reporters have written their parts."""
        stopped = session.exitstatus not in (
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        )
        with self.published.complaining("what pytest itself reports"):
            yield
        self._silence_reporters()
        if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        interrupted = bool(stopped or session.shouldfail or session.shouldstop)
        if not self.seen.probes:
            self.seen = _seen(session, self.earlier)
        outcomes = [*self.outcomes.values(), *self.broken_modules.values()]
        outcomes += self._lost(outcomes)
        why = "the run was stopped before" if interrupted else "no result was reported"
        outcomes += self._never_judged(outcomes, why)
        status = exit_status(states_that_count(outcomes))
        own_end = self.broken_modules or self.stopped_by_option
        if session.exitstatus == pytest.ExitCode.INTERRUPTED and not own_end:
            status = int(session.exitstatus)
        elif internal_errors_of(self.config) and status != FIRING:
            status = int(pytest.ExitCode.INTERNAL_ERROR)
        session.exitstatus = self.status = status
        with self.published.complaining("the results"):
            self.results = self._results(outcomes, status, complete=not interrupted)
            self._publish(self.results)
        self._tell("reported", status)
        if self.results:
            self._ping(self.results)

    def _silence_reporters(self) -> None:
        """Keep pytest's own reporters from naming the files that are about to be removed."""
        for name, plugin in self.config.pluginmanager.list_name_plugin():
            if isinstance(plugin, LogXML | BaseReport):
                self.config.pluginmanager.unregister(plugin)
                self._silent.append((name, plugin))

    def _lost(self, outcomes: list[CheckOutcome]) -> list[CheckOutcome]:
        """Return an unknown for each check that failed without an outcome."""
        judged = {_module(outcome): outcome for outcome in outcomes if outcome.role == "trigger"}
        lost = []
        for identity, why in self.lost.items():
            outcome = replace(_unjudged(self.config, Path(identity.partition("::")[0]), why), id=identity)
            if trigger := judged.get(_module(outcome)):
                outcome = replace(outcome, alert=trigger.alert, role="diagnostic")
            lost.append(outcome)
        return lost

    def _never_judged(self, outcomes: list[CheckOutcome], why: str) -> list[CheckOutcome]:
        """Return an unknown for each alert that was to be judged and whose trigger has no outcome."""
        judged = {_module(outcome) for outcome in outcomes if outcome.role == "trigger"}
        rows = {_module(outcome): outcome.alert for outcome in outcomes}
        found = []
        for module in sorted(self.modules - judged):
            outcome = _unjudged(self.config, Path(module), f"not judged: {why}")
            found.append(replace(outcome, judged=False, alert=rows.get(module, outcome.alert)))
        return found

    def _results(self, outcomes: list[CheckOutcome], status: int, *, complete: bool) -> Results:
        option = self.config.option
        finished = datetime.now(UTC)
        arguments = [str(argument) for argument in self.config.args if not asks_for_all(self.config, argument)]
        past = self.earlier.past if self.earlier else Past()
        changes = past.changes(self.seen.containers)
        partial = is_narrowed(self.config, self.whole)
        return Results(
            target=self.target_name,
            timezone=self.timezone,
            started_at=stamp(self.started),
            finished_at=stamp(finished),
            duration_seconds=round((finished - self.started).total_seconds(), 3),
            complete=complete,
            verdict=verdict(status),
            exit_status=cast("Literal[0, 1, 2, 3, 5, 6]", status),
            selection=Selection(option.markexpr, option.keyword, arguments, partial),
            alerts=alerts_of(outcomes, self.started, past),
            probes=self.seen.probes,
            cost=self.seen.cost,
            containers=self.seen.containers or [],
            compose_command=self.seen.compose_command,
            changes=Changes(stamp(min(past.green.at, self.started)), changes) if past.green and changes else None,
        )

    def _publish(self, results: Results) -> None:
        done = self.published
        for complaint in (self.seen.complaint, self.earlier.complaint if self.earlier else ""):
            done.complain(complaint)
        found = {"checks.html": self._written(self.page), "junit.xml": self._written(self.junit) or ""}
        written = {name: text for name, text in found.items() if text is not None}
        files = publish(done, results, self.started, written, self.config.option, output_of(self.config))
        for name, wanted in self._wanted.items():
            if wanted and name in files:
                with done.complaining(wanted):
                    path = Path(os.path.expandvars(wanted)).expanduser()
                    path.parent.mkdir(parents=True, exist_ok=True)
                    replace_file(path, files[name])

    def _ping(self, results: Results) -> None:
        """Ping last of all, in the time that is left: it hangs on others."""
        if self.config.option.ping:
            from reports.sinks import ping

            with self.published.complaining("the ping"):
                left = self.deadline + guard.MARGIN - results.duration_seconds if results.complete else 0.0
                self.published.complaints += ping.send(self.config.option.ping, results.exit_status, left)

    def _written(self, path: str | None) -> str | None:
        """Return what one of pytest's own reporters wrote; None where it wrote nothing that can be read."""
        if path and Path(path).exists():
            with self.published.complaining("what pytest itself reports"):
                return Path(path).read_text(encoding="utf-8")
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the block an engineer acts on."""
        if self.results:
            terminal.write(terminalreporter, self.results, self.published.folder, self.published.complaints)
        else:
            terminal.complain(terminalreporter, self.published.complaints)


def _module(outcome: CheckOutcome) -> str:
    return outcome.id.partition("::")[0]


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, lambda *_: None)  # it comes twice, where the whole group of processes is told
    raise KeyboardInterrupt("terminated")


def _has_line(entry: Any) -> bool:
    try:
        return bool(entry.lineno >= 0)
    except TypeError:
        return False


def _unjudged(config: pytest.Config, path: Path, message: str) -> CheckOutcome:
    """Return the unknown of an alert of which only the module is known; its name is that of its runbook."""
    name, severity = catalogue_of(config).name_and_severity(path)
    about = Description(
        name=name, severity=severity, trigger="", impact="", runbook=f"runbooks/{name}.md", respond_within=0.0,
        escalate_after=0.0,
    )  # fmt: skip
    return CheckOutcome(str(path), about, "trigger", [], "unknown", "", message)
