"""Faults of Redis."""

from __future__ import annotations

import redis

from sandbox.compose.steps import ComposeStack, on_compose
from sandbox.fault import Expect, Fault
from sandbox.faults.redis import require_failing
from sandbox.polling import NotYet, require

STREAM = "sandbox-filling"
ROOM = 4 << 20


def _fill_up(stack: ComposeStack) -> None:
    with stack.redis_client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", client.info("memory")["used_memory"] + ROOM)
        try:
            while True:
                client.xadd(STREAM, {"filling": "x" * 4096})
        except redis.exceptions.OutOfMemoryError:
            # Memory that the last writes used temporarily is free again: lower the limit accordingly.
            client.config_set("maxmemory", client.info("memory")["used_memory"] - (ROOM >> 2))


def _takes_no_writes(stack: ComposeStack) -> None:
    with stack.redis_client() as client:
        try:
            client.xadd(STREAM, {"filling": "x"})
        except redis.exceptions.OutOfMemoryError:
            return
    raise NotYet("Redis still accepts writes")


def _empty(stack: ComposeStack) -> None:
    with stack.redis_client() as client:
        client.config_set("maxmemory", 0)
        client.delete(STREAM)


def _removed(stack: ComposeStack) -> None:
    require(not stack.redis.container, "Redis still has a container")
    require_failing(stack, redis.ConnectionError)


REMOVED = Fault(
    name="redis-removed",
    does="removes the container of Redis; its volume stays",
    expect=Expect("OrchestratorAPIDown", "firing", "redis-container-not-running"),
    break_=on_compose(lambda stack: stack.redis.remove()),
    took_hold=on_compose(_removed),
    heal=lambda stack: stack.redis.start(),
)
OUT_OF_MEMORY = Fault(
    name="redis-out-of-memory",
    does="limits the memory of Redis without eviction, and writes until Redis refuses",
    expect=Expect("OrchestratorAPIDown", "firing", "redis-out-of-memory"),
    break_=on_compose(_fill_up),
    took_hold=on_compose(_takes_no_writes),
    heal=on_compose(_empty),
)
