"""What is made of a run's results: its files, the history, whoever else is told. None of it can cost the verdict."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec import Struct, field

from reports.history import History
from reports.output import prune, replace_file, write_run
from reports.pages import overview as index
from reports.pages import report as html
from reports.sinks import github

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reports.results import Results

KEEP = 1000  # three days and a half of a run every five minutes


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where a run goes, and who is told of it."""
    group = parser.getgroup("ordinaut")
    group.addoption("--output", metavar="DIR", type=Path, help="the folder of the reports (default: reports/output)")
    group.addoption(
        "--keep", metavar="N", type=_at_least_one, default=KEEP,
        help=f"how many runs are kept, in the history and as reports (default: {KEEP})",
    )  # fmt: skip
    group.addoption("--results", metavar="FILE", type=Path, help="write results.json to this file too")
    group.addoption("--metrics", metavar="FILE", type=Path, help="write the run as Prometheus metrics (a textfile)")
    group.addoption("--ping", metavar="URL", help="ask for URL/<exit status> at the end, as healthchecks.io has it")


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise pytest.UsageError(f"--keep: {text!r} is no number of runs")
    return int(text)


def output_of(config: pytest.Config) -> Path:
    """Give the folder of the reports."""
    folder: Path = config.option.output or config.rootpath / "reports" / "output"
    return folder


class Published(Struct):
    """Where a run was written, and what went wrong on the way."""

    folder: Path | None = None
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def complaining(self, what: str) -> Iterator[None]:
        """Turn a failure to write into a sentence; one is enough where several things fail for one cause."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  whatever fails in reporting must not cost the verdict
            words = str(error) if isinstance(error, sqlite3.Error | OSError) else f"{type(error).__name__}: {error}"
            if not any(words in complaint for complaint in self.complaints):
                self.complain(f"{what} could not be written: {words}")

    def complain(self, sentence: str) -> None:
        """Keep a sentence, once; an empty one says nothing."""
        if sentence and sentence not in self.complaints:
            self.complaints.append(sentence)


def publish(
    done: Published, results: Results, started: datetime, table: str | None, junit: str, option: Any, root: Path
) -> dict[str, str]:
    """Write and tell a run, give its files; `table` is pytest-html's page, `junit` pytest's own XML."""
    files = {"junit.xml": junit}
    with done.complaining("report.html"):
        files["report.html"] = html.render(results, table)
    with done.complaining("results.json"):
        files["results.json"] = msgspec.json.format(msgspec.json.encode(results), indent=2).decode()
    with done.complaining("the report"):
        whole = results.complete and not results.selection.partial and results.judged_something
        done.folder = write_run(root, started, files, moves_latest=whole)
        prune(root, option.keep)
    with done.complaining("the history"):
        history = History(root)
        folder = done.folder.name if done.folder else ""
        history.record(results, folder, option.keep, honors_for=option.honor_for)
        index.write(root, history.runs(), results.timezone)
    if option.results and "results.json" in files:
        with done.complaining("the results"):
            replace_file(option.results, files["results.json"])
    if option.metrics:
        from reports.sinks import metrics

        with done.complaining("the metrics"):
            metrics.write(option.metrics, results)
    if github.is_here():
        with done.complaining("the summary of the step"):
            github.write_summary(results)
    if option.ping:
        from reports.sinks import ping

        done.complaints += ping.send(option.ping, results.exit_status)
    return files
