"""The embedded form of the sandbox: real servers from wheels, services as processes, state in one folder."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sandbox import backups, processes, servers
from sandbox.monitoring import programs
from sandbox.monitoring.stack import PORTS as MONITORING_PORTS
from sandbox.monitoring.stack import Monitoring
from sandbox.servers import DATABASE, ROLE, SandboxError
from sandbox.service import EmbeddedService
from sandbox.stack import PORTS, Stack
from sandbox.state import FILE as STATE_FILE
from sandbox.state import State
from sandbox.switches import FILE as SWITCHES_FILE
from sandbox.switches import VARIABLE as SWITCHES_VARIABLE
from sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable

    import psutil


REPOSITORY = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
WORKERS = 2
LOGS = ("api", "scheduler", "worker", "postgres", "redis")
MARKER_LENGTH = 20  # what `/.s.PGSQL.<port>` adds to the path of the socket's folder, with a reserve


class EmbeddedWorker(EmbeddedService):
    """A worker; every start makes a new id, as in the real one."""

    def __init__(self, stack: EmbeddedStack, name: str) -> None:
        super().__init__(
            stack,
            name,
            lambda: _module("worker"),
            log="worker",
            environment=lambda: {**stack.environment(), "WORKER_ID": self.worker_id},
            ready=lambda: stack.require_heartbeat(self.worker_id),
        )

    @property
    def worker_id(self) -> str:
        """Its id in worker_heartbeat."""
        return self._stack.state.worker_ids[self.name]

    def launch(self) -> None:
        """Start it under a new id."""
        if self.condition() == "stopped":
            self._stack.state.worker_ids[self.name] = f"worker-{uuid4()}"
            super().launch()


class EmbeddedPostgres(EmbeddedService):
    """The database server."""

    ending = signal.SIGINT  # a fast shutdown: it does not wait for its clients

    def stop(self, patience: float = 3) -> None:
        """End it, by force after `patience` seconds."""
        super().stop(patience)
        # A held-up start that was not released would block the next one.
        (self._stack.state.folder / "postgres" / servers.HELD_UP).unlink(missing_ok=True)

    def _force(self, family: list[psutil.Process]) -> None:
        # The parent, which comes first, ends by itself, so that it frees its shared memory.
        processes.send(family[:1], signal.SIGQUIT)
        processes.send(family[1:], signal.SIGKILL)
        super()._force(processes.wait_gone(family, 3))

    def start_held_up(self) -> None:
        """Start it so that it stays in recovery."""
        data = self._stack.state.folder / "postgres"
        for name in (servers.HELD_UP, "recovery.signal"):
            (data / name).touch()
        self.launch()

    def release(self) -> None:
        """Let a held-up start finish."""
        (self._stack.state.folder / "postgres" / servers.HELD_UP).unlink(missing_ok=True)
        self.start()


class EmbeddedStack(Stack):
    """A whole Ordinaut in one folder."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        data = self.folder / "postgres"
        self.postgres: EmbeddedPostgres = EmbeddedPostgres(
            self, "postgres", lambda: servers.postgres_command(data), ready=self._require_database
        )
        self.redis: EmbeddedService = EmbeddedService(
            self,
            "redis",
            lambda: servers.redis_command(self.folder / "redis", self.state.ports["redis"]),
            ready=self._require_redis,
        )
        self.api: EmbeddedService = self.client("api", "api", ready=self._require_api)
        self.scheduler: EmbeddedService = self.client("scheduler", "scheduler", ready=self._require_jobs)
        self.workers: list[EmbeddedWorker] = [EmbeddedWorker(self, f"worker-{n}") for n in range(1, WORKERS + 1)]
        self._monitoring = Monitoring(self) if state.monitoring else None
        monitoring = self._monitoring.services if self._monitoring else []
        self.services: list[EmbeddedService] = [
            self.postgres, self.redis, self.api, self.scheduler, *self.workers, *monitoring
        ]  # fmt: skip

    @classmethod
    def up(cls, folder: Path, seconds: float = 30, *, monitoring: bool = False) -> EmbeddedStack:
        """Make a new sandbox and return when it is healthy; SandboxError where that fails, with nothing left behind."""
        if monitoring:
            programs.require_all()
        folder = folder.resolve()
        if (folder / STATE_FILE).exists():
            found = cls.load(folder)
            if found.is_up():
                raise SandboxError(f"a sandbox is already up in {folder}")
            found.down()
        if folder.exists() and any(folder.iterdir()):
            raise SandboxError(f"{folder} is not empty and not a sandbox: choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        names = (*PORTS, *(MONITORING_PORTS if monitoring else ()))
        ports = dict(zip(names, processes.free_ports(len(names)), strict=True))
        state = State(folder, monitoring=monitoring, password=secrets.token_urlsafe(18), ports=ports)
        stack = cls(state)
        return stack._make(stack._fill, seconds)

    def _fill(self) -> None:
        for name in ("logs", "redis", "pids"):
            (self.folder / name).mkdir()
        for name in LOGS:
            self.log(name).touch()
        self._choose_socket_folder()
        Switches().save(self.folder)
        # The slow ones first: their imports run during initdb.
        self.api.launch()
        self.redis.launch()
        if self.state.monitoring:
            self.monitoring.begin()
        servers.make_database_cluster(
            self.folder / "postgres", self.state.password, self.state.ports["postgres"], Path(self.state.socket_folder)
        )
        self.postgres.start()
        self.sql(f"CREATE DATABASE {DATABASE}", database="postgres")
        self.sql((HERE / "schema.sql").read_text() + (HERE / "seed.sql").read_text())
        self.scheduler.launch()  # after the seed: it loads the tasks only once
        for worker in self.workers:
            worker.launch()
        self.redis.wait_ready()
        self.api.wait_ready()
        self.write_target()
        backups.make(self)
        if self.state.monitoring:
            self.monitoring.complete()

    def _choose_socket_folder(self) -> None:
        folder = self.folder / "socket"
        if len(bytes(folder)) + MARKER_LENGTH > servers.SOCKET_PATH_LIMIT:
            folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
        folder.mkdir(exist_ok=True)
        self.state.socket_folder = str(folder)
        self.state.save()

    def _end(self) -> None:
        for name in sorted(self.state.processes, key=lambda each: each == "postgres"):  # its clients first
            self._named(name).stop(patience=0)
        if self.state.socket_folder:
            shutil.rmtree(self.state.socket_folder, ignore_errors=True)

    def adopt(self, name: str, child: subprocess.Popen[bytes]) -> None:
        """Record a process that was just started."""
        self._children[name] = child
        self.state.processes[name] = processes.mark(child.pid)
        self._pid_file(name).write_text(f"{child.pid}\n")
        self.state.save()

    def disown(self, name: str) -> None:
        """Remove the record of a process that has ended."""
        if child := self._children.pop(name, None):
            child.wait()  # leaves no zombie of a child of this process
        if self.state.processes.pop(name, None):
            self.state.save()

    # -- the services

    @property
    def monitoring(self) -> Monitoring:
        """The monitoring of this sandbox; SandboxError where it has none."""
        return self._monitoring or super().monitoring

    def require_healthy(self) -> None:
        """Raise NotYet unless every part works and reports so, including the monitoring."""
        super().require_healthy()
        if self.state.monitoring:
            self.monitoring.require_healthy()

    def client(
        self, name: str, module: str = "", *arguments: str, ready: Callable[[], object] = lambda: None
    ) -> EmbeddedService:
        """Return the process of that name; it runs the module of `sandbox.services` with these arguments."""
        return EmbeddedService(
            self, name, lambda: _module(module, *arguments), environment=self.environment, ready=ready
        )

    def _named(self, name: str) -> EmbeddedService:
        return next((each for each in self.services if each.name == name), self.client(name))

    def environment(self) -> dict[str, str]:
        """Return the environment of the services."""
        return {
            "DATABASE_URL": self.database_url(),
            "REDIS_URL": self.redis_url,
            "TZ": "Europe/Chisinau",
            "PORT": str(self.state.ports["api"]),
            "HEARTBEAT_SECONDS": "1",
            "RATE_LIMIT_PER_MINUTE": "6000",  # tests send many requests
            "RATE_LIMIT_PER_HOUR": "100000",
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            SWITCHES_VARIABLE: str(self.folder / SWITCHES_FILE),
        }

    # -- access

    def dump(self) -> bytes:
        """Return the database as pg_dump writes it."""
        command = [
            str(servers.postgres_binary("pg_dump")), "--host", self.state.socket_folder,
            "--port", str(self.state.ports["postgres"]), "--username", ROLE, DATABASE,
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603  our own command

    def rdb(self) -> bytes:
        """Return the data of Redis as an RDB file."""
        with self.redis_client(timeout=30) as client:  # saving waits for the disk
            client.save()
        return (self.folder / "redis" / "dump.rdb").read_bytes()

    def log(self, service: str) -> Path:
        """Return the log file of a service."""
        return self.folder / "logs" / f"{service}.log"

    def _settings(self) -> tuple[dict[str, str], dict[str, dict[str, Path]]]:
        urls = self._monitoring.urls() if self._monitoring else {}
        pids = {name: self._pid_file(name) for name in ("api", "scheduler")}
        return urls, {"logs": {name: self.log(name) for name in LOGS}, "pids": pids}

    def _pid_file(self, name: str) -> Path:
        return self.folder / "pids" / f"{name}.pid"


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"sandbox.services.{name}", *arguments]
