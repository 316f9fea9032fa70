from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from checks.sev1 import test_scheduler_offline as scheduler
from fixtures.clients.postgres import DatabaseState
from fixtures.database.server import Database, ServerStatus
from fixtures.platform.containers import Container, Containers, EngineAnswer
from fixtures.platform.logs import LogTail, read_log
from fixtures.platform.processes import Process, Processes, ServiceProcess
from fixtures.queue.schedule import Schedule, ScheduledTask, Scheduling
from playbook.quantities import Count, Size, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

MINUTE = 60.0
NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


def task(title: str, *, has_job: bool, age: float = 3600, stalls: str = "") -> ScheduledTask:
    return ScheduledTask(title, Span(age), has_job, stalls)


def schedule(*tasks: ScheduledTask, jobs: int, late_by: float = 0, has_job_table: bool = True) -> Schedule:
    return Schedule(tasks, has_job_table, Count(jobs), Span(late_by), ())


ON_TIME = schedule(task("Morning briefing", has_job=True), task("Weekly report", has_job=True), jobs=2)
LATE = replace(ON_TIME, lateness=Span(12 * MINUTE))
NOTHING_SCHEDULED = schedule(jobs=0)
NO_JOBS = schedule(task("Morning briefing", has_job=False), task("Weekly report", has_job=False), jobs=0)
ONE_WITHOUT_JOB = schedule(task("Morning briefing", has_job=True), task("Weekly report", has_job=False), jobs=1)
NO_NEXT_RUN = "its job has no next run"
STALLED = task("Morning briefing", has_job=True, stalls=NO_NEXT_RUN)
ONE_STALLED = schedule(STALLED, task("Weekly report", has_job=True), jobs=1)
ALL_STALLED = schedule(STALLED, task("Weekly report", has_job=False), jobs=0)
UNREADABLE = replace(ON_TIME, unreadable=("Renewal: '2026-02-30' in UTC is no time",))
YOUNG_WITHOUT_JOB = schedule(task("Morning briefing", has_job=False, age=5 * MINUTE), jobs=0)


def container(service: str, status: str = "running", **more: Any) -> Container:
    exit_code = 137 if status in ("exited", "restarting") else 0
    return Container(f"ordinaut-{service}-1", service, status, exit_code, **more)


def containers(*found: Container, **more: Any) -> Containers:
    return Containers("ordinaut", found, **more)


NO_CONTAINER = containers(container("api"))
OUTSIDE = containers(container("api"), elsewhere=frozenset({"scheduler"}))


def without_engine(seen: Schedule) -> Scheduling:
    return Scheduling(seen, EngineAnswer(None, absent="this target has no Docker engine"))


def with_containers(seen: Schedule, *found: Container, **more: Any) -> Scheduling:
    return Scheduling(seen, EngineAnswer(containers(*found, **more)))


def process(state: str) -> ServiceProcess:
    return ServiceProcess("scheduler", 4711, Process(4711, state, Size(64 * 1024**2), "python"))


def no_process(pid: int | None) -> ServiceProcess:
    return ServiceProcess("scheduler", pid, None)


def serving(*, in_recovery: bool = False) -> Database:
    status = ServerStatus(NOON, NOON, "16.4", in_recovery, Count(12), Count(97), (), Count(0), Size(1024**3))
    return Database(DatabaseState.SERVES, "db:5432/orchestrator", status)


def not_serving(state: DatabaseState) -> Database:
    return Database(state, "db:5432/orchestrator")


def host_clock(behind: float) -> Processes:
    return Processes("host", (), NOON - timedelta(seconds=behind))


def log(*lines: str) -> LogTail:
    return read_log("scheduler", "\n".join(lines), NOON, ZoneInfo("UTC"))


CASES = [
    # The trigger
    healthy(
        scheduler.test_the_scheduler_queues_what_is_due,
        scheduling=with_containers(ON_TIME, container("scheduler")),
    ),
    healthy(scheduler.test_the_scheduler_queues_what_is_due, scheduling=without_engine(ON_TIME)),
    healthy(
        scheduler.test_the_scheduler_queues_what_is_due,
        scheduling=without_engine(replace(ON_TIME, lateness=Span(5 * MINUTE))),
    ),
    healthy(
        scheduler.test_the_scheduler_queues_what_is_due,  # every task is paused
        scheduling=with_containers(NOTHING_SCHEDULED, container("scheduler")),
    ),
    healthy(
        scheduler.test_the_scheduler_queues_what_is_due,  # it never ran: there was nothing to do
        scheduling=without_engine(replace(NOTHING_SCHEDULED, has_job_table=False)),
    ),
    healthy(
        scheduler.test_the_scheduler_queues_what_is_due,
        scheduling=with_containers(ONE_WITHOUT_JOB, container("scheduler")),
    ),
    healthy(scheduler.test_the_scheduler_queues_what_is_due, scheduling=without_engine(YOUNG_WITHOUT_JOB)),
    healthy(
        scheduler.test_the_scheduler_queues_what_is_due,
        scheduling=with_containers(ON_TIME, container("api"), elsewhere=frozenset({"scheduler"})),
    ),
    healthy(
        scheduler.test_the_scheduler_queues_what_is_due,  # the schedule decides, an engine that does not answer cannot
        scheduling=Scheduling(ON_TIME, EngineAnswer(None, trouble="the Docker engine did not answer in time")),
    ),
    healthy(scheduler.test_the_scheduler_queues_what_is_due, scheduling=without_engine(ONE_STALLED)),
    healthy(scheduler.test_the_scheduler_queues_what_is_due, scheduling=without_engine(UNREADABLE)),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "none of 2 scheduled tasks has a job with a next run: Morning briefing (its job has no next run), Weekly",
        scheduling=without_engine(ALL_STALLED),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "latest job 12 min late (limit 5 min)",
        scheduling=with_containers(LATE, container("scheduler")),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "latest job 12 min late (limit 5 min)",
        scheduling=Scheduling(LATE, EngineAnswer(None, trouble="the Docker engine did not answer in time")),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "none of 2 scheduled tasks has a job: Morning briefing, Weekly report (limit 5 min)",
        scheduling=without_engine(NO_JOBS),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "none of 2 scheduled tasks has a job (the table apscheduler_jobs does not exist): Morning briefing",
        scheduling=with_containers(replace(NO_JOBS, has_job_table=False), container("scheduler")),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,  # the jobs are of tasks that are gone
        "none of 2 scheduled tasks has a job: Morning briefing, Weekly report (limit 5 min)",
        scheduling=without_engine(replace(NO_JOBS, jobs=Count(7))),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "none of 2 scheduled tasks has a job: Morning briefing, Weekly report; latest job 12 min late (limit 5 min)",
        scheduling=without_engine(replace(NO_JOBS, jobs=Count(7), lateness=Span(12 * MINUTE))),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "ordinaut-scheduler-1 is exited with exit code 137; no job is late",
        scheduling=with_containers(ON_TIME, container("scheduler", "exited")),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "ordinaut-scheduler-1 is exited with exit code 137; latest job 12 min late (limit 5 min)",
        scheduling=with_containers(LATE, container("scheduler", "exited")),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "ordinaut-scheduler-1 is exited with exit code 137; nothing is scheduled",
        scheduling=with_containers(NOTHING_SCHEDULED, container("scheduler", "exited")),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "project ordinaut has no container of the service scheduler; no job is late",
        scheduling=with_containers(ON_TIME, container("api")),
    ),
    unobserved(scheduler.test_the_scheduler_queues_what_is_due),
    # What its container shows
    healthy(scheduler.test_the_scheduler_has_a_container, containers=containers(container("scheduler", "exited"))),
    faulty(
        scheduler.test_the_scheduler_has_a_container,
        "project ordinaut has no container of the service scheduler",
        containers=NO_CONTAINER,
    ),
    faulty(
        scheduler.test_the_scheduler_has_a_container,
        "ordinaut-scheduler-1 is created",
        containers=containers(container("scheduler", "created")),
    ),
    unobserved(scheduler.test_the_scheduler_has_a_container),
    unobserved(
        scheduler.test_the_scheduler_has_a_container, "scheduler runs outside of project ordinaut", containers=OUTSIDE
    ),
    healthy(scheduler.test_the_scheduler_survives_its_start, containers=containers(container("scheduler", "exited"))),
    faulty(
        scheduler.test_the_scheduler_survives_its_start,
        "ordinaut-scheduler-1 is restarting with exit code 137, restarted 7 times",
        containers=containers(container("scheduler", "restarting", restarts=Count(7), ran_for=Span(1))),
    ),
    unobserved(scheduler.test_the_scheduler_survives_its_start),
    unobserved(
        scheduler.test_the_scheduler_survives_its_start,
        "no container of the service scheduler",
        containers=NO_CONTAINER,
    ),
    unobserved(
        scheduler.test_the_scheduler_survives_its_start,
        "scheduler runs outside of project ordinaut",
        containers=OUTSIDE,
    ),
    healthy(
        scheduler.test_the_scheduler_container_is_not_paused,
        containers=containers(container("scheduler"), container("api", "paused")),
    ),
    faulty(
        scheduler.test_the_scheduler_container_is_not_paused,
        "ordinaut-scheduler-1 is paused",
        containers=containers(container("scheduler", "paused")),
    ),
    unobserved(scheduler.test_the_scheduler_container_is_not_paused),
    unobserved(
        scheduler.test_the_scheduler_container_is_not_paused,
        "no container of the service scheduler",
        containers=NO_CONTAINER,
    ),
    healthy(
        scheduler.test_the_scheduler_container_did_not_exit,
        containers=containers(container("scheduler"), container("api", "exited")),
    ),
    healthy(
        scheduler.test_the_scheduler_container_did_not_exit,  # that is another cause
        containers=containers(container("scheduler", "restarting", restarts=Count(7), ran_for=Span(1))),
    ),
    faulty(
        scheduler.test_the_scheduler_container_did_not_exit,
        "ordinaut-scheduler-1 is exited with exit code 137",
        containers=containers(container("scheduler", "exited")),
    ),
    faulty(
        scheduler.test_the_scheduler_container_did_not_exit,
        "ordinaut-scheduler-1 is exited with exit code 137, OOM-killed",
        containers=containers(container("scheduler", "exited", oom_killed=True)),
    ),
    unobserved(scheduler.test_the_scheduler_container_did_not_exit),
    unobserved(
        scheduler.test_the_scheduler_container_did_not_exit,
        "no container of the service scheduler",
        containers=NO_CONTAINER,
    ),
    # What its process shows, where it runs as a plain one
    healthy(scheduler.test_the_scheduler_process_runs, scheduler_process=process("S")),
    healthy(scheduler.test_the_scheduler_process_runs, scheduler_process=process("T")),
    faulty(
        scheduler.test_the_scheduler_process_runs,
        "no process of the scheduler runs (pid 4711)",
        scheduler_process=no_process(4711),
    ),
    faulty(
        scheduler.test_the_scheduler_process_runs,  # its pid file is empty, or gone
        "no process of the scheduler runs",
        scheduler_process=no_process(None),
    ),
    unobserved(scheduler.test_the_scheduler_process_runs),
    healthy(scheduler.test_the_scheduler_process_is_not_frozen, scheduler_process=process("Ssl")),
    faulty(
        scheduler.test_the_scheduler_process_is_not_frozen,
        "frozen: python (pid 4711)",
        scheduler_process=process("T"),
    ),
    faulty(
        scheduler.test_the_scheduler_process_is_not_frozen,
        "frozen: python (pid 4711)",
        scheduler_process=process("Dsl"),
    ),
    unobserved(scheduler.test_the_scheduler_process_is_not_frozen),
    unobserved(
        scheduler.test_the_scheduler_process_is_not_frozen,
        "no process of the scheduler runs (pid 4711)",
        scheduler_process=no_process(4711),
    ),
    # What the schedule shows
    healthy(scheduler.test_tasks_have_jobs, schedule=LATE),
    healthy(scheduler.test_tasks_have_jobs, schedule=ONE_WITHOUT_JOB),
    healthy(scheduler.test_tasks_have_jobs, schedule=YOUNG_WITHOUT_JOB),
    healthy(scheduler.test_tasks_have_jobs, schedule=NOTHING_SCHEDULED),
    faulty(
        scheduler.test_tasks_have_jobs,
        "none of 2 scheduled tasks has a job: Morning briefing, Weekly report",
        schedule=NO_JOBS,
    ),
    faulty(
        scheduler.test_tasks_have_jobs,
        "(the table apscheduler_jobs does not exist)",
        schedule=replace(NO_JOBS, has_job_table=False),
    ),
    unobserved(scheduler.test_tasks_have_jobs),
    healthy(scheduler.test_tasks_have_jobs, schedule=ALL_STALLED),  # another cause
    healthy(scheduler.test_jobs_have_a_next_run, schedule=ON_TIME),
    healthy(scheduler.test_jobs_have_a_next_run, schedule=LATE),
    faulty(scheduler.test_jobs_have_a_next_run, "Morning briefing (its job has no next run)", schedule=ONE_STALLED),
    faulty(scheduler.test_jobs_have_a_next_run, "Morning briefing (its job has no next run)", schedule=ALL_STALLED),
    unobserved(scheduler.test_jobs_have_a_next_run),
    unobserved(scheduler.test_jobs_have_a_next_run, "no active task has a job", schedule=NO_JOBS),
    healthy(scheduler.test_every_schedule_is_readable, schedule=ON_TIME),
    faulty(scheduler.test_every_schedule_is_readable, "Renewal: '2026-02-30' in UTC is no time", schedule=UNREADABLE),
    unobserved(scheduler.test_every_schedule_is_readable),
    healthy(scheduler.test_every_task_has_its_job, schedule=ON_TIME),
    healthy(
        scheduler.test_every_task_has_its_job,
        schedule=schedule(
            task("Morning briefing", has_job=True), task("Weekly report", has_job=False, age=5 * MINUTE), jobs=1
        ),
    ),
    faulty(scheduler.test_every_task_has_its_job, "without a job: Weekly report", schedule=ONE_WITHOUT_JOB),
    unobserved(scheduler.test_every_task_has_its_job, "none of 2 scheduled tasks has a job", schedule=NO_JOBS),
    unobserved(scheduler.test_every_task_has_its_job),
    unobserved(scheduler.test_every_task_has_its_job, "no active task is scheduled", schedule=NOTHING_SCHEDULED),
    # What it depends on
    healthy(
        scheduler.test_the_scheduler_has_its_database,
        database=serving(),
        scheduler_log=log("2026-03-04 11:59:59 ERROR a task has no schedule"),
    ),
    healthy(
        scheduler.test_the_scheduler_has_its_database,  # longer ago than counts
        database=serving(),
        scheduler_log=log("2026-03-04 11:44:59 ERROR (psycopg.OperationalError) the server is gone"),
    ),
    faulty(
        scheduler.test_the_scheduler_has_its_database,
        "PostgreSQL at db:5432/orchestrator refused the connection: no server listens",
        database=not_serving(DatabaseState.REFUSED),
        scheduler_log=log("2026-03-04 11:59:59 ERROR (psycopg.OperationalError) the server is gone"),
    ),
    faulty(
        scheduler.test_the_scheduler_has_its_database,
        "1 error line within 15 min, the last: 2026-03-04 11:59:59 ERROR (psycopg.OperationalError) the server is gone",
        database=serving(),
        scheduler_log=log(
            "2026-03-04 11:59:58 INFO all is well",
            "2026-03-04 11:59:59 ERROR (psycopg.OperationalError) the server is gone",
        ),
    ),
    unobserved(scheduler.test_the_scheduler_has_its_database),
    unobserved(scheduler.test_the_scheduler_has_its_database, database=serving()),
    unobserved(
        scheduler.test_the_scheduler_has_its_database,
        "PostgreSQL was not asked: its address is not known",
        database=not_serving(DatabaseState.NOT_ASKED),
        scheduler_log=log(),
    ),
    unobserved(
        scheduler.test_the_scheduler_has_its_database,
        "PostgreSQL at db:5432/orchestrator refuses the password",
        database=not_serving(DatabaseState.PASSWORD_REFUSED),
        scheduler_log=log(),
    ),
    unobserved(
        scheduler.test_the_scheduler_has_its_database,
        "a server in recovery (a standby)",
        database=serving(in_recovery=True),
        scheduler_log=log(),
    ),
    healthy(scheduler.test_the_clocks_agree, database=serving(), processes=host_clock(behind=30)),
    healthy(scheduler.test_the_clocks_agree, database=serving(), processes=host_clock(behind=-30)),
    faulty(
        scheduler.test_the_clocks_agree,
        "the database's clock is 2 min ahead of the host's (limit 30 s)",
        database=serving(),
        processes=host_clock(behind=120),
    ),
    faulty(
        scheduler.test_the_clocks_agree,
        "the database's clock is 2 min behind the host's (limit 30 s)",
        database=serving(),
        processes=host_clock(behind=-120),
    ),
    unobserved(scheduler.test_the_clocks_agree),
    unobserved(
        scheduler.test_the_clocks_agree,
        "the host's clock could not be read",
        database=serving(),
        processes=Processes("host", (), clock=None),
    ),
    unobserved(
        scheduler.test_the_clocks_agree,
        "PostgreSQL at db:5432/orchestrator refused the connection",
        database=not_serving(DatabaseState.REFUSED),
        processes=host_clock(behind=0),
    ),
    # What its log shows
    healthy(
        scheduler.test_the_scheduler_logged_no_error,
        scheduler_log=log("2026-03-04 11:00:00 ERROR an hour ago", "2026-03-04 11:59:58 INFO all is well"),
    ),
    faulty(
        scheduler.test_the_scheduler_logged_no_error,
        "1 error line within 15 min, the last: 2026-03-04 11:59:59 ERROR connection lost",
        scheduler_log=log("2026-03-04 11:00:00 ERROR an hour ago", "2026-03-04 11:59:59 ERROR connection lost"),
    ),
    unobserved(scheduler.test_the_scheduler_logged_no_error),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
