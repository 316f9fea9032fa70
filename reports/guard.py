"""The guard: a run is judged in a child process, and the one that was started ends it where it does not end by itself.

A thread that holds the interpreter's lock, or memory that is short, can keep a process from ever looking at its own
clock or at a signal. The guard's has neither trouble: it waits, and at the end reports what the judge had told it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterator

MARGIN = 0.8  # seconds after the run's deadline, to report
STOPPING = 3.3  # seconds after a signal, to report
RESCUE = 1.2  # seconds in which the guard itself must have reported
MEMORY = 256 << 20  # bytes that each process of a run may use
PAUSE = 0.02  # seconds between two looks at the memory
STARVED = 10.0  # seconds of waiting for a processor that are not counted
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def is_command_line() -> bool:
    """Return whether this process is pytest's own, and so may be split in two."""
    started = Path(getattr(sys.modules["__main__"], "__file__", None) or "")
    return hasattr(os, "fork") and (started.parent.name == "pytest" or started.stem in ("pytest", "py.test"))


class Teller(Struct):
    """In the judge: tells the guard what is known so far, so that it outlives the judge."""

    stream: int  # never closed: its end is the process's

    def tell(self, what: str, value: object) -> None:
        """Tell one thing; a guard that is gone is none of the judge's trouble."""
        line = memoryview(json.dumps([what, value]).encode() + b"\n")
        with suppress(OSError):
            while line:
                line = line[os.write(self.stream, line) :]


class Judge(Struct):
    """In the guard: the child that judges, and what it has told."""

    pid: int
    stream: int
    lifeline: int  # open for as long as the guard lives
    told: bytearray = field(default_factory=bytearray)
    signals: list[int] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    starved: float = 0.0  # seconds

    def facts(self) -> Iterator[tuple[str, Any]]:
        """Return what the judge told, in order; a line that it did not finish is left out."""
        for line in self.told.split(b"\n")[:-1]:
            what, value = json.loads(line)
            yield what, value

    def wait(self, seconds: float) -> tuple[int, str]:
        """Wait for its exit status. Where it has none of its own: return the status, and why it was ended.

        `seconds` is the run's deadline. A first signal is handed on, a second one ends the judge.
        """
        ends, why = self._clock() + seconds + MARGIN, f"the run did not end by its deadline of {seconds:g} s"
        handed_on = 0
        while self._is_running():
            if len(self.signals) > handed_on:
                name = signal.Signals(self.signals[-1]).name
                why = f"the run did not end within {STOPPING:g} s of {name}" if not handed_on else f"a second {name}"
                ends = min(ends, self._clock() + (0 if handed_on else STOPPING))
                handed_on = len(self.signals)
                os.kill(self.pid, signal.SIGTERM)
            if (used := max(map(_memory, _family(self.pid)))) > MEMORY:
                why = f"the run used {used >> 20} MiB of memory (limit {MEMORY >> 20} MiB)"
            elif self._clock() < ends:
                continue
            self._kill()
            return self._status, f"{why}, and was ended"
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return code, ""
        return self._status, f"the process that judged was ended by {signal.Signals(-code).name}"

    def _clock(self) -> float:
        """Return seconds since it began, without those in which it waited for a processor.

        On a machine that is too busy for a run, the run takes longer; that it hangs cannot be said.
        """
        waited = max(_waited_for_a_processor(each) for each in _family(self.pid))
        self.starved = max(self.starved, waited)
        return time.monotonic() - self.began - self.starved

    @property
    def slowness(self) -> float:
        """How much longer things take on this machine than on an idle one, 1 or more."""
        elapsed = time.monotonic() - self.began
        return elapsed / max(0.1 * elapsed, elapsed - self.starved)

    @property
    def _status(self) -> int:
        return 2 if self.signals else 3  # as pytest has them: interrupted, internal error

    def _is_running(self) -> bool:
        """Take in what it tells, for a moment; it has ended once its end of the pipe is closed."""
        if not select.select([self.stream], [], [], PAUSE)[0]:
            return True
        some = os.read(self.stream, 1 << 16)
        self.told += some
        return bool(some)

    def _kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        until = time.monotonic() + 0.5
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0 and time.monotonic() < until:  # one stuck in the kernel stays
            time.sleep(PAUSE)
        while select.select([self.stream], [], [], 0)[0] and (some := os.read(self.stream, 1 << 16)):
            self.told += some


def split() -> Judge | Teller:
    """Return, in the guard, the judge; in the judge, what tells the guard."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    there, tells = os.pipe()
    ends_with, lifeline = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    pid = os.fork()
    if pid:
        os.close(tells)
        os.close(ends_with)
        judge = Judge(pid, there, lifeline)
        for number in SIGNALS:
            signal.signal(number, lambda number, _: judge.signals.append(number))
    else:
        os.close(there)
        os.close(lifeline)
        _end_with_the_guard(ends_with)
        signal.signal(signal.SIGINT, lambda *_: None)  # a terminal sends it to both: the guard hands it on
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    return judge if pid else Teller(tells)


def end_for_certain(status: int, seconds: float) -> None:
    """End this process with this status where it has not ended by then: what it reports to may hang."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(status))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _end_with_the_guard(lifeline: int) -> None:
    """Have the kernel end this process when the guard is gone, which may be killed without a word (Linux)."""
    import fcntl

    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)


def _waited_for_a_processor(pid: str) -> float:
    """Return the seconds that a process was ready to run and did not, at most `STARVED`; 0 where that is not shown."""
    try:
        return min(int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9, STARVED)
    except (OSError, IndexError):
        return 0.0


def _family(pid: int) -> list[str]:
    """Return a process and its children, such as the workers of xdist, as far as these are to be seen."""
    try:
        return [str(pid), *Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return [str(pid)]


def _memory(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
