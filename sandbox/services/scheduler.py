"""The stand-in scheduler: loads the active tasks once, at its start, and queues an item when a task is due."""

from __future__ import annotations

import logging
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore  # type: ignore[import-untyped]
from apscheduler.schedulers.blocking import BlockingScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from sandbox.services.common import connect, start_log
from sandbox.switches import current

NAME = "orchestrator-scheduler"  # of its sessions
PAUSE_AFTER_ERROR = 0.5
UNITS = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600, "DAILY": 86400}


class Scheduler(BlockingScheduler):  # type: ignore[misc]
    """A scheduler that outlives its database, which APScheduler's does not where it fails between two statements."""

    def _process_jobs(self) -> float | None:
        try:
            wait: float | None = super()._process_jobs()
        except SQLAlchemyError as error:
            logging.getLogger("orchestrator.scheduler").warning("job store error, trying again: %s", error)
            return PAUSE_AFTER_ERROR
        return wait


# One scheduler for the process: an rrule job schedules its own next run.
scheduler = Scheduler(
    timezone="UTC",
    jobstore_retry_interval=1,
    job_defaults={"misfire_grace_time": None, "coalesce": True},  # run late jobs, too
)


def rrule_period(rule: str) -> timedelta:
    """Return the period of a recurrence rule, of the kinds that the sandbox's tasks use."""
    parts = dict(part.split("=", 1) for part in rule.split(";"))
    return timedelta(seconds=UNITS[parts["FREQ"]] * int(parts.get("INTERVAL", "1")))


def enqueue(task_id: str) -> None:
    """Queue an item of the task, due now."""
    with connect(NAME) as connection:
        connection.execute("INSERT INTO due_work (task_id, run_at) VALUES (%s, now())", (task_id,))


def enqueue_and_rebook(task_id: str, rule: str) -> None:
    """Queue an item of the task and schedule its next run, which is lost if queuing fails, as in the real one."""
    enqueue(task_id)
    scheduler.add_job(
        enqueue_and_rebook,
        "date",
        run_date=datetime.now(UTC) + rrule_period(rule),
        args=[task_id, rule],
        id=f"rrule-{task_id}",
        replace_existing=True,
    )


def load(task: dict[str, Any]) -> bool:
    """Make the job of a task and return whether it has one: event, condition and past once tasks do not."""
    task_id, expression = str(task["id"]), task["schedule_expr"]
    options = {"id": f"{task['schedule_kind']}-{task_id}", "replace_existing": True}
    match task["schedule_kind"]:
        case "cron":
            trigger = CronTrigger.from_crontab(expression, timezone=task["timezone"])
            scheduler.add_job(enqueue, trigger, args=[task_id], **options)
        case "rrule":
            first = datetime.now(UTC) + rrule_period(expression)
            scheduler.add_job(enqueue_and_rebook, "date", run_date=first, args=[task_id, expression], **options)
        case "once" if datetime.fromisoformat(expression) > datetime.now(UTC):
            scheduler.add_job(enqueue, "date", run_date=datetime.fromisoformat(expression), args=[task_id], **options)
        case _:
            return False
    return True


def active_tasks(log: logging.Logger) -> list[dict[str, Any]]:
    """Return the active tasks; wait for the database where it does not answer."""
    while True:
        try:
            with connect(NAME) as connection:
                return connection.execute("SELECT * FROM task WHERE status = 'active' ORDER BY id").fetchall()
        except psycopg.Error as error:
            log.error("database error, trying again: %s", error)  # noqa: TRY400  a line, no traceback
            time.sleep(PAUSE_AFTER_ERROR)


def main() -> None:
    """Load the tasks, then run."""
    log = start_log("scheduler")
    if current().scheduler_fails:
        log.error("cannot load tasks: could not convert string to float")
        sys.exit(1)
    tasks = active_tasks(log)
    engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True, connect_args={"application_name": NAME})
    scheduler.add_jobstore(SQLAlchemyJobStore(engine=engine))
    loaded = sum(load(task) for task in tasks)
    log.info("%d of %d active tasks have a job", loaded, len(tasks))
    scheduler.start()


if __name__ == "__main__":
    main()
