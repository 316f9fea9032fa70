"""What a sandbox can be asked to do, in whichever form it runs: the verbs that faults are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import psycopg
    from redis import Redis

    from sandbox.monitoring.stack import Monitoring
    from sandbox.switches import Switches
    from sandbox.target import Limits

Condition = Literal["running", "frozen", "stopped"]


class Service(Protocol):
    """One service of the stack, or a client that a fault lets loose on it."""

    @property
    def name(self) -> str:
        """What it is called: `api`, `worker-1`, …."""

    def start(self) -> None:
        """Start it and return when it serves."""

    def stop(self) -> None:
        """End it; nothing happens where it does not run."""

    def freeze(self) -> None:
        """Suspend all of its processes."""

    def thaw(self) -> None:
        """Let its processes go on."""

    def condition(self) -> Condition:
        """Say how it is."""


class Worker(Service, Protocol):
    """A worker, which also has a name in the database."""

    @property
    def worker_id(self) -> str:
        """Its id in worker_heartbeat, for as long as it runs; after a restart it has another."""


class Postgres(Service, Protocol):
    """The database server."""

    def start_held_up(self) -> None:
        """Start it so that it stays in its recovery, where it tells clients that it is starting up."""

    def release(self) -> None:
        """Let a held-up start come to its end."""


class Stack(Protocol):
    """A whole Ordinaut."""

    @property
    def folder(self) -> Path:
        """Where the sandbox keeps what it writes."""

    @property
    def api(self) -> Service:
        """The API."""

    @property
    def scheduler(self) -> Service:
        """The scheduler."""

    @property
    def workers(self) -> Sequence[Worker]:
        """The workers."""

    @property
    def postgres(self) -> Postgres:
        """The database server."""

    @property
    def redis(self) -> Service:
        """The event streams' server."""

    @property
    def monitoring(self) -> Monitoring:
        """What watches it; SandboxError where nothing does."""

    @property
    def api_url(self) -> str:
        """Where the API listens."""

    @property
    def password(self) -> str:
        """The right password of the role `orchestrator`."""

    def sql(
        self, statement: str, parameters: Sequence[object] = (), database: str = "orchestrator"
    ) -> list[tuple[Any, ...]]:
        """Run a statement as the sandbox's administrator, who needs no password."""

    def connect(self, user: str = "orchestrator") -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as a client would, over TCP and with the password, in bounded time."""

    def redis_client(self, password: str | None = None) -> Redis:
        """Return a client with short time limits."""

    def switch(self, **changes: object) -> Switches:
        """Tell the stand-in services what to do wrong; what is not named stays as it is."""

    def client(self, name: str, module: str = "", *arguments: str) -> Service:
        """Return a client process, found again by its name; the rest says what it runs when started."""

    def log(self, service: str) -> Path:
        """Return the log file of a service."""

    def write_target(self, *, database_url: str | None = None, limits: Limits | None = None) -> None:
        """Write the checker's settings, with another database URL or other limits if those are given."""

    def database_url(self, role: str = "orchestrator", password: str | None = None) -> str:
        """Return the database's URL as Ordinaut's services write it."""

    def dump(self) -> bytes:
        """Return what pg_dump writes of the database."""

    def rdb(self) -> bytes:
        """Return what Redis saves of its data."""

    def note(self, key: str, value: str | None) -> None:
        """Remember something until the fault is healed; None forgets it."""

    def noted(self, key: str) -> str:
        """Return what was noted; empty where nothing was, as when breaking was interrupted."""

    def require_healthy(self) -> None:
        """Raise NotYet unless every part works and says so."""
