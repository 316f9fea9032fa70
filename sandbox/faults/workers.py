"""Faults of the workers. Heartbeats are backdated, so that no fault waits for time to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.fault import Expect, Fault, Stack
from sandbox.polling import require, until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.service import Worker

ALERT = "NoActiveWorkers"
FOLLOWERS = ("HighQueueDepth", "LowTaskThroughput")  # after hours
SINCE = "10 minutes"
STUCK_TASK = "00000000-0000-4000-8000-0000000000f1"
BACKLOG_TASK = "00000000-0000-4000-8000-0000000000f2"
BACKLOG = 20
AGENT = "00000000-0000-0000-0000-000000000001"
NOOP = '{"id": "go", "uses": "noop"}'  # a step


def silence(stack: Stack, worker_ids: Sequence[str]) -> None:
    """Backdate the last heartbeat of these workers by ten minutes, and the start of all workers to an hour ago."""
    stack.sql("UPDATE worker_heartbeat SET created_at = least(created_at, now() - interval '1 hour')")
    stack.sql(
        "UPDATE worker_heartbeat SET last_seen = now() - %s::interval WHERE worker_id = ANY(%s)", (SINCE, [*worker_ids])
    )


def _fresh(stack: Stack) -> int:
    ((fresh,),) = stack.sql("SELECT count(*) FROM worker_heartbeat WHERE last_seen > now() - interval '3 minutes'")
    return int(fresh)


def require_fresh(stack: Stack, number: int) -> None:
    """Raise NotYet unless exactly this number of workers sent a heartbeat within three minutes."""
    seen = _fresh(stack)
    require(seen == number, f"{seen} workers sent a heartbeat within 3 min, not {number}")


def forget(stack: Stack, worker_ids: Sequence[str]) -> None:
    """Remove the rows of workers that a fault ended."""
    stack.sql("DELETE FROM worker_heartbeat WHERE worker_id = ANY(%s)", ([*worker_ids],))


def ids(workers: Sequence[Worker]) -> list[str]:
    """Return the ids of the workers in worker_heartbeat."""
    return [worker.worker_id for worker in workers]


def _stop(stack: Stack, workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.stop()
    silence(stack, ids(workers))


def restart(stack: Stack, workers: Sequence[Worker]) -> None:
    """Start the workers again, and forget the ids that they had."""
    old = ids(workers)
    for worker in workers:
        worker.stop()
    forget(stack, old)
    for worker in workers:
        worker.start()


def _freeze(stack: Stack) -> None:
    for worker in stack.workers:
        worker.freeze()
    silence(stack, ids(stack.workers))


def _thaw(stack: Stack) -> None:
    for worker in stack.workers:
        worker.thaw()


def _all_frozen(stack: Stack) -> None:
    for worker in stack.workers:
        require(worker.condition() == "frozen", f"{worker.name} is {worker.condition()}")
    require_fresh(stack, 0)


def make_task(
    stack: Stack, task_id: str, title: str, step: str = NOOP, kind: str = "event", when: str = "sandbox"
) -> None:
    """Make a task, by default one that only the queue starts: the scheduler has no job for an event."""
    stack.sql(
        "INSERT INTO task (id, title, description, created_by, schedule_kind, schedule_expr, payload)"
        " VALUES (%s, %s, 'made by a fault', %s, %s, %s, %s::jsonb)",
        (task_id, title, AGENT, kind, when, f'{{"pipeline": [{step}]}}'),
    )


def queue_items(stack: Stack, task_id: str, items: int, *, due: str = "0 s", queued: str = "0 s") -> None:
    """Queue items of a task; when they are due and when they were queued are intervals from now."""
    stack.sql(
        "INSERT INTO due_work (task_id, run_at, created_at)"
        " SELECT %s, now() + %s::interval, now() + %s::interval FROM generate_series(1, %s)",
        (task_id, due, queued, items),
    )


def _hold_up(stack: Stack) -> None:
    make_task(stack, STUCK_TASK, "Endless item", '{"id": "wait", "uses": "sleep", "with": {"seconds": 3600}}')
    queue_items(stack, STUCK_TASK, 2)
    until(lambda: require(len(_held(stack)) == len(stack.workers), "a worker is not busy yet"))
    silence(stack, ids(stack.workers))


def _held(stack: Stack) -> list[str]:
    rows = stack.sql("SELECT locked_by FROM due_work WHERE task_id = %s AND locked_by IS NOT NULL", (STUCK_TASK,))
    return [locked_by for (locked_by,) in rows]


def _all_stuck(stack: Stack) -> None:
    require(sorted(_held(stack)) == sorted(ids(stack.workers)), "not every worker holds an item")
    require_fresh(stack, 0)


def _free(stack: Stack) -> None:
    for worker in stack.workers:
        worker.stop()
    stack.sql("DELETE FROM task WHERE id = %s", (STUCK_TASK,))  # its items go with it
    restart(stack, stack.workers)


def _pile_up(stack: Stack) -> None:
    stack.switch(workers_take=False)
    make_task(stack, BACKLOG_TASK, "Item that waits")
    queue_items(stack, BACKLOG_TASK, BACKLOG, due=f"-{SINCE}", queued=f"-{SINCE}")


def _piled_up(stack: Stack) -> None:
    (row,) = stack.sql("SELECT count(*) FROM due_work WHERE run_at < now() - interval '9 min' AND locked_by IS NULL")
    require(row[0] >= BACKLOG, f"{row[0]} items have waited for 9 min")
    require(_fresh(stack) >= len(stack.workers), "the workers do not send heartbeats")


def _clear(stack: Stack) -> None:
    stack.sql("DELETE FROM task WHERE id = %s", (BACKLOG_TASK,))
    stack.switch(workers_take=True)


def _cleared(stack: Stack) -> None:
    waiting = stack.sql("SELECT 1 FROM due_work WHERE run_at < now() - interval '1 min' LIMIT 1")
    require(not waiting, "items are still waiting")


STOPPED = Fault(
    name="workers-stopped",
    does="stops every worker and backdates the last heartbeats by ten minutes",
    expect=Expect(ALERT, "firing", "workers-stopped", FOLLOWERS),
    break_=lambda stack: _stop(stack, stack.workers),
    took_hold=lambda stack: require_fresh(stack, 0),
    heal=lambda stack: restart(stack, stack.workers),
)
HUNG = Fault(
    name="workers-hung",
    does="suspends every worker and backdates the last heartbeats by ten minutes",
    expect=Expect(ALERT, "firing", "workers-hung", FOLLOWERS),
    break_=_freeze,
    took_hold=_all_frozen,
    heal=_thaw,
)
STUCK = Fault(
    name="workers-stuck-on-an-item",
    does="gives each worker an item that takes an hour and backdates the last heartbeats by ten minutes",
    expect=Expect(ALERT, "firing", "workers-busy-or-stuck", FOLLOWERS),
    break_=_hold_up,
    took_hold=_all_stuck,
    heal=_free,
)
ONE_STOPPED = Fault(
    name="one-worker-stopped",
    does="stops one of the workers and backdates its last heartbeat by ten minutes",
    expect=Expect(ALERT, "noted", "worker-missing"),
    break_=lambda stack: _stop(stack, stack.workers[-1:]),
    took_hold=lambda stack: require_fresh(stack, len(stack.workers) - 1),
    heal=lambda stack: restart(stack, stack.workers[-1:]),
)
BACKLOG_OF_ITEMS = Fault(
    name="queue-backlog",
    does=f"stops the workers from taking items while {BACKLOG} items have been due for ten minutes",
    expect=Expect(ALERT, "noted", "work-queued"),
    break_=_pile_up,
    took_hold=_piled_up,
    heal=_clear,
    healed=_cleared,
)
