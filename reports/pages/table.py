"""The columns that pytest-html's own table of all checks has for alerts."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest

COLUMNS = ("Severity", "Alert", "Role", "Measured", "Runbook")
AFTER_RESULT = 1


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_header(cells: list[str]) -> None:
    """Add a column for what is told of a check."""
    cells[AFTER_RESULT:AFTER_RESULT] = [
        f'<th class="sortable" data-column-type="{name.lower()}">{name}</th>' for name in COLUMNS
    ]


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_row(report: pytest.TestReport, cells: list[str]) -> None:
    """Say what a check is, of which alert, and what it measured."""
    told: dict[str, Any] | None = getattr(report, "check", None)
    alert = told["alert"] if told else {}
    measured = (told or {}).get("measured") or {}
    values = (
        f"sev{alert['severity']}" if told else "", alert.get("name", ""), told["role"] if told else "",
        measured.get("text", ""), alert.get("runbook", ""),
    )  # fmt: skip
    cells[AFTER_RESULT:AFTER_RESULT] = [
        f'<td class="col-{name.lower()}">{escape(value)}</td>' for name, value in zip(COLUMNS, values, strict=True)
    ]
