"""SchedulerOffline: what is due is not being queued."""

from types import SimpleNamespace

from fixtures.clients.postgres import Database
from fixtures.platform.containers import Containers
from fixtures.platform.host import Processes, ServiceProcess
from fixtures.platform.logs import LogTail
from fixtures.queue.schedule import Schedule, Scheduling
from playbook.alert import Alert, diagnostic, minutes, seconds, trigger
from playbook.quantities import Span, listed

ALERT = Alert(
    name="SchedulerOffline",
    severity=1,
    trigger="no task scheduling activity for more than 5 minutes",
    impact="future tasks are not queued",
    lasts=minutes(1),  # a deploy restarts the scheduler, and its container counts at once: a late job waited already
    limits={"late_by": minutes(5), "recent_errors": minutes(15), "clock_skew": seconds(30)},
    expression=(  # without the scheduler's table there is no lateness to read
        "ordinaut_scheduler_late_seconds > $late_by or absent(ordinaut_scheduler_late_seconds) and on () pg_up == 1"
    ),
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "scheduler"},
    explains="scheduler",
)


@trigger(step=2, measures="scheduling.schedule.measurement", against="late_by")
def test_the_scheduler_queues_what_is_due(scheduling: Scheduling, limits: SimpleNamespace) -> None:
    """No job is late, what should have a job has one, and the scheduler is not known to be stopped."""
    assert scheduling.goes_on(limits.late_by), f"{scheduling}; limit {limits.late_by}"


@diagnostic(cause="container-missing", step=1)
def test_the_scheduler_has_a_container(containers: Containers) -> None:
    """The project has a container of the scheduler, and it was started."""
    absent = containers.missing("scheduler") or listed(containers.not_started("scheduler"))
    assert not absent, absent


@diagnostic(cause="fails-at-start", step=1)
def test_the_scheduler_survives_its_start(containers: Containers) -> None:
    """The scheduler's container does not end, again and again, as soon as it is started."""
    failing = containers.failing_at_start("scheduler")
    assert not failing, listed(failing)


@diagnostic(cause="container-paused", step=1)
def test_the_scheduler_container_is_not_paused(containers: Containers) -> None:
    """The processes of the scheduler's container are not frozen."""
    paused = containers.paused("scheduler")
    assert not paused, listed(paused)


@diagnostic(cause="container-crashed", step=1)
def test_the_scheduler_container_has_not_ended(containers: Containers) -> None:
    """The scheduler's container, once at work, did not end, nor was it killed for want of memory."""
    ended = [*containers.crashed("scheduler"), *containers.killed_for_memory("scheduler")]
    assert not ended, listed(ended)


@diagnostic(cause="jobs-missing", step=2)
def test_tasks_have_jobs(schedule: Schedule) -> None:
    """Of the tasks that have a schedule, some at least have a job: the scheduler loaded them when it started."""
    assert not schedule.none_loaded, f"{schedule}"


@diagnostic(cause="scheduler-stopped", step=1)
def test_the_scheduler_process_runs(scheduler_process: ServiceProcess) -> None:
    """Where the scheduler is a plain process, it is there."""
    assert not scheduler_process.trouble, scheduler_process.trouble


@diagnostic(cause="scheduler-hung", step=1)
def test_the_scheduler_process_is_not_frozen(scheduler_process: ServiceProcess) -> None:
    """Where the scheduler is a plain process, it is neither stopped nor stuck in the kernel."""
    assert not scheduler_process.frozen, f"frozen: {scheduler_process.process}"


@diagnostic(cause="database-connection-lost", step=4, explained_by="OrchestratorDatabaseDown")
def test_the_scheduler_has_its_database(database: Database, scheduler_log: LogTail, limits: SimpleNamespace) -> None:
    """PostgreSQL serves, and the scheduler did not complain of it of late."""
    lost = scheduler_log.saying(limits.recent_errors, "OperationalError", "connection refused", "connection failed")
    assert not database.is_down, f"{database}"
    assert not lost, f"{len(lost)} lines within {limits.recent_errors}, the last: {lost[-1].text}"


@diagnostic(cause="tasks-not-loaded", step=2)
def test_every_task_has_its_job(schedule: Schedule) -> None:
    """No task was posted after the scheduler's start: it looks for tasks only then."""
    assert not schedule.some_not_loaded, f"without a job: {listed(schedule.some_not_loaded)}"


@diagnostic(cause="clock-skew", step=2)
def test_the_clocks_agree(database: Database, processes: Processes, limits: SimpleNamespace) -> None:
    """The host's clock and the database's agree: jobs are due by the one and judged by the other."""
    skew = database.ahead_of(processes.clock)
    off = f"{skew} ahead of" if skew > Span(0) else f"{Span(-skew.total_seconds())} behind"
    assert abs(skew) <= limits.clock_skew, f"the database's clock is {off} the host's, limit {limits.clock_skew}"


@diagnostic(cause="errors-in-log", step=3)
def test_the_scheduler_logged_no_error(scheduler_log: LogTail, limits: SimpleNamespace) -> None:
    """The scheduler wrote no error of late."""
    errors = scheduler_log.errors(limits.recent_errors)
    assert not errors, f"{len(errors)} error lines within {limits.recent_errors}, the last: {errors[-1].text}"
