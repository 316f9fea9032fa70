"""Faults of the scheduler."""

from __future__ import annotations

import json

from sandbox.fault import Expect, Fault, Stack
from sandbox.faults.workers import make_task
from sandbox.polling import require
from sandbox.servers import SandboxError

ALERT = "SchedulerOffline"
FOLLOWERS = ("LowTaskThroughput",)
TASK = "00000000-0000-4000-8000-0000000000f3"
SCHEDULED = "('cron', 'rrule', 'once')"
PAUSED = "nothing-scheduled"
IN_SEVENTY_YEARS = "2099-01-01 00:00Z"


def _let_jobs_be_late(stack: Stack) -> None:
    """Backdate the next run of every job to ten minutes ago."""
    stack.sql("UPDATE apscheduler_jobs SET next_run_time = extract(epoch FROM now() - interval '10 minutes')")


def _late(stack: Stack) -> None:
    ((jobs,),) = stack.sql(
        "SELECT count(*) FROM apscheduler_jobs WHERE next_run_time < extract(epoch FROM now() - interval '9 minutes')"
    )
    require(jobs, "no job is late")


def _stop(stack: Stack) -> None:
    stack.scheduler.stop()
    _let_jobs_be_late(stack)


def _freeze(stack: Stack) -> None:
    stack.scheduler.freeze()
    _let_jobs_be_late(stack)


def _restart(stack: Stack) -> None:
    stack.scheduler.stop()
    stack.scheduler.start()


def _on_time(stack: Stack) -> None:
    late = stack.sql("SELECT id FROM apscheduler_jobs WHERE next_run_time < extract(epoch FROM now()) - 60")
    require(not late, f"late jobs: {late}")


def fail_at_start(stack: Stack) -> None:
    """Make the scheduler fail at its start, and remove its jobs."""
    stack.scheduler.stop()
    stack.sql("DELETE FROM apscheduler_jobs")
    stack.switch(scheduler_fails=True)
    try:
        stack.scheduler.start()
    except SandboxError:
        return  # it ended at once, as intended
    raise SandboxError("the scheduler started although it should fail")


def require_no_jobs(stack: Stack) -> None:
    """Raise NotYet while the scheduler has a job."""
    require(not stack.sql("SELECT 1 FROM apscheduler_jobs"), "there are still jobs")


def start_again(stack: Stack) -> None:
    """Start the scheduler without its failure."""
    stack.switch(scheduler_fails=False)
    _restart(stack)


def _post_late(stack: Stack) -> None:
    make_task(stack, TASK, "Posted after the start", step="", kind="cron", when="0 * * * *")
    stack.sql("UPDATE task SET created_at = now() - interval '1 day' WHERE id = %s", (TASK,))


def _stalled(stack: Stack, next_run: str, jobs: str = "true") -> None:
    """Set the next run of jobs. The scheduler writes that, too, when it has just run one: then it is set once more."""
    other = stack.sql(
        f"UPDATE apscheduler_jobs SET next_run_time = {next_run}"
        f" WHERE {jobs} AND next_run_time IS DISTINCT FROM {next_run} RETURNING id"
    )
    require(not other, f"the next run of {len(other)} jobs was another")


def _restarted(stack: Stack) -> None:
    stalled = stack.sql(
        "SELECT id FROM apscheduler_jobs WHERE next_run_time IS NULL"
        " OR NOT next_run_time BETWEEN 0 AND extract(epoch FROM now() + interval '1 year')"
    )
    require(not stalled, f"stalled jobs: {stalled}")


def _post_unreadable(stack: Stack) -> None:
    make_task(stack, TASK, "On the 30th of February", kind="once", when="2026-02-30T10:00:00Z")
    stack.sql("UPDATE task SET created_at = now() - interval '1 day' WHERE id = %s", (TASK,))


def _pause_all(stack: Stack) -> None:
    rows = stack.sql(f"SELECT id::text FROM task WHERE status = 'active' AND schedule_kind IN {SCHEDULED}")
    tasks = [task for (task,) in rows]
    stack.note(PAUSED, json.dumps(tasks))
    stack.sql("UPDATE task SET status = 'paused' WHERE id = ANY(%s::uuid[])", (tasks,))
    stack.scheduler.stop()
    stack.sql("DELETE FROM apscheduler_jobs")
    stack.scheduler.start()


def _resume_all(stack: Stack) -> None:
    tasks = json.loads(stack.noted(PAUSED) or "[]")
    stack.sql("UPDATE task SET status = 'active' WHERE id = ANY(%s::uuid[])", (tasks,))
    stack.note(PAUSED, None)
    _restart(stack)


STOPPED = Fault(
    name="scheduler-stopped",
    does="stops the scheduler and backdates the next runs to ten minutes ago",
    expect=Expect(ALERT, "firing", "scheduler-stopped", FOLLOWERS),
    break_=_stop,
    took_hold=_late,
    heal=_restart,
    healed=_on_time,
)
HUNG = Fault(
    name="scheduler-hung",
    does="suspends the scheduler and backdates the next runs to ten minutes ago",
    expect=Expect(ALERT, "firing", "scheduler-hung", FOLLOWERS),
    break_=_freeze,
    took_hold=_late,
    heal=_restart,  # resumed alone, it would sleep until the run that it planned
    healed=_on_time,
)
FAILS_AT_START = Fault(
    name="scheduler-fails-at-start",
    does="makes the scheduler exit before it has loaded any task, so that no job exists",
    expect=Expect(ALERT, "firing", "jobs-missing", FOLLOWERS),
    break_=fail_at_start,
    took_hold=require_no_jobs,
    heal=start_again,
)
NOT_LOADED = Fault(
    name="task-not-loaded",
    does="adds an active task after the scheduler has loaded its tasks",
    expect=Expect(ALERT, "noted", "tasks-not-loaded"),
    break_=_post_late,
    took_hold=lambda stack: require(stack.sql("SELECT 1 FROM task WHERE id = %s", (TASK,)), "no such task"),
    heal=lambda stack: stack.sql("DELETE FROM task WHERE id = %s", (TASK,)),
)
WITHOUT_NEXT_RUN = Fault(
    name="jobs-without-next-run",
    does="takes the next run from every job",
    expect=Expect(ALERT, "firing", "jobs-stalled", FOLLOWERS),
    break_=lambda _: None,
    took_hold=lambda stack: _stalled(stack, "NULL::float8"),
    heal=_restart,
    healed=_restarted,
)
YEARS_AHEAD = Fault(
    name="jobs-years-ahead",
    does="puts the next run of every job seventy years ahead",
    expect=Expect(ALERT, "firing", "jobs-stalled", FOLLOWERS),
    break_=lambda _: None,
    took_hold=lambda stack: _stalled(stack, f"extract(epoch FROM timestamptz '{IN_SEVENTY_YEARS}')::float8"),
    heal=_restart,
    healed=_restarted,
)
NEVER = Fault(
    name="job-infinite",
    does="makes the next run of one job infinite",
    expect=Expect(ALERT, "noted", "jobs-stalled", FOLLOWERS),
    break_=lambda _: None,
    took_hold=lambda stack: _stalled(stack, "'Infinity'::float8", "id LIKE 'cron-%'"),
    heal=_restart,
    healed=_restarted,
)
UNREADABLE = Fault(
    name="schedule-unreadable",
    does="adds a task for a day that does not exist",
    expect=Expect(ALERT, "noted", "schedule-unreadable"),
    break_=_post_unreadable,
    took_hold=lambda stack: require(stack.sql("SELECT 1 FROM task WHERE id = %s", (TASK,)), "no such task"),
    heal=lambda stack: stack.sql("DELETE FROM task WHERE id = %s", (TASK,)),
)
NOTHING_SCHEDULED = Fault(
    name="nothing-scheduled",
    does="pauses every task that has a schedule: nothing can be late",
    expect=Expect(ALERT, "ok"),
    break_=_pause_all,
    took_hold=require_no_jobs,
    heal=_resume_all,
)
