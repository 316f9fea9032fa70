"""LowTaskThroughput: there is work, and few tasks are processed."""

from typing import Annotated

from fixtures.queue.items import OldestItem
from fixtures.queue.runs import MOST_RUNS_COUNTED, NewestRuns, RunQuality, Throughput
from fixtures.queue.workers import HeartbeatLimits, Heartbeats
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AtMost, hours, items, minutes, percent
from playbook.quantities import Count, Share, Span, counted, listed


class Limits(HeartbeatLimits):
    """The limits of the alert."""

    runs_per_hour: Annotated[Count, AtMost(MOST_RUNS_COUNTED)] = items(50)
    work_waits: Span = minutes(10)
    worker_forgotten: Span = hours(2)
    failed_share: Share = percent(20)
    retried_share: Share = percent(20)
    run_duration: Span = hours(1)


ALERT = Alert(
    name="LowTaskThroughput",
    severity=3,
    trigger="fewer than {runs_per_hour} tasks an hour processed in the last two hours, although there was work",
    impact="work takes longer than it should",
    limits=Limits,
    expression=(  # the last hour's runs over an hour: the last two hours
        "max_over_time(ordinaut_task_runs_last_hour[1h]) < $runs_per_hour"
        " and ordinaut_due_work_oldest_seconds > $work_waits and ordinaut_system_age_seconds > 7200"
    ),
    respond_within=hours(2),
    escalate_after=hours(8),
    labels={"service": "worker"},
)


@trigger(step=1, measures="throughput.measurement", against="runs_per_hour")
def test_work_gets_done(throughput: Throughput, limits: Limits) -> None:
    """One of the last two whole hours had enough runs, or there was no work."""
    low = throughput.is_low(limits.runs_per_hour, limits.work_waits)
    assert not low, f"{throughput} (limit {limits.runs_per_hour} an hour)"


@diagnostic(cause="no-active-workers", step=1, explained_by="NoActiveWorkers")
def test_some_worker_is_there(heartbeats: Heartbeats, limits: Limits) -> None:
    """Some worker sent a heartbeat within the limit."""
    assert heartbeats.seen_within(limits.heartbeat_age), f"{heartbeats}"


@diagnostic(cause="runs-not-recorded", step=1)
def test_done_work_is_recorded(throughput: Throughput) -> None:
    """The work that the workers counted as processed is recorded in task_run."""
    assert not throughput.runs_are_missing, f"{throughput}"


@diagnostic(cause="worker-missing", step=1)
def test_no_worker_fell_silent(heartbeats: Heartbeats, limits: Limits) -> None:
    """Every worker of the last hours still sends heartbeats, or was replaced by another."""
    missing = heartbeats.missing(silent_for=limits.heartbeat_age, but_within=limits.worker_forgotten)
    assert not missing, f"silent: {listed(missing)}"


@diagnostic(cause="work-not-taken", step=1)
def test_due_work_is_taken(oldest_item: OldestItem, limits: Limits) -> None:
    """No due item has waited long for a worker."""
    assert not oldest_item.waits_longer_than(limits.work_waits), f"{oldest_item} (limit {limits.work_waits})"


@diagnostic(cause="runs-do-not-end", step=1)
def test_runs_end(newest_runs: NewestRuns, limits: Limits) -> None:
    """No run began longer ago than a run takes and has not ended."""
    endless = newest_runs.endless(limits.run_duration)
    runs = f"{counted(len(endless), 'run')} without an end: {listed(endless, 3)}"
    assert not endless, f"{runs} (limit {limits.run_duration})"


@diagnostic(cause="runs-fail", step=2)
def test_runs_succeed(run_quality: RunQuality, limits: Limits) -> None:
    """Most of the newest runs succeeded."""
    failed = f"{run_quality.failed} of the newest {run_quality.runs} runs failed"
    assert run_quality.failed_share <= limits.failed_share, f"{failed} (limit {limits.failed_share})"


@diagnostic(cause="runs-retried", step=2)
def test_runs_succeed_at_the_first_attempt(run_quality: RunQuality, limits: Limits) -> None:
    """Most of the newest runs succeeded at their first attempt."""
    retried = f"{run_quality.retried} of the newest {run_quality.runs} runs were retries"
    assert run_quality.retried_share <= limits.retried_share, f"{retried} (limit {limits.retried_share})"


@diagnostic(cause="pipeline-unreadable", step=2)
def test_every_pipeline_is_readable(newest_runs: NewestRuns) -> None:
    """The pipeline of each task that ran lately is a list of steps."""
    assert not newest_runs.unreadable, f"no list of steps: {listed(newest_runs.unreadable)}"
