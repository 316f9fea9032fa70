"""The report as a person meets it: in a browser, by keyboard, in the dark, on a phone, with a screen reader."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from reports.history import Run
from reports.pages import overview as index
from tests.browser.conftest import KINDS
from tests.reports.samples import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.conftest import Seen

Opened = Callable[..., "Page"]

every_kind = pytest.mark.parametrize("kind", KINDS)
in_both_schemes = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
OPEN_ALL = "document.querySelectorAll('details').forEach(fold => { fold.open = true })"
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
VISIBLE = "[...document.querySelectorAll('.alert')].filter(card => card.checkVisibility()).map(card => card.id)"


@every_kind
def test_it_asks_for_nothing_and_complains_of_nothing(opened: Opened, seen: Seen, kind: str) -> None:
    page = opened(kind)
    page.evaluate(OPEN_ALL)
    page.evaluate(PAINTED)
    assert [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in seen.requests if url.startswith("file:")]) == 1
    assert seen.complaints == []


@pytest.mark.parametrize(("kind", "verdict"), [("healthy", "OK"), *((kind, "FIRING") for kind in KINDS[1:])])
def test_the_verdict_stands_on_top(opened: Opened, kind: str, verdict: str) -> None:
    page = opened(kind)
    assert page.inner_text("h1").startswith(verdict)
    box = page.locator("h1").bounding_box()
    assert box is not None
    assert box["y"] < 100


def test_roots_come_first_and_what_follows_is_folded_beneath(opened: Opened) -> None:
    page = opened("dead")
    assert page.evaluate(VISIBLE)[:2] == ["OrchestratorAPIDown", "OrchestratorDatabaseDown"]
    follower = page.locator("#NoActiveWorkers")
    assert not follower.is_visible()
    page.locator("#OrchestratorDatabaseDown + .followers > summary").click()
    assert follower.is_visible()


def test_the_runbook_section_of_the_cause_is_open(opened: Opened) -> None:
    page = opened("broken")
    first = page.locator("#DatabaseSlowQueries .cause").first
    assert first.get_attribute("open") is not None
    assert first.locator("ol li").first.is_visible()
    assert "<pid>" not in first.inner_text()  # the real one stands there


def test_the_filters_show_what_was_asked_for(opened: Opened) -> None:
    page = opened("broken")
    everything = page.evaluate(VISIBLE)
    page.get_by_role("button", name="sev1", exact=True).click()
    assert page.evaluate(VISIBLE)
    assert page.locator(".alert:visible:not([data-severity='1'])").count() == 0
    assert "alerts are shown" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="ok", exact=True).click()
    assert set(page.evaluate(VISIBLE)) == {"SchedulerOffline"}
    assert page.get_by_role("button", name="ok", exact=True).get_attribute("aria-pressed") == "true"
    for name in ("ok", "sev1"):
        page.get_by_role("button", name=name, exact=True).click()
    assert set(everything) <= set(page.evaluate(VISIBLE))
    assert page.get_by_role("status").inner_text() == ""


def clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_a_command_is_copied_whole(opened: Opened) -> None:
    page = opened("broken")
    block = page.locator("#DatabaseSlowQueries .cause[open] pre").first
    block.locator("+ button").click()
    assert clipboard(page) == (block.text_content() or "").strip()
    assert "psql" in clipboard(page)


def test_the_incident_summary_is_copied(opened: Opened) -> None:
    page = opened("broken")
    page.get_by_role("button", name="copy incident summary").click()
    assert clipboard(page).startswith("sandbox")
    assert "* firing sev0 NoActiveWorkers" in clipboard(page)
    assert "runbooks/NoActiveWorkers.md#" in clipboard(page)


def test_the_keyboard_goes_from_the_top_to_the_first_cause(opened: Opened) -> None:
    page = opened("broken")
    told = []
    for _ in range(14):
        page.keyboard.press("Tab")
        told.append(str(page.evaluate("document.activeElement.textContent.trim().split('\\n')[0]")))
    assert told[0].startswith("Incident summary")
    assert told[1] == "copy incident summary"
    assert told[2] == "sev0"
    assert any(words.startswith("Probable cause") for words in told), told
    page.get_by_role("button", name="sev0", exact=True).focus()
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="sev0", exact=True).get_attribute("aria-pressed") == "true"


def test_it_is_dark_where_that_is_wanted(opened: Opened) -> None:
    def brightness(page: Page) -> int:
        colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    assert brightness(opened("broken", dark=True)) < 150
    assert brightness(opened("broken")) > 600


@every_kind
def test_a_phone_shows_it_without_scrolling_sideways(opened: Opened, kind: str) -> None:
    page = opened(kind, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_on_paper_the_causes_are_unfolded(opened: Opened) -> None:
    page = opened("broken")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".cause:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".cause:not([open])").count() > 0


def test_on_paper_nothing_is_cut_off(opened: Opened) -> None:
    cut_off = """[...document.querySelectorAll('#ordinaut pre')].filter(
        pre => pre.scrollWidth > pre.clientWidth + 1 || pre.scrollHeight > pre.clientHeight + 1).length"""
    page = opened("broken", width=794)  # A4
    page.evaluate(OPEN_ALL)
    assert page.evaluate(cut_off) > 0
    page.emulate_media(media="print")
    assert page.evaluate(cut_off) == 0
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_what_died_says_what_it_was_like_before(opened: Opened) -> None:
    page = opened("died")
    assert page.evaluate(VISIBLE)[:2] == ["OrchestratorAPIDown", "OrchestratorDatabaseDown"]
    page.evaluate(OPEN_ALL)
    assert page.locator("#NoActiveWorkers .sparkline").count() == 1  # of the runs before
    page.get_by_role("button", name="unknown", exact=True).click()
    assert page.locator(".alert:visible:not([data-state='unknown'])").count() == 0
    assert page.get_by_role("button", name="copy incident summary").is_visible()


COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}  # of the other scheme; all else is the same


def serious(page: Page, **options: object) -> list[Any]:
    asked = {"resultTypes": ["violations"], "preload": False, **options}
    found = Axe().run(page, options=asked).response["violations"]
    return [
        (rule["id"], [node["html"][:150] for node in rule["nodes"]][:3])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("kind", "dark"), [("healthy", False), ("broken", False), ("broken", True), ("died", False), ("dead", False)]
)
def test_axe_finds_nothing_serious(opened: Opened, kind: str, dark: bool) -> None:
    page = opened(kind, dark=dark)
    page.evaluate(OPEN_ALL)
    assert serious(page, **(COLOURS if dark else {})) == []


@in_both_schemes
def test_nor_in_the_list_of_runs(opened: Opened, seen: Seen, dark: bool) -> None:
    page = opened("broken", file="../index.html", dark=dark)
    assert serious(page) == []
    assert seen.complaints == []
    page.get_by_role("link").first.click()
    assert page.locator("h1").inner_text().startswith("FIRING")


def test_a_list_of_a_thousand_runs_is_usable_at_once(opened: Opened, reports: dict[str, Path], tmp_path: Path) -> None:
    not_ok = ", ".join(f"firing sev1 Alert{number}" for number in range(11))
    runs = [
        Run("mine", NOON - timedelta(minutes=5 * number), 0.5, "firing", complete=True, selection="",
            folder=reports["broken"].name, not_ok=not_ok)
        for number in range(1000)
    ]  # fmt: skip
    shutil.copytree(reports["broken"], tmp_path / reports["broken"].name)
    index.write(tmp_path, runs, "UTC")
    page = opened("broken", file=str(tmp_path / index.FILE))
    assert page.get_by_role("row").count() == 1001
    page.get_by_role("link").last.click(timeout=10_000)
    assert page.locator("h1").inner_text().startswith("FIRING")


def test_the_list_of_runs_fits_a_phone(opened: Opened) -> None:
    assert opened("broken", file="../index.html", width=360).evaluate("document.documentElement.scrollWidth") <= 360


@in_both_schemes
def test_nor_in_the_table_of_all_checks(opened: Opened, seen: Seen, dark: bool) -> None:
    page = opened("broken", file="checks.html", dark=dark)
    assert page.locator(".log:visible").count() > 0
    assert serious(page, **(COLOURS if dark else {})) == []
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []


def test_a_phone_shows_the_table_of_all_checks_without_scrolling_sideways(opened: Opened) -> None:
    page = opened("broken", file="checks.html", width=360)
    page.get_by_role("button", name="Show all details").click()
    assert page.locator("tbody.passed .log").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_table_of_all_checks_opens_what_is_not_ok_and_leads_back_to_its_alert(opened: Opened) -> None:
    page = opened("broken", file="checks.html")
    rows = page.locator("#results-table > tbody")
    assert rows.and_(page.locator(".failed")).count() > 0
    assert rows.filter(has=page.locator(".log:visible")).count() == page.locator("tbody:is(.failed, .error)").count()
    assert page.locator("tbody.skipped .log").count() > 0
    assert page.locator("tbody.skipped .log", has_text="Skipped: ").count() == 0  # pytest's word for it
    page.get_by_role("checkbox", name="show passed").uncheck()
    assert page.locator("tbody.passed").count() == 0
    page.get_by_role("link", name="HighQueueDepth").first.click()
    page.locator("#HighQueueDepth").wait_for()  # a consequence: folded until the link leads to it
    page.go_back()
    page.get_by_role("link", name="the report of this run").click()
    page.get_by_role("heading", name="FIRING", level=1).wait_for()


def test_markup_in_a_log_stays_text(opened: Opened, seen: Seen) -> None:
    page = opened("broken")
    page.evaluate(OPEN_ALL)
    assert page.locator("#ordinaut img, img[src=x]").count() == 0
    assert page.get_by_text("<img src=x onerror=alert(1)>").count() > 0
    assert seen.complaints == []
