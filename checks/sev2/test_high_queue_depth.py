"""HighQueueDepth: work piles up."""

from types import SimpleNamespace

from fixtures.queue.runs import Heartbeats, Processing, Queue, QueueDepth
from playbook.alert import Alert, diagnostic, items, minutes, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="HighQueueDepth",
    severity=2,
    trigger="more than 1000 items due and not taken for more than 10 minutes",
    impact="tasks wait longer and longer",
    lasts=minutes(10),
    limits={
        "pending_items": items(1000),
        "stale_lock": minutes(10),
        "time_to_drain": minutes(10),
        "heartbeat_age": minutes(3),
        "worker_forgotten": minutes(60),
    },
    expression="ordinaut_due_work_items > $pending_items",
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "worker"},
)


@trigger(step=1, measures="queue_depth.measurement", against="pending_items")
def test_the_queue_is_short(queue_depth: QueueDepth, limits: SimpleNamespace) -> None:
    """No more items are due and not taken than the limit; items for the future do not count."""
    assert not queue_depth.is_above(limits.pending_items), f"{queue_depth}, limit {limits.pending_items}"


@diagnostic(cause="no-active-workers", step=3, explained_by="NoActiveWorkers")
def test_some_worker_is_there(heartbeats: Heartbeats, limits: SimpleNamespace) -> None:
    """Some worker was seen within the limit."""
    assert heartbeats.seen_within(limits.heartbeat_age), f"{heartbeats}"


@diagnostic(cause="worker-missing", step=3)
def test_no_worker_fell_silent(heartbeats: Heartbeats, limits: SimpleNamespace) -> None:
    """Every worker of the last hour is still there, or was followed by another."""
    missing = heartbeats.missing(silent_for=limits.heartbeat_age, but_within=limits.worker_forgotten)
    assert not missing, f"silent: {listed(missing)}"


@diagnostic(cause="processing-too-slow", step=2)
def test_the_queue_drains_in_time(queue: Queue, processing: Processing, limits: SimpleNamespace) -> None:
    """At the rate of the newest runs, what is due is done soon."""
    takes = processing.time_for(queue.due)
    assert not queue.due or takes is not None, f"{queue} and nothing was run in the last hour"
    assert not queue.due or takes <= limits.time_to_drain, f"{queue}, {processing}: that takes {takes}"


@diagnostic(cause="stale-locks", step=1)
def test_no_lock_is_stale(queue: Queue) -> None:
    """No item is still marked as taken long after its lease has expired."""
    assert not queue.stale_locks, f"{len(queue.stale_locks)} stale locks: {listed(queue.stale_locks, 3)}"
