"""Large tables, to measure statements: runs of the last 90 days, and a queue of which most items are not yet due."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.stack import Stack

TASK = "00000000-0000-4000-8000-000000000001"  # of the seed
DUE = 2000  # items that are due, the oldest
RUNS, ITEMS = 5_000_000, 500_000  # the sizes that the design gives numbers for


def fill(stack: Stack, *, runs: int = RUNS, items: int = ITEMS) -> None:
    """Add rows to task_run and due_work and update their statistics; the workers stop taking items."""
    stack.switch(workers_take=False)
    stack.sql(
        "INSERT INTO task_run (task_id, lease_owner, started_at, finished_at, success, error, attempt, created_at)"
        " SELECT %s, 'worker-' || n %% 4, at, at + interval '150 milliseconds', n %% 50 <> 0,"
        " CASE WHEN n %% 50 = 0 THEN 'upstream answered 503' END, 1 + (n %% 60 = 0)::int, at"
        " FROM (SELECT n, now() - n * interval '90 days' / %s AS at FROM generate_series(1, %s) AS n) AS made",
        (TASK, max(1, runs), runs),
    )
    stack.sql(
        "INSERT INTO due_work (task_id, run_at, created_at) SELECT %s,"
        " now() + (n - %s) * interval '1 minute', now() - interval '1 day' FROM generate_series(1, %s) AS n",
        (TASK, DUE, items),
    )
    stack.sql("VACUUM ANALYZE task_run")
    stack.sql("VACUUM ANALYZE due_work")
