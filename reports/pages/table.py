"""checks.html: pytest-html's own table of all checks, with columns for what a check is and what it measured."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from reports.pages import rendering

COLUMNS = ("Severity", "Alert", "Role", "Measured", "Runbook")
KEYS = [column.lower() for column in COLUMNS]
AFTER_RESULT = 1
END = "\x1e"  # of a cell, in the template


@cache
def _macros() -> Any:
    return rendering.environment("UTC").get_template("checks_cells.html.j2").module


@pytest.hookimpl(optionalhook=True)
def pytest_html_report_title(report: Any) -> None:
    """Name the page."""
    report.title = "All checks"


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_header(cells: list[str]) -> None:
    """Add the columns."""
    cells[AFTER_RESULT:AFTER_RESULT] = [str(_macros().header(name)) for name in COLUMNS]


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_row(report: pytest.TestReport, cells: list[str]) -> None:
    """Add what a check is, of which alert, and what it measured."""
    check: dict[str, Any] | None = getattr(report, "check", None)
    values = [""] * len(COLUMNS)
    if check is not None:
        alert, measured = check["alert"], check.get("measured") or {}
        values = [
            f"sev{alert['severity']}", alert["name"], check["role"], measured.get("text", ""), alert["runbook"],
        ]  # fmt: skip
    cells[AFTER_RESULT:AFTER_RESULT] = str(_macros().cells(KEYS, values)).split(END)
