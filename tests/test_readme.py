"""The table of promises in README names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_each_promise_names_tests_that_exist() -> None:
    table = (ROOT / "README.md").read_text().partition("<!-- promises -->")[2].partition("<!-- end of promises -->")[0]
    rows = [row for row in table.splitlines() if row.startswith("|")][2:]
    assert rows
    for row in rows:
        named = re.findall(r"`(tests/[^`]+)`", row)
        assert named, f"no test holds this promise: {row}"
        assert all((ROOT / path).is_file() for path in named), row
