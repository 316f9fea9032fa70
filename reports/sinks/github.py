"""A run as GitHub Actions shows it: annotations beside the job, and a summary on its page."""

from __future__ import annotations

import os
import secrets
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reports.results import AlertResult, Results

_COMMANDS = {"firing": "error", "unknown": "error", "pending": "warning", "silenced": "warning", "noted": "notice"}


def is_here() -> bool:
    """The run is a step of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


class Step:
    """Prints a run's annotations, once it has printed all else; until then nothing that is printed is a command.

    A runner takes commands from wherever they stand in a step's output: from a line of a log that is shown, too.
    """

    def __init__(self, results: Callable[[], Results | None]) -> None:
        self._results = results
        self._token = secrets.token_hex(16)
        self._has_begun = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Have the runner stop looking for commands."""
        self._write(session.config, [f"::stop-commands::{self._token}"])
        self._has_begun = True

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Have it look again, and annotate; a run that was refused before it began printed nothing."""
        if not self._has_begun:
            return
        results = self._results()
        self._write(config, [f"::{self._token}::", *(commands(results) if results else ())])

    def _write(self, config: pytest.Config, lines: list[str]) -> None:
        terminal = config.get_terminal_writer()
        for line in lines:
            terminal.line(line)


def commands(results: Results) -> Iterator[str]:
    """Return a workflow command for each alert that is not simply ok."""
    for alert in results.alerts:
        command = _COMMANDS.get(alert.shown_state)
        if command:
            title = f"{alert.shown_state} sev{alert.severity} {alert.name}"
            yield f"::{command} title={_property(title)}::{_data(_words(alert))}"


def write_summary(results: Results) -> None:
    """Add to the summary of the step; OSError where that cannot be."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(markdown(results))


def markdown(results: Results) -> str:
    """Return a run as Markdown: a table of what is not ok, and how many are."""
    speaks = [alert for alert in results.alerts if alert.shown_state not in ("ok", "skipped")]
    well = len(results.alerts) - len(speaks)
    lines = [f"## Ordinaut: {results.verdict}", "", f"{_cell(results.target)} at {results.started_at}; {well} ok.", ""]
    if speaks:
        lines += ["| state | severity | alert | what | runbook |", "|---|---|---|---|---|"]
        lines += [
            f"| {alert.shown_state} | {alert.severity} | {alert.name} | {_cell(_words(alert))} "
            f"| `{summary.runbook(alert)}` |"
            for alert in speaks
        ]
    return "\n".join([*lines, ""])


def _words(alert: AlertResult) -> str:
    causes = "; ".join(summary.cause(alert, cause) for cause in alert.causes[:2])
    findings = "; ".join(map(str, alert.findings))
    return " | ".join(part for part in (alert.message, causes or findings) if part)


def _cell(text: str) -> str:
    """Write text so that Markdown shows it as it is, in a table's cell too."""
    plain = escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{letter}" if letter in "\\`*_[]|~#!" else letter for letter in plain)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
