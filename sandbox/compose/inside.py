"""Runs one of the stand-in services in its container: ends on SIGTERM, and breaks in the ways that faults ask for."""

from __future__ import annotations

import json
import runpy
import signal
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

CRASH, LEAK = signal.SIGUSR1, signal.SIGUSR2
BLOCK = 8 << 20
MOST = 64  # blocks: with no limit on its memory, the container does not take the host's


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)  # as process 1 of its container it would not be ended by the signal itself


def _crash(_number: int, _frame: FrameType | None) -> NoReturn:
    line = {"timestamp": datetime.now(UTC).isoformat(), "level": "CRITICAL", "logger": "orchestrator"}
    print(json.dumps(line | {"message": "unhandled exception: the event loop is closed"}), file=sys.stderr)
    sys.exit(1)


def _leak(_number: int, _frame: FrameType | None) -> None:
    held = []
    for _ in range(MOST):
        held.append(b"x" * BLOCK)  # written to, so that it is real
        time.sleep(0.01)


def main(service: str) -> None:
    """Become the service."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(CRASH, _crash)
    signal.signal(LEAK, _leak)
    runpy.run_module(f"sandbox.services.{service}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
