"""The reporting of a health run: gather the outcomes, set the exit status, write the files, print the block."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from fixtures.settings import BadSettings, settings_of
from fixtures.target import TARGET
from playbook.alert import AlertRow
from playbook.catalogue import alert_names
from playbook.outcome import CheckOutcome
from playbook.probe import PROBES
from playbook.selection import asks_for_all, is_health_run, part_of_alert
from playbook.suppression import FAILING_SINCE
from reports import terminal
from reports.history import Memory
from reports.pages import table
from reports.past import ContainerState, Past
from reports.publishing import Published, output_of, publish
from reports.results import (
    SCHEMA_VERSION,
    Changes,
    Results,
    Selection,
    alerts_of,
    exit_status,
    stamp,
    states_that_count,
    verdict,
)
from reports.runbooks import HERE as RUNBOOKS
from reports.sinks import github

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = {
    "firing": ("failed", "F", ("FIRING", {"red": True})),
    "unknown": ("error", "E", ("UNKNOWN", {"red": True})),
    "pending": ("xfailed", "p", ("PENDING", {"yellow": True})),
    "silenced": ("xfailed", "m", ("SILENCED", {"yellow": True})),
    "noted": ("xfailed", "n", ("NOTED", {"yellow": True})),
}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set pytest up for a health run: its HTML and JUnit files become parts of ours, its tracebacks our sentences."""
    if not is_health_run(config) or config.option.collectonly or config.option.help or config.option.markers:
        return
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
    config.pluginmanager.register(run, "ordinaut-health-run")
    config.pluginmanager.register(table, "ordinaut-table")
    if github.is_here():
        config.pluginmanager.register(github.Step(lambda: run.results), "ordinaut-github")


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


def _remember(session: pytest.Session) -> Memory | None:
    """Let the judging ask what earlier runs found."""
    if TARGET not in session.stash:
        return None
    memory = Memory(output_of(session.config), session.stash[TARGET].name)
    session.stash[FAILING_SINCE] = memory.failing_since
    return memory


class _Worker:
    """In a worker of xdist: hand what only this process knows to the one that reports."""

    memory: Memory | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.memory = _remember(session)

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_finish(self, session: pytest.Session) -> Iterator[None]:
        try:
            yield
        except BadSettings as error:
            session.config.workeroutput["wrong_setting"] = str(error)  # type: ignore[attr-defined]  # xdist adds it
            raise

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if PROBES in session.stash:
            output: dict[str, Any] = getattr(session.config, "workeroutput")  # noqa: B009  xdist adds it
            output["probes"] = session.stash[PROBES].summary()
            output["cost"] = session.stash[TARGET].cost.summary()
            output["containers"] = msgspec.to_builtins(_containers(session))
            output["compose_command"] = session.stash[TARGET].engine.compose_command
            output["complaint"] = self.memory.complaint if self.memory else ""


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
    probes: list[dict[str, Any]] = field(default_factory=list)
    cost: dict[str, dict[str, float]] = field(default_factory=dict)
    containers: list[ContainerState] | None = None  # None: nobody saw them
    compose_command: str = ""
    memory: Memory | None = None
    results: Results | None = None
    published: Published = field(default_factory=Published)

    def __post_init__(self) -> None:
        """Make a place for what pytest's own reporters write; where there is none they write nothing."""
        option = self.config.option
        self._wanted = {"report.html": option.htmlpath, "junit.xml": option.xmlpath}  # where the user wants them too
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self.page = self.junit = None
        with self.published.complaining("what pytest itself reports"):
            self._scratch = tempfile.TemporaryDirectory(prefix="ordinaut-report-")
            self.page, self.junit = f"{self._scratch.name}/pytest.html", f"{self._scratch.name}/junit.xml"
        self._muted: list[tuple[str, Any]] = []

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Let a SIGTERM leave a report, as Ctrl-C does."""
        self.memory = _remember(session)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """Remove what pytest's own reporters wrote; they unregister themselves after us."""
        for name, plugin in self._muted:
            self.config.pluginmanager.register(plugin, name)
        if self._scratch:
            self._scratch.cleanup()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that does not import is an alert that could not be judged."""
        if report.failed:
            path, longrepr = Path(report.nodeid), str(report.longrepr)
            lines = [line for line in longrepr.splitlines() if line.startswith("E ")] or longrepr.splitlines()[-1:]
            why = " ".join(lines).removeprefix("E").strip()
            self.broken_modules[report.nodeid] = _untold(path, f"the module {path} does not import: {why}")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know which alerts are going to be judged."""
        self.modules |= {item.nodeid.partition("::")[0] for item in session.items if part_of_alert(item)}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Know it from the workers of xdist, where they collect."""
        known = {str(path.relative_to(self.config.rootpath)) for path in alert_names().values()}
        self.modules |= known & {identity.partition("::")[0] for identity in ids}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the outcome that a check's report carries, from whichever process."""
        told = getattr(report, "check", None)
        if told is not None:
            outcome = msgspec.convert(told, CheckOutcome)
            self.outcomes[outcome.id] = outcome
        elif report.failed:  # a worker of xdist died, or it is no check of an alert
            self.lost[report.nodeid] = str(report.longrepr).strip().rpartition("\n")[2]

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.CollectReport | pytest.TestReport) -> Any:
        """Say the state of an alert where pytest would say failed, error or xfailed."""
        told = getattr(report, "check", None)
        return _WORDS.get(told["state"]) if told else None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of xdist handed in."""
        output = getattr(node, "workeroutput", None) or {}
        if "wrong_setting" in output:
            raise BadSettings(output["wrong_setting"])
        self.stopped_by_option |= bool(output.get("shouldfail"))
        self.probes += output.get("probes", [])
        self.published.complain(output.get("complaint", ""))
        self.compose_command = self.compose_command or output.get("compose_command", "")
        if self.containers is None:
            self.containers = msgspec.convert(output.get("containers"), list[ContainerState] | None)
        for name, spent in output.get("cost", {}).items():
            mine = self.cost.setdefault(name, {"calls": 0, "ms": 0.0})
            mine["calls"] += spent["calls"]
            mine["ms"] = round(mine["ms"] + spent["ms"], 1)

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
        self._mute()
        if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        interrupted = bool(stopped or session.shouldfail or session.shouldstop)
        if PROBES in session.stash and not self.probes:
            self.probes = session.stash[PROBES].summary()
            self.cost = session.stash[TARGET].cost.summary()
            self.containers = _containers(session)
            self.compose_command = session.stash[TARGET].engine.compose_command
        outcomes = list(self.outcomes.values()) + list(self.broken_modules.values())
        outcomes += self._lost(outcomes)
        outcomes += self._never_judged(outcomes, "the run was stopped before" if interrupted else "nothing came of it")
        status = exit_status(states_that_count(outcomes))
        own_end = self.broken_modules or self.stopped_by_option
        if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR or (
            session.exitstatus == pytest.ExitCode.INTERRUPTED and not own_end
        ):
            status = int(session.exitstatus)
        session.exitstatus = status
        with self.published.complaining("the results"):
            self.results = self._results(session, outcomes, status, complete=not interrupted)
            self._publish(self.results)

    def _mute(self) -> None:
        """Keep pytest's own reporters from naming the files that are about to be removed."""
        for name, plugin in self.config.pluginmanager.list_name_plugin():
            if type(plugin).__name__ in ("LogXML", "SelfContainedReport"):
                self.config.pluginmanager.unregister(plugin)
                self._muted.append((name, plugin))

    def _lost(self, outcomes: list[CheckOutcome]) -> list[CheckOutcome]:
        """Give an unknown for each check that failed without an outcome."""
        judged = {_module(outcome): outcome for outcome in outcomes if outcome.role == "trigger"}
        lost = []
        for identity, why in self.lost.items():
            outcome = replace(_untold(Path(identity.partition("::")[0]), why), id=identity)
            if trigger := judged.get(_module(outcome)):
                outcome = replace(outcome, alert=trigger.alert, role="diagnostic")
            lost.append(outcome)
        return lost

    def _never_judged(self, outcomes: list[CheckOutcome], why: str) -> list[CheckOutcome]:
        """Give an unknown for each alert that was to be judged and whose trigger has no outcome."""
        judged = {_module(outcome) for outcome in outcomes if outcome.role == "trigger"}
        rows = {_module(outcome): outcome.alert for outcome in outcomes}
        untold = {module: _untold(Path(module), f"not judged: {why}") for module in sorted(self.modules - judged)}
        return [
            replace(outcome, judged=False, alert=rows.get(module, outcome.alert)) for module, outcome in untold.items()
        ]

    def _results(
        self, session: pytest.Session, outcomes: list[CheckOutcome], status: int, *, complete: bool
    ) -> Results:
        option = self.config.option
        target = session.stash.get(TARGET, None)
        settings = target.settings if target else settings_of(self.config).settings
        finished = datetime.now(UTC)
        arguments = [str(argument) for argument in self.config.args if not asks_for_all(self.config, argument)]
        last_failed = getattr(option, "lf", False)  # absent where pytest's cache is turned off
        past = self.memory.past if self.memory else Past()
        changes = past.changes(self.containers)
        partial = bool(option.keyword or last_failed or any("::" in argument for argument in arguments))
        return Results(
            schema_version=SCHEMA_VERSION,
            target=target.name if target else settings.name,
            timezone=settings.timezone,
            started_at=stamp(self.started),
            finished_at=stamp(finished),
            duration_seconds=round((finished - self.started).total_seconds(), 3),
            complete=complete,
            verdict=verdict(status),
            exit_status=status,
            selection=Selection(option.markexpr, option.keyword, arguments, partial),
            alerts=alerts_of(outcomes, self.started, past),
            probes=self.probes,
            cost=self.cost,
            containers=self.containers or [],
            compose_command=self.compose_command,
            changes=Changes(stamp(past.green.at), changes) if past.green and changes else None,
        )

    def _publish(self, results: Results) -> None:
        done = self.published
        if self.memory:
            done.complain(self.memory.complaint)
        table, junit = self._written(self.page), self._written(self.junit) or ""
        files = publish(done, results, self.started, table, junit, self.config.option, output_of(self.config))
        for name, wanted in self._wanted.items():
            if wanted and name in files:
                with done.complaining(wanted):
                    path = Path(os.path.expandvars(wanted)).expanduser()
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(files[name], encoding="utf-8", errors="backslashreplace")

    def _written(self, path: str | None) -> str | None:
        """Give what one of pytest's own reporters wrote; None where it wrote nothing that can be read."""
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


def _containers(session: pytest.Session) -> list[ContainerState] | None:
    seen = session.stash[TARGET].engine.seen()
    if seen is None:
        return None
    return sorted((ContainerState(c.name, c.service, c.image, c.started_at) for c in seen), key=lambda c: c.name)


def _module(outcome: CheckOutcome) -> str:
    return outcome.id.partition("::")[0]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt("terminated")


def _has_line(entry: Any) -> bool:
    try:
        return bool(entry.lineno >= 0)
    except TypeError:
        return False


def _untold(path: Path, message: str) -> CheckOutcome:
    """Give the unknown of an alert of which only the module is known; it is named like its runbook, as its file is."""
    words = path.stem.removeprefix("test_").split("_")
    plain = "".join(word.capitalize() for word in words)
    name = next((page.stem for page in RUNBOOKS.glob("*.md") if page.stem.lower() == plain.lower()), plain)
    folder = path.parent.name
    severity = int(folder[-1]) if folder.startswith("sev") else 1
    row = AlertRow(name, severity, "", "", f"runbooks/{name}.md", 0.0, 0.0, [], None, 0.0)
    return CheckOutcome(str(path), row, "trigger", [], "unknown", "", message)
