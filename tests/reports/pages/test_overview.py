from __future__ import annotations

import sys
import tempfile
from typing import TYPE_CHECKING

from reports.history import Run
from reports.pages import overview, rendering
from tests.reports.samples import FOLDER, NOON

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

EVIL = '<img src=x onerror="alert(1)">'


def run(folder: str, not_ok: str = "") -> Run:
    verdict = "firing" if not_ok else "ok"
    return Run("mine", NOON, 1.0, verdict, complete=True, selection="", folder=folder, not_ok=not_ok)


def test_markup_in_a_run_is_shown_as_text(tmp_path: Path) -> None:
    evil = Run(EVIL, NOON, 1.0, "firing", complete=False, selection=EVIL, folder=EVIL, not_ok=EVIL)
    overview.write(tmp_path, [evil], "UTC")
    page = (tmp_path / overview.FILE).read_text()
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=&#34;alert(1)&#34;&gt;") == 3


def test_the_page_is_written_where_compiled_templates_cannot_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(rendering, "BYTECODE", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    rendering.environment.cache_clear()
    try:
        overview.write(tmp_path, [], "UTC")
    finally:
        rendering.environment.cache_clear()
    assert [path.name for path in tmp_path.iterdir()] == [overview.FILE]


def test_a_run_is_a_link_while_its_report_is_kept(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    overview.write(tmp_path, [run(FOLDER), run("2026-03-03T12-00-00Z")], "UTC")
    page = (tmp_path / overview.FILE).read_text()
    assert f'href="{FOLDER}/report.html"' in page
    assert page.count("<a ") == 1
    assert "2 runs" in page
    assert (tmp_path / overview.FILE).stat().st_mode & 0o777 == 0o600


def test_the_alerts_that_were_not_ok_are_listed(tmp_path: Path) -> None:
    overview.write(tmp_path, [run(FOLDER, "firing sev0 A, unknown sev2 B")], "UTC")
    assert "firing sev0 A, unknown sev2 B" in (tmp_path / overview.FILE).read_text()
