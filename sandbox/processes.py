"""Starting, finding, freezing and ending processes that outlive the command which started them."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
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
    """What tells a process from a later one that got the same pid."""

    pid: int
    created: float


def spawn(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, its output appended to the log."""
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
    """Remember which process has this pid now."""
    return Mark(pid, psutil.Process(pid).create_time())


def find(marked: Mark) -> psutil.Process | None:
    """Return the process if it is still the same one and alive."""
    try:
        process = psutil.Process(marked.pid)
        same = abs(process.create_time() - marked.created) <= CLOCK_SLACK
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return the process and its descendants: PostgreSQL's backends lead groups of their own."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to those that are still there."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue  # ended by itself in the meantime


def freeze(process: psutil.Process) -> None:
    """Stop the parent first, so that it starts no more children, then the children."""
    process.suspend()
    send(family(process)[1:], signal.SIGSTOP)


def thaw(process: psutil.Process) -> None:
    """Let the whole family go on."""
    send(family(process)[::-1], signal.SIGCONT)


def wait_gone(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for the processes to end; return those that did not. A zombie has ended, though nobody looked."""
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
    """Return so many ports that nobody listens on, each another.

    They are below the range from which the kernel takes the ports of outgoing connections: a client that asks
    for a stopped service there could otherwise be connected to itself.
    """
    candidates = random.sample(range(20000, 32000), 200)
    found = list(islice(filter(_is_free, candidates), number))
    if len(found) < number:
        raise RuntimeError(f"of 200 ports between 20000 and 32000 no {number} are free")
    return found


def free_port() -> int:
    """Return a port that nobody listens on."""
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
    """Hold SIGINT and SIGTERM back until the block is over.

    So no process is started without being written down, and a second Ctrl-C does not end the cleaning up.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread alone: nothing is interrupted here
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
