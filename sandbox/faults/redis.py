"""Faults of Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import redis

from sandbox.fault import Expect, Fault
from sandbox.polling import NotYet, require

if TYPE_CHECKING:
    from sandbox.stack import Stack

ALERT = "OrchestratorAPIDown"
PASSWORD = "changed-on-the-server"  # noqa: S105  the fault itself


def _api_says_redis_is_gone(stack: Stack) -> None:
    document = httpx.get(f"{stack.api_url}/health", timeout=5).json()
    (entry,) = (each for each in document["checks"] if each["name"] == "redis")
    require(entry["status"] == "unhealthy", f"the API says that redis is {entry['status']}")


def _hung(stack: Stack) -> None:
    try:
        stack.redis_client().ping()
    except redis.TimeoutError:
        _api_says_redis_is_gone(stack)
        return
    raise NotYet("Redis still answers")


def _change_password(stack: Stack) -> None:
    with stack.redis_client() as client:
        client.config_set("requirepass", PASSWORD)
        client.client_kill_filter(_type="normal")  # who is connected already would not notice


def _take_password_away(stack: Stack) -> None:
    with stack.redis_client(PASSWORD) as client:
        client.config_set("requirepass", "")


def _password_refused(stack: Stack) -> None:
    try:
        stack.redis_client().ping()
    except redis.AuthenticationError:
        _api_says_redis_is_gone(stack)
        return
    raise NotYet("Redis still takes clients without a password")


STOPPED = Fault(
    name="redis-stopped",
    does="ends Redis",
    expect=Expect(ALERT, "firing", "redis-unreachable"),
    break_=lambda stack: stack.redis.stop(),
    took_hold=_api_says_redis_is_gone,
    heal=lambda stack: stack.redis.start(),
)
HUNG = Fault(
    name="redis-hung",
    does="suspends Redis: connections are accepted, nothing is answered",
    expect=Expect(ALERT, "firing", "redis-unreachable"),
    break_=lambda stack: stack.redis.freeze(),
    took_hold=_hung,
    heal=lambda stack: stack.redis.thaw(),
)
PASSWORD_CHANGED = Fault(
    name="redis-password",
    does="sets a password on the server that no client knows, and drops the clients",
    expect=Expect(ALERT, "firing", "redis-password-refused"),
    break_=_change_password,
    took_hold=_password_refused,
    heal=_take_password_away,
)
