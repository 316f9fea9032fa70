"""HighQueueDepth: due work waits in the queue."""

from typing import Annotated

from fixtures.queue.items import MOST_COUNTED, Queue
from fixtures.queue.runs import Processing
from fixtures.queue.workers import HeartbeatLimits, Heartbeats
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AtMost, items, minutes
from playbook.quantities import Count, Span, counted, listed


class Limits(HeartbeatLimits):
    """The limits of the alert."""

    pending_items: Annotated[Count, AtMost(MOST_COUNTED)] = items(1000)
    stale_lock: Span = minutes(10)
    time_to_drain: Span = minutes(10)
    worker_forgotten: Span = minutes(60)


ALERT = Alert(
    name="HighQueueDepth",
    severity=2,
    trigger="more than {pending_items} items due and not taken for more than {for_}",
    impact="tasks wait longer and longer",
    for_=minutes(10),
    limits=Limits,
    expression="ordinaut_due_work_items > $pending_items",
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "worker"},
)


@trigger(step=1, measures="queue.measurement", against="pending_items")
def test_the_queue_is_short(queue: Queue, limits: Limits) -> None:
    """The number of items that are due and not taken is within the limit; future items do not count."""
    assert not queue.is_deeper_than(limits.pending_items), f"{queue} (limit {limits.pending_items})"


@diagnostic(cause="no-active-workers", step=3, explained_by="NoActiveWorkers")
def test_some_worker_is_there(heartbeats: Heartbeats, limits: Limits) -> None:
    """Some worker sent a heartbeat within the limit."""
    assert heartbeats.seen_within(limits.heartbeat_age), f"{heartbeats}"


@diagnostic(cause="worker-missing", step=3)
def test_no_worker_fell_silent(heartbeats: Heartbeats, limits: Limits) -> None:
    """Every worker of the last hour still sends heartbeats, or was replaced by another."""
    missing = heartbeats.missing(silent_for=limits.heartbeat_age, but_within=limits.worker_forgotten)
    assert not missing, f"silent: {listed(missing)}"


@diagnostic(cause="stale-locks", step=1)
def test_no_lock_is_stale(queue: Queue, limits: Limits) -> None:
    """No due item is kept from the workers by a lock on which nobody works, or left locked after its lease."""
    stale = queue.stale_locks(limits.stale_lock)
    assert not stale, f"{counted(len(stale), 'stale lock')}: {listed(stale, 3)}"


@diagnostic(cause="processing-too-slow", step=2)
def test_the_queue_drains_in_time(queue: Queue, processing: Processing, limits: Limits) -> None:
    """At the rate of the newest runs, the due items are done within the limit."""
    takes = processing.time_for(queue.due)
    assert takes is not None, f"{queue}, and nothing was run in the last hour"
    assert takes <= limits.time_to_drain, f"{queue}, {processing}: that takes {takes} (limit {limits.time_to_drain})"
