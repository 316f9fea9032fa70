"""Runs a stand-in service in its container: ends on SIGTERM, and crashes or leaks memory on signals of faults."""

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
MOST = 64  # blocks, so that a container without a memory limit does not use up the host's memory


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)  # without a handler, process 1 of a container ignores the signal


def _crash(_number: int, _frame: FrameType | None) -> NoReturn:
    line = {"timestamp": datetime.now(UTC).isoformat(), "level": "CRITICAL", "logger": "orchestrator"}
    print(json.dumps(line | {"message": "unhandled exception: the event loop is closed"}), file=sys.stderr)
    sys.exit(1)


def _leak(_number: int, _frame: FrameType | None) -> None:
    held = []
    for _ in range(MOST):
        held.append(b"x" * BLOCK)  # written to, so that it is allocated
        time.sleep(0.01)


def main(service: str) -> None:
    """Run the service."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(CRASH, _crash)
    signal.signal(LEAK, _leak)
    runpy.run_module(f"sandbox.services.{service}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
