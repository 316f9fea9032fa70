"""checks.html: pytest-html's own table of all checks, with columns for what a check is and what it measured."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from reports.pages import rendering

if TYPE_CHECKING:
    import pytest

STYLES = [str(rendering.HERE / name) for name in ("colours.css", "checks.css")]
COLUMNS = ("Severity", "Alert", "Role", "Measured")
AFTER_RESULT = 1
END = "\x1e"  # of a cell, in the template


@cache
def _macros() -> Any:
    return rendering.environment("UTC").get_template("checks.html.j2").module


def pytest_html_report_title(report: Any) -> None:
    """Name the page."""
    report.title = "All checks"


def pytest_html_results_summary(prefix: list[str]) -> None:
    """Link to the report, and add what the page lacks on a phone and for a screen reader."""
    prefix.append(str(_macros().top()))


def pytest_html_results_table_header(cells: list[str]) -> None:
    """Add the columns."""
    cells[AFTER_RESULT:AFTER_RESULT] = [str(_macros().header(name)) for name in COLUMNS]


def pytest_html_results_table_row(report: pytest.TestReport, cells: list[str]) -> None:
    """Add what a check is, of which alert, and what it measured."""
    cells[AFTER_RESULT:AFTER_RESULT] = str(_macros().cells(getattr(report, "check", None), END)).split(END)


def pytest_html_results_table_html(report: pytest.TestReport, data: list[str]) -> None:
    """Show why a check was skipped as a sentence, where pytest-html shows pytest's tuple of file, line and reason."""
    if report.skipped and (check := getattr(report, "check", None)):
        data[0] = escape(check["message"])
