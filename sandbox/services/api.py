"""The stand-in API: health, metrics and tasks, with the behaviour of the real one, including its oddities."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from bisect import bisect_right
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, LiteralString
from uuid import UUID, uuid4

import psycopg
import redis
import uvicorn
from fastapi import Body, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from psycopg.types.json import Jsonb
from pydantic import BaseModel
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox.services.common import connect, start_log
from sandbox.switches import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from psycopg.rows import DictRow

SLOW_SECONDS = 2.1
LONG_AGO = "2025-01-01T00:00:00+00:00"
READY_IS_REMEMBERED = 15.0  # seconds: the real one reports ready for a while after PostgreSQL has stopped
HEALTH_STREAM = "health-check-stream"
RANKS = ("healthy", "degraded", "unhealthy")
LIMITS = {  # seconds: requests of a client
    60.0: int(os.environ.get("RATE_LIMIT_PER_MINUTE", "60")),
    3600.0: int(os.environ.get("RATE_LIMIT_PER_HOUR", "1000")),
}
Status = Literal["healthy", "degraded", "unhealthy"]


class Database:
    """One connection for all requests, renewed when it breaks.

    It has no time limit, as in the real API, which does not answer for more than 20 s while PostgreSQL is suspended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[DictRow] | None = None

    def ask(self, statement: LiteralString, parameters: tuple[object, ...] = ()) -> list[DictRow]:
        """Run one statement and return its rows; retry it once on a new connection where the existing one fails."""
        with self._lock:
            if self._connection is not None:
                try:
                    return self._run(self._connection, statement, parameters)
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    self._connection.close()
                    self._connection = None
            self._connection = connect("orchestrator-api")
            return self._run(self._connection, statement, parameters)

    @staticmethod
    def _run(
        connection: psycopg.Connection[DictRow], statement: LiteralString, parameters: tuple[object, ...]
    ) -> list[DictRow]:
        cursor = connection.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


@dataclass
class Entry:
    """One entry of the health document."""

    name: str
    status: Status
    message: str
    duration_ms: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


def _check_database() -> Entry:
    database.ask("SELECT 1")
    return Entry("database", "healthy", "Database is responding")


def _check_redis() -> Entry:
    cache.ping()
    # The real one writes too, so it detects a Redis that refuses writes.
    cache.xadd(HEALTH_STREAM, {"test": "health"})
    cache.delete(HEALTH_STREAM)
    return Entry("redis", "healthy", "Redis is responding")


def _check_workers() -> Entry:
    (seen,) = database.ask(
        "SELECT count(*) AS active FROM worker_heartbeat WHERE last_seen > now() - interval '2 minutes'"
    )
    active = seen["active"]
    status: Status = "unhealthy" if active == 0 else "degraded" if active < 2 else "healthy"
    return Entry("workers", status, f"{active} active workers", details={"active_workers": active})


def _check_scheduler() -> Entry:
    (overdue,) = database.ask(
        "SELECT count(*) AS items, coalesce(extract(epoch FROM now() - min(run_at)), 0)::float AS lag"
        " FROM due_work WHERE run_at <= now() AND (locked_until IS NULL OR locked_until <= now())"
    )
    lag, items = overdue["lag"], overdue["items"]
    status: Status = "unhealthy" if lag > 300 else "degraded" if lag > 60 or items >= 50 else "healthy"
    details = {"overdue_tasks": items, "lag_seconds": round(lag, 1)}
    return Entry("scheduler", status, f"{items} overdue items", details=details)


CHECKS = {
    "api": lambda: Entry("api", "healthy", "API is responding"),
    "database": _check_database,
    "redis": _check_redis,
    "workers": _check_workers,
    "scheduler": _check_scheduler,
}


def health() -> list[Entry]:
    """Return the entry of every part; they are checked one after the other, as in the real API."""
    entries = []
    for name, check in CHECKS.items():
        started = time.monotonic()
        try:
            entry = check()
        except (psycopg.Error, redis.RedisError) as error:
            entry = Entry(name, "unhealthy", f"{name} check failed", error=str(error).strip())
        entry.duration_ms = round((time.monotonic() - started) * 1000, 2)
        entries.append(entry)
    return entries


def limit_reached(client: str) -> bool:
    """Return whether the client has reached a limit of requests; if not, count this request."""
    now = time.monotonic()
    moments = accepted.setdefault(client, [])
    del moments[: bisect_right(moments, now - max(LIMITS))]
    if any(len(moments) - bisect_right(moments, now - span) >= limit for span, limit in LIMITS.items()):
        return True
    moments.append(now)
    return False


# The metrics of the real API that have series; those of other processes have none there.
registry = CollectorRegistry()
duration = Histogram(
    "orchestrator_http_request_duration_seconds", "HTTP request duration", ["method", "endpoint"], registry=registry
)
requests = Counter(
    "orchestrator_http_requests_total", "HTTP requests", ["method", "endpoint", "status_code"], registry=registry
)


class NewTask(BaseModel):
    """The body of POST /tasks/."""

    title: str
    description: str
    schedule_kind: Literal["cron", "rrule", "once", "event", "condition"]
    schedule_expr: str
    payload: dict[str, Any]
    created_by: UUID
    timezone: str = "Europe/Chisinau"
    priority: int = 5


log = start_log("api")
database = Database()
cache = redis.Redis.from_url(
    os.environ["REDIS_URL"], socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0)
)
accepted: dict[str, list[float]] = {}  # client: when it sent the requests of the last hour that were not refused


app = FastAPI(title="Ordinaut (stand-in)")
app.state.ready_judged = -float("inf")
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"])


@app.middleware("http")
async def measure_and_misbehave(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Measure the request, and misbehave as the sandbox's switches say."""
    started = time.monotonic()
    response = await _answer(request, call_next)
    route = request.scope.get("route")
    endpoint = getattr(route, "path", request.url.path)
    duration.labels(request.method, endpoint).observe(time.monotonic() - started)
    requests.labels(request.method, endpoint, response.status_code).inc()
    return response


async def _answer(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    match current().api:
        case "error":
            log.error("%s %s failed: unhandled exception", request.method, request.url.path)
            return JSONResponse({"detail": "Internal Server Error"}, 500)
        case "garbage":
            return HTMLResponse("<html><body><h1>It works!</h1></body></html>")
        case "rate-limited":
            return _too_many()
        case "stale" if request.url.path == "/health":  # as a cache before the API would
            healthy = [asdict(Entry(name, "healthy", "fine")) for name in CHECKS]
            return JSONResponse({"status": "healthy", "timestamp": LONG_AGO, "checks": healthy})
        case "slow":
            await asyncio.sleep(SLOW_SECONDS)
    if limit_reached(request.client.host if request.client else ""):
        return _too_many()
    return await call_next(request)


def _too_many() -> Response:
    return JSONResponse({"detail": "Rate limit exceeded"}, 429, {"Retry-After": "60"})


def agent(authorization: Annotated[str, Header()] = "") -> UUID:
    """Return the agent that the request's bearer token names."""
    scheme, _, token = authorization.partition(" ")
    try:
        known = scheme == "Bearer" and database.ask("SELECT id FROM agent WHERE id = %s", (UUID(token),))
    except ValueError:
        known = False
    if not known:
        raise HTTPException(401, "Authentication required", {"WWW-Authenticate": "Bearer"})
    return UUID(token)


Agent = Annotated[UUID, Depends(agent)]


@app.get("/health")
def get_health() -> dict[str, Any]:
    """Return the health document, with status 200 in any state."""
    entries = health()
    worst = max((entry.status for entry in entries), key=RANKS.index)
    counts = {rank: sum(entry.status == rank for entry in entries) for rank in RANKS}
    return {
        "status": worst,
        "timestamp": datetime.now(UTC).isoformat(),
        "checks": [asdict(entry) for entry in entries],
        "summary": {"total": len(entries), **counts},
        "request_id": str(uuid4()),
    }


@app.get("/health/ready")
def get_ready() -> JSONResponse:
    """Return whether the API is ready, which may be outdated."""
    if time.monotonic() - app.state.ready_judged > READY_IS_REMEMBERED:
        app.state.ready = all(entry.status != "unhealthy" for entry in health()[:3])
        app.state.ready_judged = time.monotonic()
    return JSONResponse({"status": "ready" if app.state.ready else "not ready"}, 200 if app.state.ready else 503)


@app.get("/health/live")
async def get_live() -> dict[str, str]:
    """Return that the process is alive."""
    return {"status": "alive"}


@app.get("/metrics")
async def get_metrics() -> Response:
    """Return the metrics in the format of Prometheus."""
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


@app.get("/tasks/")
def get_tasks(_: Agent) -> list[dict[str, Any]]:
    """Return the 100 newest tasks."""
    return database.ask("SELECT * FROM task ORDER BY created_at DESC LIMIT 100")


@app.post("/tasks/", status_code=201)
def post_task(_: Agent, task: Annotated[NewTask, Body()]) -> dict[str, Any]:
    """Make a task and return it; the scheduler loads it only at its next start."""
    if not isinstance(task.payload.get("pipeline"), list):
        raise HTTPException(422, "payload.pipeline is missing")
    values = {**task.model_dump(), "payload": Jsonb(task.payload)}
    try:
        (made,) = database.ask(
            "INSERT INTO task"
            " (title, description, schedule_kind, schedule_expr, payload, created_by, timezone, priority)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING *",
            tuple(values[name] for name in NewTask.model_fields),
        )
    except psycopg.IntegrityError as error:
        raise HTTPException(422, str(error)) from error
    return made


@app.post("/tasks/{task_id}/cancel")
def cancel_task(_: Agent, task_id: UUID) -> dict[str, Any]:
    """Cancel a task and return it."""
    done = database.ask("UPDATE task SET status = 'canceled' WHERE id = %s RETURNING *", (task_id,))
    if not done:
        raise HTTPException(404, "no such task")
    return done[0]


if __name__ == "__main__":
    log.info("API started")
    host = os.environ.get("HOST", "127.0.0.1")
    uvicorn.run(app, host=host, port=int(os.environ["PORT"]), log_config=None, timeout_graceful_shutdown=1)
