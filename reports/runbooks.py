"""The runbooks as the report shows them: a page cut at its headings, rendered without letting any HTML through."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.results import Cause

HERE = Path(__file__).parent.parent / "runbooks"


class Section(Struct, frozen=True):
    """One `##` section of a runbook: `anchor` is what links and causes call it."""

    anchor: str
    title: str
    text: str


def anchor(title: str) -> str:
    """Return the anchor that Markdown viewers make of a heading."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", title.strip().lower()))


def sections(text: str) -> list[Section]:
    """Cut a runbook at its second-level headings; what stands before the first is left out."""
    parts = re.split(r"^## +(.+)$", text, flags=re.MULTILINE)[1:]
    return [
        Section(anchor(title), title.strip(), body.strip()) for title, body in zip(parts[::2], parts[1::2], strict=True)
    ]


def of_alert(name: str) -> list[Section]:
    """Return the sections of an alert's runbook; none where there is no such page (the project's tests see to it)."""
    page = HERE / f"{name}.md"
    return sections(page.read_text(encoding="utf-8")) if page.exists() else []


COMPOSE = "docker compose -f ops/docker-compose.yml"  # as the runbooks have it


def filled(text: str, values: Mapping[str, str], compose_command: str) -> str:
    """Return a section with the real names and values in its commands, where they are known, as a shell takes them."""
    for name, value in values.items():
        text = text.replace(f"<{name}>", shlex.quote(value))
    return text.replace(COMPOSE, compose_command) if compose_command else text


_FIRST_STEP = re.compile(r"^1\. \*\*(\w+)\*\* (.+?)(?=^\d+\. |\Z)", re.MULTILINE | re.DOTALL)


def first_step(alert: str, cause: Cause, compose_command: str) -> str:
    """Return what the runbook has one do first where this is the cause, on one line; empty without such a section."""
    text = next((section.text for section in of_alert(alert) if section.anchor == cause.runbook_anchor), "")
    step = _FIRST_STEP.search(filled(text, cause.values, compose_command))
    return f"({step[1]}) {' '.join(step[2].replace('```bash', '').replace('```', '').split())}" if step else ""


@cache
def _renderer() -> object:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")


def render(markdown: str) -> str:
    """Return a section as HTML; raw HTML in it is escaped."""
    html = str(_renderer().render(markdown))  # type: ignore[attr-defined]
    return html.replace("<pre>", '<pre tabindex="0">')  # what scrolls must be reached by keyboard
