"""The sandbox as faults see it, whichever form it has: an abstract base class that each form completes."""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import httpx
import psycopg
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox import disk, target
from sandbox.http import CLIENT
from sandbox.polling import not_yet, require, until
from sandbox.processes import uninterrupted
from sandbox.servers import DATABASE, ROLE, SandboxError
from sandbox.state import FILE as STATE_FILE
from sandbox.state import State
from sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Self

    from sandbox.monitoring.stack import Monitoring
    from sandbox.service import Postgres, Service, Worker

    Connection = psycopg.Connection[tuple[Any, ...]]

HOST = "127.0.0.1"
PORTS = ("postgres", "redis", "api")  # the services that listen

_needs_database = not_yet("PostgreSQL returns no result", psycopg.Error)


class Stack(ABC):
    """A whole Ordinaut whose servers listen on 127.0.0.1."""

    administrator = ROLE  # a superuser of the database

    postgres: Postgres
    redis: Service
    api: Service
    scheduler: Service
    workers: Sequence[Worker]
    services: Sequence[Service]  # all of them, in the order of `status`

    def __init__(self, state: State) -> None:
        self.state = state
        self.folder = state.folder
        self.password = state.password  # the right one of the role `orchestrator`

    @abstractmethod
    def client(self, name: str, module: str = "", *arguments: str) -> Service:
        """Return the client process of that name; it runs the module of `sandbox.services` with these arguments."""

    @abstractmethod
    def dump(self) -> bytes:
        """Return the database as pg_dump writes it."""

    @abstractmethod
    def rdb(self) -> bytes:
        """Return the data of Redis as an RDB file."""

    @abstractmethod
    def log(self, service: str) -> Path:
        """Return the log file of a service."""

    @abstractmethod
    def _settings(self) -> tuple[dict[str, str], dict[str, dict[str, Path]]]:
        """Return the checker's settings that only this form has: keys, and tables of them."""

    @abstractmethod
    def _end(self) -> None:
        """End every service, and remove what the sandbox has outside of its folder."""

    # -- life

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the sandbox of a folder; SandboxError where there is none."""
        try:
            return cls(State.load(folder.resolve()))
        except FileNotFoundError:
            raise SandboxError(f"no sandbox in {folder}: `python -m sandbox up` makes one") from None

    def _make(self, fill: Callable[[], object], seconds: float) -> Self:
        """Fill the folder and return when the sandbox is healthy; on any error, leave nothing behind."""
        try:
            self.state.save()
            fill()
            until(self.require_healthy, seconds)
        except BaseException:
            self.down()
            raise
        return self

    def is_up(self) -> bool:
        """Return whether any service runs."""
        return any(service.condition() != "stopped" for service in self.services)

    def down(self) -> None:
        """End every service and remove the folder."""
        with uninterrupted():
            self._end()
            disk.detach(self.folder)
            # The state goes last: a `down` that was killed half-way can be repeated.
            for entry in self.folder.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry)
                elif entry.name != STATE_FILE:
                    entry.unlink()
            shutil.rmtree(self.folder)

    # -- access

    def service(self, name: str) -> Service:
        """Return the service of that name; SandboxError where this sandbox has none."""
        for service in self.services:
            if service.name == name:
                return service
        raise SandboxError(f"this sandbox has no service {name}")

    @property
    def monitoring(self) -> Monitoring:
        """The monitoring of this sandbox; SandboxError where it has none."""
        raise SandboxError("this sandbox has no monitoring: `python -m sandbox up --monitoring` makes one that does")

    @property
    def api_url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.state.ports['api']}"

    @property
    def redis_url(self) -> str:
        """The address of Redis."""
        return f"redis://127.0.0.1:{self.state.ports['redis']}/0"

    def database_url(self, role: str = ROLE, password: str | None = None) -> str:
        """Return the database's URL as Ordinaut's services write it."""
        port = self.state.ports["postgres"]
        return f"postgresql+psycopg://{role}:{password or self.password}@127.0.0.1:{port}/{DATABASE}"

    def connect(self, user: str = ROLE) -> Connection:
        """Connect as a client does, over TCP and with the password, within 2 seconds."""
        return self._connect(HOST, user, DATABASE, seconds=2, application_name="sandbox-client")

    def sql(self, statement: str, parameters: Sequence[object] = (), database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Run a statement as the sandbox's administrator, whom no fault locks out, and return the rows."""
        host = self.state.socket_folder or HOST
        with self._connect(host, self.administrator, database, seconds=3, application_name="sandbox") as connection:
            # Without parameters, several statements can be sent at once and % needs no escape.
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def _connect(self, host: str, user: str, database: str, *, seconds: int, application_name: str) -> Connection:
        return psycopg.connect(
            host=host,
            port=self.state.ports["postgres"],
            user=user,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=seconds,
            application_name=application_name,
        )

    def redis_client(self, password: str | None = None, timeout: float = 1) -> Redis:
        """Return a client of Redis with a time limit of `timeout` seconds and without retries."""
        return Redis.from_url(
            self.redis_url,
            password=password,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )

    @property
    def switches(self) -> Path:
        """The folder in which the stand-in services find their switches."""
        return self.folder

    def switch(self, **changes: object) -> Switches:
        """Set switches of the stand-in services and return all of them; others keep their value."""
        switches = replace(Switches.load(self.switches), **cast("Any", changes))
        switches.save(self.switches)
        return switches

    def note(self, key: str, value: str | None) -> None:
        """Remember a value until the fault is healed; None forgets it."""
        if value is None:
            self.state.notes.pop(key, None)
        else:
            self.state.notes[key] = value
        self.state.save()

    def noted(self, key: str) -> str:
        """Return a noted value; empty where there is none, as when breaking was interrupted."""
        return self.state.notes.get(key, "")

    def write_target(self, *, database_url: str | None = None, limits: target.Limits | None = None) -> None:
        """Write the checker's settings, with another database URL or other limits where these are given."""
        urls = {
            "api_url": self.api_url,
            "database_url": database_url or self.database_url(),
            "redis_url": self.redis_url,
        }
        own, tables = self._settings()
        target.write(self.folder, urls | own, tables, limits or {})

    # -- health

    def require_healthy(self) -> None:
        """Raise NotYet unless every part works and reports so."""
        for service in self.services:
            require(service.condition() == "running", f"{service.name} is {service.condition()}")
        self._require_database()
        self._require_redis()
        for worker in self.workers:
            self.require_heartbeat(worker.worker_id)
        self._require_jobs()
        self.require_api_healthy()

    def require_api_healthy(self) -> None:
        """Raise NotYet unless the API reports that every part is healthy."""
        with not_yet("the API returns no health document", httpx.HTTPError, json.JSONDecodeError):
            document = CLIENT.get(f"{self.api_url}/health", timeout=5).raise_for_status().json()
        bad = [f"{each['name']}: {each['message']}" for each in document["checks"] if each["status"] != "healthy"]
        require(document["status"] == "healthy", f"the API reports {document['status']}: {'; '.join(bad)}")

    @_needs_database
    def _require_database(self) -> None:
        self.sql("SELECT 1", database="postgres")  # the database that always exists

    def _require_redis(self) -> None:
        with not_yet("Redis does not answer", RedisError), self.redis_client() as client:
            client.ping()

    def _require_api(self) -> None:
        with not_yet("the API does not answer", httpx.TransportError):
            CLIENT.get(f"{self.api_url}/health/live", timeout=2)

    @_needs_database
    def require_heartbeat(self, worker_id: str) -> None:
        """Raise NotYet unless the worker sent a heartbeat within 10 seconds, to the server that runs now."""
        seen = self.sql(
            "SELECT 1 FROM worker_heartbeat WHERE worker_id = %s"
            " AND last_seen > greatest(now() - interval '10 s', pg_postmaster_start_time())",
            (worker_id,),
        )
        require(seen, f"{worker_id} has sent no heartbeat for 10 s, or none since the database started")

    @_needs_database
    def _require_jobs(self) -> None:
        missing = self.sql(
            "SELECT title FROM task WHERE status = 'active' AND schedule_kind IN ('cron', 'rrule', 'once')"
            " AND NOT (schedule_kind = 'once' AND schedule_expr::timestamptz <= now())"
            " AND NOT EXISTS (SELECT FROM apscheduler_jobs WHERE id = schedule_kind || '-' || task.id)"
        )
        require(not missing, f"no job for {', '.join(title for (title,) in missing)}")
