"""Starting, finding, suspending and ending processes that outlive the command that started them."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

CLOCK_SLACK = 2.0  # seconds by which a process's start can seem to move when the machine's clock is set


@dataclass(frozen=True)
class Mark:
    """The identity of a process, which differs from that of a later one with the same pid."""

    pid: int
    created: float


def spawn(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process in its own session and append its output to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  our own commands
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **environment},
            start_new_session=True,
        )


def mark(pid: int) -> Mark:
    """Return the identity of the process that has this pid now."""
    return Mark(pid, psutil.Process(pid).create_time())


def find(marked: Mark) -> psutil.Process | None:
    """Return the marked process; None where it has ended."""
    try:
        process = psutil.Process(marked.pid)
        same = abs(process.create_time() - marked.created) <= CLOCK_SLACK
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return the process and its descendants, since PostgreSQL's backends lead process groups of their own."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to those processes that still exist."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # ended by itself in the meantime
            process.send_signal(number)


def freeze(process: psutil.Process) -> None:
    """Suspend the process first, so that it starts no more children, then its descendants."""
    process.suspend()
    send(family(process)[1:], signal.SIGSTOP)


def thaw(process: psutil.Process) -> None:
    """Resume the process and its descendants."""
    send(family(process)[::-1], signal.SIGCONT)


def wait_gone(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until the processes have ended (zombies have) and return those that have not after `seconds`."""
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if _lives(process)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return alive


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def free_ports(number: int) -> list[int]:
    """Return different ports on which nothing listens; RuntimeError where there are too few.

    They are below the range of the kernel's ports for outgoing connections: within it, a client that connects to a
    stopped service could be connected to itself.
    """
    candidates = random.sample(range(20000, 32000), 200)
    found = list(islice(filter(_is_free, candidates), number))
    if len(found) < number:
        raise RuntimeError(f"of 200 ports between 20000 and 32000 only {len(found)} are free, not {number}")
    return found


def free_port() -> int:
    """Return a port on which nothing listens."""
    return free_ports(1)[0]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay SIGINT and SIGTERM until the block ends.

    So every process that is started is recorded, and a second Ctrl-C does not stop the cleanup.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread handles signals
        return
    arrived: list[int] = []
    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, lambda received, _frame: arrived.append(received))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for received in arrived:
        signal.raise_signal(received)
