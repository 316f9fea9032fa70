"""What is done with a run's results: its files, the history, the sinks. None of it affects the exit status."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from reports.history import History
from reports.output import prune, replace_file, write_run
from reports.pages import overview, report
from reports.sinks import github

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reports.results import Results


class Published(Struct):
    """Where a run was written, and what went wrong with that."""

    folder: Path | None = None
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def complaining(self, what: str) -> Iterator[None]:
        """Turn a failure to write into a sentence, once where several things fail for one reason."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  what fails in reporting must not affect the exit status
            text = str(error) if isinstance(error, sqlite3.Error | OSError) else f"{type(error).__name__}: {error}"
            if not any(text in complaint for complaint in self.complaints):
                self.complain(f"{what} could not be written: {text}")

    def complain(self, sentence: str) -> None:
        """Keep a sentence, once; an empty one is left out."""
        if sentence and sentence not in self.complaints:
            self.complaints.append(sentence)


def publish(
    done: Published, results: Results, started: datetime, written: dict[str, str], option: Any, root: Path
) -> dict[str, str]:
    """Write a run's files, hand it to whoever else is to know, and return the files.

    `written` are the files that pytest's own reporters wrote: junit.xml, checks.html.
    """
    files = dict(written)
    with done.complaining("report.html"):
        files["report.html"] = report.render(results, has_checks_page="checks.html" in files)
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
        overview.write(root, history.runs(), results.timezone)
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
    return files
