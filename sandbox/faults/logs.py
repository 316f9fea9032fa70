"""Faults that only show in the logs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.fault import Expect, Fault, Stack
from sandbox.polling import require

if TYPE_CHECKING:
    from pathlib import Path

ZONE = ZoneInfo("Europe/Chisinau")  # of the services, by TZ
MARK = "(errors-in-the-log)"
ERROR = re.compile(rb"(ERROR|FATAL).*" + re.escape(MARK.encode()))


def _lines() -> dict[str, str]:
    now = datetime.now(UTC)
    stamp = now.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    local = now.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
    structured = {
        "timestamp": now.isoformat(),
        "level": "ERROR",
        "logger": "orchestrator.worker",
        "message": f"step 'sweep' failed: upstream answered 503 {MARK}",
    }
    return {
        "worker": json.dumps(structured),
        "api": f"{local} ERROR orchestrator.api: unhandled exception in a request {MARK}",
        "postgres": f"{stamp} UTC [4711] orchestrator@orchestrator FATAL:  terminating connection {MARK}",
    }


def _append(stack: Stack) -> None:
    for service, line in _lines().items():
        with stack.log(service).open("a") as file:
            file.write(f"{line}\n")


def _logs(stack: Stack) -> list[Path]:
    return [stack.log(service) for service in _lines()]


def _all_there(stack: Stack) -> None:
    for path in _logs(stack):
        require(MARK in path.read_text(), f"{path.name} shows no error")


def _make_harmless(stack: Stack) -> None:
    """Overwrite the level in place, since services write to the same files."""
    for path in _logs(stack):
        with path.open("r+b") as file:
            for found in ERROR.finditer(file.read()):
                file.seek(found.start())
                file.write(b"DEBUG")  # of the same length, so that nothing else in the file moves


ERRORS = Fault(
    name="errors-in-the-log",
    does="appends current errors to the logs of the worker, the API and PostgreSQL",
    expect=Expect("NoActiveWorkers", "noted", "errors-in-log"),
    break_=_append,
    took_hold=_all_there,
    heal=_make_harmless,
)
