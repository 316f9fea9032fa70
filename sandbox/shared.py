"""What both forms of the sandbox share: the ways in over TCP, what is noted and switched, and what 'healthy' means."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import httpx
import psycopg
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox.http import CLIENT
from sandbox.polling import NotYet, require
from sandbox.servers import DATABASE, ROLE, SandboxError
from sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sandbox.monitoring.stack import Monitoring
    from sandbox.stack import Service, Worker
    from sandbox.state import State


class SharedStack:
    """A stack whose servers listen on 127.0.0.1; the forms add how their services run."""

    state: State
    folder: Path

    @property
    def services(self) -> Sequence[Service]:
        """All services, as `status` lists them."""
        raise NotImplementedError

    @property
    def workers(self) -> Sequence[Worker]:
        """The workers."""
        raise NotImplementedError

    def sql(self, statement: str, parameters: Sequence[object] = (), database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Run a statement as the sandbox's administrator."""
        raise NotImplementedError

    @property
    def monitoring(self) -> Monitoring:
        """What watches this sandbox."""
        raise SandboxError("this sandbox has no monitoring: `python -m sandbox up --monitoring` makes one with it")

    @property
    def api_url(self) -> str:
        """Where the API listens."""
        return f"http://127.0.0.1:{self.state.ports['api']}"

    @property
    def redis_url(self) -> str:
        """Where Redis listens."""
        return f"redis://127.0.0.1:{self.state.ports['redis']}/0"

    def database_url(self, role: str = ROLE, password: str | None = None) -> str:
        """Return the database's URL as Ordinaut's services write it."""
        port = self.state.ports["postgres"]
        return f"postgresql+psycopg://{role}:{password or self.state.password}@127.0.0.1:{port}/{DATABASE}"

    @property
    def password(self) -> str:
        """The right password of the role `orchestrator`."""
        return self.state.password

    def connect(self, user: str = ROLE) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as a client would, over TCP and with the password, in bounded time."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.state.ports["postgres"],
            user=user,
            password=self.state.password,
            dbname=DATABASE,
            autocommit=True,
            connect_timeout=2,
            application_name="sandbox-client",
        )

    def redis_client(self, password: str | None = None, timeout: float = 1) -> Redis:
        """Return a client with short time limits."""
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
        """Tell the stand-in services what to do wrong."""
        switches = replace(Switches.load(self.switches), **cast("Any", changes))
        switches.save(self.switches)
        return switches

    def note(self, key: str, value: str | None) -> None:
        """Remember something until the fault is healed."""
        if value is None:
            self.state.notes.pop(key, None)
        else:
            self.state.notes[key] = value
        self.state.save()

    def noted(self, key: str) -> str:
        """Return what was noted; empty where nothing was."""
        return self.state.notes.get(key, "")

    # -- what 'healthy' means

    def require_healthy(self) -> None:
        """Raise NotYet unless every part works and says so."""
        for service in self.services:
            require(service.condition() == "running", f"{service.name} is {service.condition()}")
        self._require_database()
        self._require_redis()
        for worker in self.workers:
            self.require_heartbeat(worker.worker_id)
        self._require_jobs()
        document = self._health()
        bad = [f"{each['name']}: {each['message']}" for each in document["checks"] if each["status"] != "healthy"]
        require(document["status"] == "healthy", f"the API says {document['status']}: {'; '.join(bad)}")

    def _require_database(self) -> None:
        self._sql_or_not_yet("SELECT 1", database="postgres")  # the one that is always there

    def _require_redis(self) -> None:
        try:
            with self.redis_client() as client:
                client.ping()
        except RedisError as error:
            raise NotYet(f"Redis does not answer: {error}") from error

    def _require_api(self) -> None:
        try:
            CLIENT.get(f"{self.api_url}/health/live", timeout=2)
        except httpx.TransportError as error:
            raise NotYet(f"the API does not answer: {error!r}") from error

    def _health(self) -> dict[str, Any]:
        try:
            response = CLIENT.get(f"{self.api_url}/health", timeout=5)
            response.raise_for_status()
            document: dict[str, Any] = response.json()
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            raise NotYet(f"the API's health is no document: {error!r}") from error
        return document

    def require_heartbeat(self, worker_id: str) -> None:
        """Raise NotYet unless the worker was seen just now, by the server that runs now."""
        seen = self._sql_or_not_yet(
            "SELECT 1 FROM worker_heartbeat WHERE worker_id = %s"
            " AND last_seen > greatest(now() - interval '10 s', pg_postmaster_start_time())",
            (worker_id,),
        )
        require(seen, f"{worker_id} has sent no heartbeat for 10 s, or none since the database started")

    def _require_jobs(self) -> None:
        missing = self._sql_or_not_yet(
            "SELECT title FROM task WHERE status = 'active' AND schedule_kind IN ('cron', 'rrule', 'once')"
            " AND NOT (schedule_kind = 'once' AND schedule_expr::timestamptz <= now())"
            " AND NOT EXISTS (SELECT FROM apscheduler_jobs WHERE id = schedule_kind || '-' || task.id)"
        )
        require(not missing, f"no job for {', '.join(title for (title,) in missing)}")

    def _sql_or_not_yet(
        self, statement: str, parameters: Sequence[object] = (), database: str = DATABASE
    ) -> list[tuple[Any, ...]]:
        try:
            return self.sql(statement, parameters, database)
        except psycopg.Error as error:
            raise NotYet(str(error).strip()) from error
