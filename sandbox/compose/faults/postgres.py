"""Faults of PostgreSQL's container and volume."""

from __future__ import annotations

import psycopg

from sandbox.compose.stack import DATA, OURS, ComposeStack
from sandbox.compose.steps import on_compose, require_looping, require_state
from sandbox.fault import Expect, Fault, suspended
from sandbox.faults.postgres import FOLLOWERS, require_hung
from sandbox.polling import require

ALERT = "OrchestratorDatabaseDown"
KEEPER = "keeper"
ROOM = 24  # MiB that the small volume has free
SEGMENTS = 5  # of the write-ahead log; more than fit
NO_SPACE = "No space left on device"


def _paused(stack: ComposeStack) -> None:
    require_state(stack.postgres, Status="paused")
    require_hung(stack)


def _small(stack: ComposeStack) -> str:
    return f"{stack.project}_small"


def _fill_up(stack: ComposeStack) -> None:
    """Move the data to a small volume in memory, fill it, and make PostgreSQL need a new file.

    The volume exists as long as a container mounts it: the keeper does so between two starts of PostgreSQL.
    """
    size, _ = stack.tell(stack.postgres.there(), "du", "--summarize", "--block-size=1M", DATA).split()
    stack.postgres.stop()
    stack.docker.volumes.create(
        _small(stack),
        driver_opts={"type": "tmpfs", "device": "tmpfs", "o": f"size={int(size) + ROOM}m"},
        labels={OURS: stack.project},
    )
    volumes = [f"{stack.project}_postgres-data:/from:ro", f"{_small(stack)}:/to"]
    keeper = stack.helper(KEEPER, ["sleep", "infinity"], volumes=volumes)
    stack.tell(keeper, "cp", "--archive", "/from/.", "/to/")
    stack.override(
        "postgres-disk-full",
        {
            "services": {"postgres": {"volumes": [f"small:{DATA}"]}},
            "volumes": {"small": {"external": True, "name": _small(stack)}},
        },
    )
    stack.postgres.renew()
    stack.sql("SELECT 1")  # the first session writes a file that later sessions need
    for block in ("64k", "1"):
        keeper.exec_run(["dd", "if=/dev/zero", "of=/to/filling", f"bs={block}", "oflag=append", "conv=notrunc"])
    try:
        for _ in range(SEGMENTS):
            stack.sql("SELECT pg_switch_wal()")
            stack.sql("SELECT pg_logical_emit_message(true, 'sandbox', 'needs a new segment')")
    except psycopg.OperationalError:
        return  # no space for another segment, as intended


def _full(stack: ComposeStack) -> None:
    require_looping(stack.postgres)
    require(NO_SPACE in stack.postgres.there().logs(tail=20).decode(), "PostgreSQL does not report a full disk")


def _move_back(stack: ComposeStack) -> None:
    """Return to the original volume, whose data is unchanged."""
    stack.override("postgres-disk-full", None)
    stack.postgres.renew()
    if keeper := stack.found(KEEPER):
        keeper.remove(force=True)
    for volume in stack.docker.volumes.list(filters={"name": _small(stack)}):
        volume.remove()


PAUSED = suspended(
    "postgres-paused",
    "pauses PostgreSQL's container",
    Expect(ALERT, "firing", "container-paused", FOLLOWERS),
    service="postgres",
    took_hold=on_compose(_paused),
)
DISK_FULL = Fault(
    name="postgres-disk-full",
    does="moves PostgreSQL's data to a small volume and fills it, so that PostgreSQL crashes and cannot start",
    expect=Expect(ALERT, "firing", "disk-full", (*FOLLOWERS, "DiskSpaceCritical")),
    break_=on_compose(_fill_up),
    took_hold=on_compose(_full),
    heal=on_compose(_move_back),
)
