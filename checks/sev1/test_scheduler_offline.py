"""SchedulerOffline: due jobs are not being queued."""

from fixtures.database.server import Database
from fixtures.platform.containers import Containers
from fixtures.platform.logs import LogTail, described
from fixtures.platform.processes import Processes, ServiceProcess
from fixtures.queue.schedule import Schedule, Scheduling
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AlertLimits, minutes, seconds
from playbook.quantities import Span, listed


class Limits(AlertLimits):
    """The limits of the alert."""

    late_by: Span = minutes(5)
    recent_errors: Span = minutes(15)
    clock_skew: Span = seconds(30)


ALERT = Alert(
    name="SchedulerOffline",
    severity=1,
    trigger="scheduled jobs are more than {late_by} late, are missing, or the scheduler is known to be stopped",
    impact="future tasks are not queued",
    for_=minutes(1),  # a deploy restarts the scheduler, and its container counts at once: a late job waited already
    limits=Limits,
    expression=(  # without the scheduler's table there is no lateness to read
        "ordinaut_scheduler_late_seconds > $late_by or absent(ordinaut_scheduler_late_seconds) and on () pg_up == 1"
    ),
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "scheduler"},
    explains=("scheduler",),
)


@trigger(step=2, measures="scheduling.schedule.measurement", against="late_by")
def test_the_scheduler_queues_what_is_due(scheduling: Scheduling, limits: Limits) -> None:
    """No job is late, scheduled tasks have jobs with a next run, and no scheduler container is known to be down."""
    assert scheduling.goes_on(limits.late_by), f"{scheduling} (limit {limits.late_by})"


@diagnostic(cause="container-missing", step=1)
def test_the_scheduler_has_a_container(containers: Containers) -> None:
    """The project has a scheduler container, and it was started."""
    absent = containers.missing("scheduler") or listed(containers.not_started("scheduler"))
    assert not absent, absent


@diagnostic(cause="fails-at-start", step=1)
def test_the_scheduler_survives_its_start(containers: Containers) -> None:
    """The scheduler container does not exit again and again at its start."""
    failing = containers.failing_at_start("scheduler")
    assert not failing, listed(failing)


@diagnostic(cause="container-paused", step=1)
def test_the_scheduler_container_is_not_paused(containers: Containers) -> None:
    """The scheduler container is not paused."""
    paused = containers.paused("scheduler")
    assert not paused, listed(paused)


@diagnostic(cause="container-crashed", step=1)
def test_the_scheduler_container_did_not_exit(containers: Containers) -> None:
    """The scheduler container did not exit after its start, and was not OOM-killed."""
    ended = [*containers.crashed("scheduler"), *containers.killed_for_memory("scheduler")]
    assert not ended, listed(ended)


@diagnostic(cause="jobs-missing", step=2)
def test_tasks_have_jobs(schedule: Schedule, limits: Limits) -> None:
    """The scheduler loaded the scheduled tasks when it started: some at least have a job."""
    assert not schedule.none_loaded(limits.late_by), f"{schedule}"


@diagnostic(cause="jobs-stalled", step=2)
def test_jobs_have_a_next_run(schedule: Schedule, limits: Limits) -> None:
    """Every job of an active task has a next run, and no later than its schedule comes round."""
    stalled = schedule.stalled(limits.late_by)
    assert not stalled, listed(stalled)


@diagnostic(cause="scheduler-stopped", step=1)
def test_the_scheduler_process_runs(scheduler_process: ServiceProcess) -> None:
    """Where the scheduler runs as a plain process, it has one."""
    assert not scheduler_process.trouble, scheduler_process.trouble


@diagnostic(cause="scheduler-hung", step=1)
def test_the_scheduler_process_is_not_frozen(scheduler_process: ServiceProcess) -> None:
    """Where the scheduler runs as a plain process, that is neither stopped nor stuck in the kernel."""
    assert not scheduler_process.is_frozen, f"frozen: {scheduler_process.process}"


@diagnostic(cause="database-connection-lost", step=4, explained_by="OrchestratorDatabaseDown")
def test_the_scheduler_has_its_database(database: Database, scheduler_log: LogTail, limits: Limits) -> None:
    """PostgreSQL serves, and the scheduler logged no failed connection recently."""
    lost = scheduler_log.saying(limits.recent_errors, "OperationalError", "connection refused", "connection failed")
    assert not database.is_down, f"{database}"
    assert not lost, described(lost, limits.recent_errors)


@diagnostic(cause="tasks-not-loaded", step=2)
def test_every_task_has_its_job(schedule: Schedule, limits: Limits) -> None:
    """Every scheduled task has a job: none was posted after the scheduler's start, the only time it loads tasks."""
    without = schedule.without_job(limits.late_by)
    assert not without, f"without a job: {listed(without)}"


@diagnostic(cause="schedule-unreadable", step=2)
def test_every_schedule_is_readable(schedule: Schedule) -> None:
    """Every once task without a job has a schedule that is a time: one that is none never runs."""
    assert not schedule.unreadable, listed(schedule.unreadable)


@diagnostic(cause="clock-skew", step=2)
def test_the_clocks_agree(database: Database, processes: Processes, limits: Limits) -> None:
    """The clocks of the host and the database agree: jobs are due by one and judged by the other."""
    skew = database.ahead_of(processes.clock)
    off = f"{skew} ahead of" if skew > Span(0) else f"{Span(-skew.total_seconds())} behind"
    assert abs(skew) <= limits.clock_skew, f"the database's clock is {off} the host's (limit {limits.clock_skew})"


@diagnostic(cause="errors-in-log", step=3)
def test_the_scheduler_logged_no_error(scheduler_log: LogTail, limits: Limits) -> None:
    """The scheduler logged no error recently."""
    errors = scheduler_log.errors(limits.recent_errors)
    assert not errors, described(errors, limits.recent_errors)
