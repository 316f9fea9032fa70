"""The templates of all pages, with their style, their filters and their Content-Security-Policy."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from playbook.quantities import Span
from reports import runbooks

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent / "templates"
BYTECODE = Path(__file__).parent / "__pycache__"
# Nothing is fetched, sent or framed, whatever a log line or a query says.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'"


@cache
def environment(timezone: str) -> Any:
    """Return the templates, with times in UTC and in this zone."""
    import jinja2

    zone = ZoneInfo(timezone)

    def moment(stamp: str) -> str:
        at = datetime.fromisoformat(stamp)
        local = f" ({at.astimezone(zone):%H:%M} {timezone})" if timezone != "UTC" else ""
        return f"{at:%Y-%m-%d %H:%M:%S} UTC{local}"

    class Compiled(jinja2.FileSystemBytecodeCache):
        """The compiled templates, beside the bytecode of modules; compiled again where that cannot be written."""

        def dump_bytecode(self, bucket: Any) -> None:
            if not sys.dont_write_bytecode:
                with suppress(OSError):
                    super().dump_bytecode(bucket)

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), bytecode_cache=Compiled(str(BYTECODE)),
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    filters: dict[str, Callable[..., object]] = {"moment": moment, "markdown": runbooks.render, "span": Span}
    made.filters |= filters
    return made


@cache
def file(name: str) -> str:
    """Return a file beside the templates."""
    return (HERE / name).read_text(encoding="utf-8")


def style() -> str:
    """Return the style that our own pages share."""
    return file("colours.css") + file("report.css")
