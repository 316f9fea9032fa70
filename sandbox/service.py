"""The services of a sandbox: their protocols, and the services of the embedded form, which are processes."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Literal, Protocol

from sandbox import processes
from sandbox.polling import until
from sandbox.processes import uninterrupted
from sandbox.servers import SandboxError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import psutil

    from sandbox.state import State

Condition = Literal["running", "frozen", "stopped"]


class Service(Protocol):
    """One service of the stack, or a client that a fault starts."""

    name: str  # `api`, `worker-1`, …

    @property
    def pid(self) -> int | None:
        """The pid of its first process; None where it does not run."""

    def start(self) -> None:
        """Start it and return when it serves."""

    def stop(self) -> None:
        """End it; does nothing where it does not run."""

    def freeze(self) -> None:
        """Suspend all of its processes."""

    def thaw(self) -> None:
        """Resume its processes."""

    def condition(self) -> Condition:
        """Return whether it runs."""


class Worker(Service, Protocol):
    """A worker, which also has a name in the database."""

    @property
    def worker_id(self) -> str:
        """Its id in worker_heartbeat; every start makes a new one."""


class Postgres(Service, Protocol):
    """The database server."""

    def start_held_up(self) -> None:
        """Start it so that it stays in recovery and tells its clients that it is starting up."""

    def release(self) -> None:
        """Let a held-up start finish."""


class Keeper(Protocol):
    """Keeps the processes of a sandbox: records which one belongs to which service."""

    state: State

    def log(self, service: str) -> Path:
        """Return the log file of a service."""

    def adopt(self, name: str, child: subprocess.Popen[bytes]) -> None:
        """Record a process that was just started."""

    def disown(self, name: str) -> None:
        """Remove the record of a process that has ended."""


class EmbeddedService:
    """A service that is a process, or a family of them, and outlives the command that started it."""

    ending = signal.SIGTERM

    def __init__(
        self,
        stack: Keeper,
        name: str,
        command: Callable[[], Sequence[str]],
        *,
        log: str = "",
        environment: Callable[[], Mapping[str, str]] = dict,
        ready: Callable[[], object] = lambda: None,
    ) -> None:
        self.name = name
        self._stack = stack
        self._command = command
        self._log = log or name
        self._environment = environment
        self._ready = ready

    def launch(self) -> None:
        """Start the process, unless it runs, and return at once."""
        if self.condition() != "stopped":
            return
        with uninterrupted():
            self._stack.adopt(
                self.name, processes.spawn(self._command(), self._stack.log(self._log), self._environment())
            )

    def start(self) -> None:
        """Start it and return when it serves."""
        self.launch()
        self.wait_ready()

    def wait_ready(self, seconds: float = 15) -> None:
        """Wait until it serves; SandboxError where it ends instead, NotYet after `seconds`."""

        def check() -> None:
            if self.condition() == "stopped":
                raise SandboxError(f"{self.name} ended at its start: see {self._stack.log(self._log)}")
            self._ready()

        until(check, seconds)

    def stop(self, patience: float = 3) -> None:
        """End it, by force after `patience` seconds."""
        if process := self._process():
            processes.thaw(process)  # a suspended process does not act on the signal
            family = processes.family(process)
            if patience:
                processes.send([process], self.ending)
                family = processes.wait_gone(family, patience)
            if family:
                self._force(family)
        with uninterrupted():
            self._stack.disown(self.name)

    def _force(self, family: list[psutil.Process]) -> None:
        processes.send(family, signal.SIGKILL)
        if left := processes.wait_gone(family, 5):
            raise SandboxError(f"{self.name} does not end: pid {', '.join(str(each.pid) for each in left)}")

    def freeze(self) -> None:
        """Suspend all of its processes."""
        process = self._process()
        if process is None:
            raise SandboxError(f"{self.name} is not running")
        processes.freeze(process)

    def thaw(self) -> None:
        """Resume its processes."""
        if process := self._process():
            processes.thaw(process)

    def condition(self) -> Condition:
        """Return whether it runs."""
        process = self._process()
        if process is None:
            return "stopped"
        return "frozen" if process.status() == "stopped" else "running"

    @property
    def pid(self) -> int | None:
        """The pid of its first process; None where it does not run."""
        process = self._process()
        return process.pid if process else None

    def _process(self) -> psutil.Process | None:
        marked = self._stack.state.processes.get(self.name)
        return processes.find(marked) if marked else None
