"""LowTaskThroughput: there is work, and little of it gets done."""

from types import SimpleNamespace

from fixtures.queue.runs import Heartbeats, OldestItem, RunQuality, Throughput
from playbook.alert import Alert, diagnostic, hours, items, minutes, percent, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="LowTaskThroughput",
    severity=3,
    trigger="fewer than 50 tasks an hour processed for more than 2 hours, although there was work",
    impact="work takes longer than it should",
    limits={
        "runs_per_hour": items(50),
        "work_waits": minutes(10),
        "heartbeat_age": minutes(3),
        "worker_forgotten": hours(2),
        "failed_share": percent(20),
        "retried_share": percent(20),
    },
    expression=(  # the last hour's runs over an hour: the last two hours
        "max_over_time(ordinaut_task_runs_last_hour[1h]) < $runs_per_hour"
        " and ordinaut_due_work_oldest_seconds > $work_waits and ordinaut_system_age_seconds > 7200"
    ),
    respond_within=hours(2),
    escalate_after=hours(8),
    labels={"service": "worker"},
)


@trigger(step=1, measures="throughput.measurement", against="runs_per_hour")
def test_work_gets_done(throughput: Throughput, limits: SimpleNamespace) -> None:
    """One of the last two whole hours had enough runs, or there was nothing to do."""
    low = throughput.is_low(limits.runs_per_hour, limits.work_waits)
    assert not low, f"{throughput}, limit {limits.runs_per_hour} an hour"


@diagnostic(cause="no-active-workers", step=1, explained_by="NoActiveWorkers")
def test_some_worker_is_there(heartbeats: Heartbeats, limits: SimpleNamespace) -> None:
    """Some worker was seen within the limit."""
    assert heartbeats.seen_within(limits.heartbeat_age), f"{heartbeats}"


@diagnostic(cause="runs-not-recorded", step=1)
def test_done_work_is_recorded(throughput: Throughput) -> None:
    """What the workers counted as processed shows in task_run."""
    assert not throughput.runs_are_missing, f"{throughput}"


@diagnostic(cause="worker-missing", step=1)
def test_no_worker_fell_silent(heartbeats: Heartbeats, limits: SimpleNamespace) -> None:
    """Every worker of the last hours is still there, or was followed by another."""
    missing = heartbeats.missing(silent_for=limits.heartbeat_age, but_within=limits.worker_forgotten)
    assert not missing, f"silent: {listed(missing)}"


@diagnostic(cause="work-not-taken", step=1)
def test_due_work_is_taken(oldest_item: OldestItem, limits: SimpleNamespace) -> None:
    """No item that is due has waited long for a worker."""
    assert not oldest_item.waits_longer_than(limits.work_waits), f"{oldest_item}, limit {limits.work_waits}"


@diagnostic(cause="runs-fail", step=2)
def test_runs_succeed(run_quality: RunQuality, limits: SimpleNamespace) -> None:
    """Most of the newest runs succeeded."""
    failed = f"{run_quality.failed} of the newest {run_quality.runs} runs failed"
    assert run_quality.failed_share <= limits.failed_share, f"{failed}, limit {limits.failed_share}"


@diagnostic(cause="runs-retried", step=2)
def test_runs_succeed_at_once(run_quality: RunQuality, limits: SimpleNamespace) -> None:
    """Most of the newest runs needed no second attempt."""
    retried = f"{run_quality.retried} of the newest {run_quality.runs} runs were retries"
    assert run_quality.retried_share <= limits.retried_share, f"{retried}, limit {limits.retried_share}"
