"""Faults of the queue."""

from __future__ import annotations

from sandbox.fault import Expect, Fault, Stack
from sandbox.faults.workers import make_task, queue_items
from sandbox.polling import require

ALERT = "HighQueueDepth"
TASK = "00000000-0000-4000-8000-0000000000f4"
DEEP = 1500  # the playbook's limit is 1000
STALE = 5
FEW = 60
LOCK_AHEAD = "due_work_lock_ahead"  # the constraint that refuses a lock in the past


def _fill(stack: Stack, items: int, due: str = "-15 minutes") -> None:
    make_task(stack, TASK, "One of many")
    queue_items(stack, TASK, items, due=due, queued="-20 minutes")


def _pile_up(stack: Stack) -> None:
    stack.switch(workers_take=False)
    _fill(stack, DEEP)


def _leave_locks(stack: Stack) -> None:
    stack.switch(workers_take=False)
    _fill(stack, STALE)
    stack.sql(f"ALTER TABLE due_work DROP CONSTRAINT {LOCK_AHEAD}")
    gone = "locked_by = 'worker-gone', locked_until = now() - interval '10 minutes'"
    stack.sql(f"UPDATE due_work SET {gone} WHERE task_id = %s", (TASK,))


def _lock_for_ever(stack: Stack, items: int) -> None:
    _fill(stack, 0)
    stack.sql(
        "INSERT INTO due_work (task_id, run_at, locked_until, locked_by)"
        " SELECT %s, now() - interval '25 minutes', now() + interval '1 year', 'worker-gone'"
        " FROM generate_series(1, %s)",
        (TASK, items),
    )


def _empty(stack: Stack) -> None:
    stack.sql("DELETE FROM task WHERE id = %s", (TASK,))  # its items go with it
    stack.sql(
        f"ALTER TABLE due_work DROP CONSTRAINT IF EXISTS {LOCK_AHEAD}, ADD CONSTRAINT {LOCK_AHEAD}"
        " CHECK (locked_until IS NULL OR locked_until > now()) NOT VALID"  # the locks of existing rows may be past
    )
    stack.switch(workers_take=True)


def _items(stack: Stack, condition: str, least: int) -> None:
    ((count,),) = stack.sql(f"SELECT count(*) FROM due_work WHERE {condition}")
    require(count >= least, f"{count} items with {condition}")


DEEP_QUEUE = Fault(
    name="queue-deep",
    does=f"stops the workers from taking items while {DEEP} items have been due for fifteen minutes",
    expect=Expect(ALERT, "firing", "processing-too-slow", ("LowTaskThroughput",)),
    break_=_pile_up,
    took_hold=lambda stack: _items(stack, "run_at < now() AND locked_by IS NULL", DEEP),
    heal=_empty,
)
FUTURE_QUEUE = Fault(
    name="queue-future",
    does=f"queues {DEEP} items for tomorrow, which do not count",
    expect=Expect(ALERT, "ok"),
    break_=lambda stack: _fill(stack, DEEP, "1 day"),
    took_hold=lambda stack: _items(stack, "run_at > now() + interval '23 hours'", DEEP),
    heal=_empty,
)
STALE_LOCKS = Fault(
    name="locks-stale",
    does="leaves items locked by a worker that is gone, with expired locks, and stops the workers from taking any",
    expect=Expect(ALERT, "noted", "stale-locks"),
    break_=_leave_locks,
    took_hold=lambda stack: _items(stack, "locked_until < now() - interval '9 minutes'", STALE),
    heal=_empty,
)
LOCKED_FOR_EVER = Fault(
    name="items-locked-for-ever",
    does=f"leaves {FEW} items, due for 25 minutes, locked for a year by a worker that is gone",
    expect=Expect(ALERT, "noted", "stale-locks", ("LowTaskThroughput",)),
    break_=lambda stack: _lock_for_ever(stack, FEW),
    took_hold=lambda stack: _items(stack, "locked_until > now() + interval '1 day'", FEW),
    heal=_empty,
)
QUEUE_LOCKED_FOR_EVER = Fault(
    name="queue-locked-for-ever",
    does=f"leaves {DEEP} items, due for 25 minutes, locked for a year by a worker that is gone",
    expect=Expect(ALERT, "firing", "stale-locks", ("LowTaskThroughput",)),
    break_=lambda stack: _lock_for_ever(stack, DEEP),
    took_hold=lambda stack: _items(stack, "locked_until > now() + interval '1 day'", DEEP),
    heal=_empty,
)
