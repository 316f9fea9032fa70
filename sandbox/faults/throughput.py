"""Faults of the throughput, and idle systems in which nothing is wrong."""

from __future__ import annotations

from sandbox import backups
from sandbox.fault import Expect, Fault, Stack
from sandbox.faults.workers import make_task, queue_items, restart
from sandbox.polling import require

ALERT = "LowTaskThroughput"
TASK = "00000000-0000-4000-8000-0000000000f5"
WAITING, DONE = 20, 300  # items
HIDDEN_DAYS = 1000  # by which runs are backdated: no other run is as old
LONG_SILENT = "last_seen < now() - interval '1 minute'"
AGENTS, SILENT = "system-new-agents", "system-new-workers"  # notes


def _move_runs(stack: Stack, by: str, which: str) -> None:
    # PostgreSQL checks the lease of a changed row again; that of an old run has expired.
    stack.sql(f"UPDATE task_run SET started_at = started_at + interval '{by}', leased_until = NULL WHERE {which}")


def _hide_runs(stack: Stack) -> None:
    """Backdate the runs of the last hours, and restart the workers so that their counts start at 0."""
    _move_runs(stack, f"-{HIDDEN_DAYS} days", "started_at > now() - interval '6 hours'")
    restart(stack, stack.workers)


def _show_runs(stack: Stack) -> None:
    _move_runs(stack, f"{HIDDEN_DAYS} days", f"started_at < now() - interval '{HIDDEN_DAYS - 10} days'")


def _few_runs(stack: Stack) -> None:
    ((runs,),) = stack.sql(
        "SELECT count(*) FROM task_run WHERE started_at >= date_trunc('hour', now()) - interval '2 hours'"
        " AND started_at < date_trunc('hour', now())"
    )
    require(runs < 50, f"{runs} runs in the last two whole hours")


def _let_work_wait(stack: Stack) -> None:
    stack.switch(workers_take=False)
    _hide_runs(stack)
    make_task(stack, TASK, "One of some")
    queue_items(stack, TASK, WAITING, due="-20 minutes")


def _waits(stack: Stack) -> None:
    _few_runs(stack)
    require(stack.sql("SELECT 1 FROM due_work WHERE task_id = %s", (TASK,)), "no item is waiting")


def _restore(stack: Stack) -> None:
    stack.sql("DELETE FROM task WHERE id = %s", (TASK,))  # its items and runs go with it
    stack.switch(workers_take=True, workers_record=True)
    _show_runs(stack)


def _restore_and_forget(stack: Stack) -> None:
    _restore(stack)
    restart(stack, stack.workers)  # their counts would include this work for hours


def _do_without_record(stack: Stack) -> None:
    _hide_runs(stack)
    stack.switch(workers_record=False)
    make_task(stack, TASK, "One of many")
    queue_items(stack, TASK, DONE)


def _done_without_record(stack: Stack) -> None:
    require(not stack.sql("SELECT 1 FROM due_work WHERE task_id = %s", (TASK,)), "items are left")
    require(not stack.sql("SELECT 1 FROM task_run WHERE task_id = %s", (TASK,)), "a run was recorded")
    ((counted,),) = stack.sql(
        "SELECT sum(processed_count) FROM worker_heartbeat WHERE last_seen > now() - interval '1 minute'"
    )
    require(counted >= DONE, f"the workers count {counted} items")


def _begin_runs(stack: Stack) -> None:
    make_task(stack, TASK, "Begun and never ended")
    stack.sql(
        "INSERT INTO task_run (task_id, lease_owner, started_at)"
        " SELECT %s, 'worker-gone', now() - interval '3 hours' FROM generate_series(1, %s)",
        (TASK, WAITING),
    )


def _run_unreadable(stack: Stack) -> None:
    make_task(stack, TASK, "A pipeline that is no list")
    stack.sql("""UPDATE task SET payload = '{"pipeline": {"id": "go"}}' WHERE id = %s""", (TASK,))
    stack.sql(
        "INSERT INTO task_run (task_id, lease_owner, started_at, finished_at, success)"
        " VALUES (%s, 'worker-1', now(), now(), false)",
        (TASK,),
    )


def _has_runs(stack: Stack) -> None:
    require(stack.sql("SELECT 1 FROM task_run WHERE task_id = %s", (TASK,)), "there is no run")


def _remember(stack: Stack, key: str, table: str, condition: str = "true") -> None:
    ((rows,),) = stack.sql(f"SELECT coalesce(json_agg(r), '[]')::text FROM {table} r WHERE {condition}")
    stack.note(key, rows)


def _begin_anew(stack: Stack) -> None:
    """Make the system look a minute old."""
    _remember(stack, AGENTS, "agent")
    _remember(stack, SILENT, "worker_heartbeat", LONG_SILENT)
    stack.sql("UPDATE agent SET created_at = now() - interval '1 minute'")
    stack.sql(f"DELETE FROM worker_heartbeat WHERE {LONG_SILENT}")
    _hide_runs(stack)
    for path in backups.files(stack, "postgres", "redis", backups.LOG):
        path.unlink()


def _is_new(stack: Stack) -> None:
    ((age,),) = stack.sql("SELECT extract(epoch FROM now() - min(created_at)) FROM agent")
    require(age < 2 * backups.HOUR, f"the system is {age} s old")


def _grow_old(stack: Stack) -> None:
    stack.sql(
        "UPDATE agent SET created_at = was.created_at FROM json_populate_recordset(NULL::agent, %s) AS was"
        " WHERE was.id = agent.id",
        (stack.noted(AGENTS) or "[]",),
    )
    stack.sql(
        "INSERT INTO worker_heartbeat SELECT * FROM json_populate_recordset(NULL::worker_heartbeat, %s)"
        " ON CONFLICT DO NOTHING",
        (stack.noted(SILENT) or "[]",),
    )
    for key in (AGENTS, SILENT):
        stack.note(key, None)
    _show_runs(stack)
    backups.make(stack)


LOW = Fault(
    name="throughput-low",
    does=f"leaves {WAITING} items waiting for twenty minutes, after two hours with almost no runs",
    expect=Expect(ALERT, "firing", "work-not-taken"),
    break_=_let_work_wait,
    took_hold=_waits,
    heal=_restore,
)
NOT_RECORDED = Fault(
    name="runs-not-recorded",
    does=f"makes the workers process {DONE} items without recording them, after two hours with almost no runs",
    expect=Expect(ALERT, "firing", "runs-not-recorded"),
    break_=_do_without_record,
    took_hold=_done_without_record,
    heal=_restore_and_forget,
)
NOT_ENDED = Fault(
    name="runs-not-ended",
    does=f"adds {WAITING} runs that began three hours ago and have no end",
    expect=Expect(ALERT, "noted", "runs-do-not-end"),
    break_=_begin_runs,
    took_hold=_has_runs,
    heal=_restore,
)
UNREADABLE = Fault(
    name="pipeline-unreadable",
    does="adds a run of a task whose pipeline is no list of steps",
    expect=Expect(ALERT, "noted", "pipeline-unreadable"),
    break_=_run_unreadable,
    took_hold=_has_runs,
    heal=_restore,
)
IDLE = Fault(
    name="throughput-idle",
    does="leaves two hours with almost no runs and no item due",
    expect=Expect(ALERT, "ok"),
    break_=_hide_runs,
    took_hold=_few_runs,
    heal=_show_runs,
)
NEW = Fault(
    name="system-new",
    does="makes the system look new: no backups yet, almost no runs",
    expect=Expect("BackupFailed", "ok"),
    break_=_begin_anew,
    took_hold=_is_new,
    heal=_grow_old,
)
