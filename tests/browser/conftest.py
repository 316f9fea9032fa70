"""A headless Chromium, and the reports of a healthy, a broken and a totally dead Ordinaut for it to open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright

from sandbox.breaking import break_stack, heal_stack
from sandbox.faults import FAULTS
from tests.conftest import health_run, needs
from tests.projects import nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack

KINDS = ("healthy", "broken", "died", "dead")
BROKEN = ("query-blocked", "workers-stopped", "errors-in-the-log")
DEAD = ("api-stopped", "workers-stopped", "scheduler-stopped", "redis-stopped", "postgres-stopped")
LONG = "every word of it is evidence, " * 30
MARKUP = "<img src=x onerror=alert(1)>"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what needs the browser."""
    item.add_marker("browser")


@pytest.fixture(scope="session")
def reports(running: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of runs, by what was judged: one sandbox, healthy, broken with markup in a log, and all of it
    stopped; and what never lived.
    """
    folder = tmp_path_factory.mktemp("reports")
    target = f"--target={running.folder / 'target.toml'}"
    runs = {"healthy": health_run(folder / "sandbox", target).folder}
    for name in BROKEN:
        break_stack(running, FAULTS[name])
    with running.log("worker").open("a") as log:
        log.write(f"ERROR {MARKUP} {LONG}\n")
    runs["broken"] = health_run(folder / "sandbox", target).folder
    heal_stack(running)
    for name in DEAD:
        break_stack(running, FAULTS[name])
    runs["died"] = health_run(folder / "sandbox", target).folder
    heal_stack(running)
    runs["dead"] = health_run(folder / "dead", f"--target={nowhere(folder)}").folder
    assert all(runs.values())
    return {kind: run for kind, run in runs.items() if run}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium: the machine's own, none is downloaded."""
    program = needs("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@dataclass
class Seen:
    """What a page asked for and complained of while it was open."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def hear(self, said: ConsoleMessage) -> None:
        """Keep what the console shows as an error."""
        if said.type == "error":
            self.complaints.append(said.text)

    def answer(self, dialog: Dialog) -> None:
        """Keep what a script made the browser ask."""
        self.complaints.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def seen() -> Seen:
    """What pages did in this test."""
    return Seen()


@pytest.fixture
def opened(browser: Browser, reports: dict[str, Path], seen: Seen) -> Iterator[Callable[..., Page]]:
    """Open a report from disk, in a window of this width and in this scheme."""
    contexts = []

    def open_report(kind: str, *, width: int = 1100, dark: bool = False, file: str = "report.html") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            is_mobile=width < 500,  # a phone shows a page without a viewport of its own as wide as a desk's
            color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("console", seen.hear)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("dialog", seen.answer)
        page.goto((reports[kind] / file).resolve().as_uri())
        return page

    yield open_report
    for context in contexts:
        context.close()
