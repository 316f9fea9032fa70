"""Faults of Redis."""

from __future__ import annotations

from functools import partial

import redis

from sandbox.fault import Expect, Fault, Stack, stopped, suspended
from sandbox.polling import NotYet, require

STREAM = "sandbox-write"
PASSWORD = "changed-on-the-server"

_down = partial(Expect, "OrchestratorAPIDown", "firing")


def require_failing(stack: Stack, kind: type[redis.RedisError]) -> None:
    """Raise NotYet unless a client of Redis gets an error of this kind."""
    try:
        with stack.redis_client() as client:
            client.ping()
    except redis.RedisError as error:
        require(type(error) is kind, f"clients get: {error!r}")
        return
    raise NotYet("Redis still answers")


def _require_refused(stack: Stack, word: str) -> None:
    """Raise NotYet unless Redis refuses a write with an error that begins so."""
    try:
        with stack.redis_client() as client:
            client.xadd(STREAM, {"one": "entry"})
            client.delete(STREAM)
    except redis.ResponseError as error:
        require(word in (error.status_code, str(error).partition(" ")[0]), f"clients get: {error!r}")
        return
    raise NotYet("Redis still takes writes")


def _follow(stack: Stack, *primary: str) -> None:
    with stack.redis_client() as client:
        client.replicaof(*primary)


def _need_replicas(stack: Stack, number: int) -> None:
    with stack.redis_client() as client:
        client.config_set("min-replicas-to-write", number)


def _change_password(stack: Stack) -> None:
    with stack.redis_client() as client:
        client.config_set("requirepass", PASSWORD)
        client.client_kill_filter(_type="normal")  # connected clients would not notice


def _take_password_away(stack: Stack) -> None:
    # Where no password is set, because breaking was interrupted, Valkey accepts any password of the default user.
    with stack.redis_client(PASSWORD) as client:
        client.config_set("requirepass", "")


STOPPED = stopped(
    "redis-stopped",
    "stops Redis",
    _down("redis-unreachable"),
    service="redis",
    took_hold=partial(require_failing, kind=redis.ConnectionError),
)
HUNG = suspended(
    "redis-hung",
    "suspends Redis: connections are accepted, no command is answered",
    _down("redis-unreachable"),
    service="redis",
    took_hold=partial(require_failing, kind=redis.TimeoutError),
)
PASSWORD_CHANGED = Fault(
    name="redis-password",
    does="sets a password on the server that no client knows, and disconnects the clients",
    expect=_down("redis-password-refused"),
    break_=_change_password,
    took_hold=partial(require_failing, kind=redis.AuthenticationError),
    heal=_take_password_away,
)
READ_ONLY = Fault(
    name="redis-read-only",
    does="makes Redis a read-only replica of a server that does not exist",
    expect=_down("redis-read-only"),
    break_=lambda stack: _follow(stack, "127.0.0.1", "1"),
    took_hold=partial(_require_refused, word="READONLY"),
    heal=lambda stack: _follow(stack, "no", "one"),
)
WITHOUT_REPLICAS = Fault(
    name="redis-without-replicas",
    does="makes Redis take writes only with a replica, of which it has none",
    expect=_down("redis-without-replicas"),
    break_=lambda stack: _need_replicas(stack, 1),
    took_hold=partial(_require_refused, word="NOREPLICAS"),
    heal=lambda stack: _need_replicas(stack, 0),
)
