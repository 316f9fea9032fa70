from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from reports.history import Run
from reports.pages import overview as index
from reports.pages import report as html
from tests.reports.test_history import NOON

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

EVIL = '<img src=x onerror="alert(1)">'


def test_what_a_run_says_is_shown_as_text(tmp_path: Path) -> None:
    index.write(
        tmp_path,
        [Run(EVIL, NOON, 1.0, "firing", complete=False, selection=EVIL, folder=EVIL, speaks=[(EVIL, 0, "firing")])],
        "UTC",
    )
    page = (tmp_path / index.FILE).read_text()
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;") == 3


def test_where_no_bytecode_can_be_kept_it_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(html, "BYTECODE", tmp_path)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    html.environment.cache_clear()
    try:
        index.write(tmp_path, [], "UTC")
    finally:
        html.environment.cache_clear()
    assert (tmp_path / index.FILE).exists()


def test_a_run_whose_report_is_kept_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "2026-03-04T12-00-00Z").mkdir()
    runs = [
        Run("mine", NOON, 1.0, "ok", complete=True, selection="", folder=folder, speaks=[])
        for folder in ("2026-03-04T12-00-00Z", "2026-03-03T12-00-00Z")
    ]
    index.write(tmp_path, runs, "UTC")
    page = (tmp_path / index.FILE).read_text()
    assert 'href="2026-03-04T12-00-00Z/report.html"' in page
    assert page.count("<a ") == 1
    assert "2 runs" in page
    assert (tmp_path / index.FILE).stat().st_mode & 0o777 == 0o600
