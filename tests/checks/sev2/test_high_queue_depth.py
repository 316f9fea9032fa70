from __future__ import annotations

import pytest

from checks.sev2 import test_high_queue_depth as depth
from fixtures.queue.items import Lock, Queue
from fixtures.queue.runs import Processing
from fixtures.queue.workers import Heartbeat, Heartbeats
from playbook.quantities import Count, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

HOUR = 3600.0


def queue(due: int, *dead_locks: Lock) -> Queue:
    return Queue(Count(due), dead_locks)


def lock(expired: float, worker: str | None = "worker-1", overdue: float = 2 * HOUR) -> Lock:
    return Lock(worker, "4f1c", Span(expired), Span(overdue))


def runs(count: int, within: float = HOUR) -> Processing:
    return Processing(Count(count), Span(2) if count else None, Span(within))


def heartbeat(worker: str, age: float, born: float = HOUR) -> Heartbeat:
    return Heartbeat(worker, Span(age), Count(10), 4711, "host", Span(max(age, born)))


def heartbeats(*rows: Heartbeat, system_age: float | None = None) -> Heartbeats:
    return Heartbeats(rows, None if system_age is None else Span(system_age))


CASES: list[Case] = [
    healthy(depth.test_the_queue_is_short, queue=queue(0)),
    healthy(depth.test_the_queue_is_short, queue=queue(1000)),
    healthy(depth.test_the_queue_is_short, queue=queue(200), limits=depth.Limits(pending_items=Count(200))),
    faulty(depth.test_the_queue_is_short, "1,001 items due (limit 1,000)", queue=queue(1001)),
    faulty(depth.test_the_queue_is_short, "5,001 or more items due (limit 1,000)", queue=queue(5001)),
    faulty(
        depth.test_the_queue_is_short,
        "1 item due (limit 0)",
        queue=queue(1),
        limits=depth.Limits(pending_items=Count(0)),
    ),
    unobserved(depth.test_the_queue_is_short),
    #
    healthy(
        depth.test_some_worker_is_there,
        heartbeats=heartbeats(heartbeat("worker-1", 10), heartbeat("worker-2", 432)),
    ),
    healthy(depth.test_some_worker_is_there, heartbeats=heartbeats(heartbeat("worker-1", 180))),
    healthy(depth.test_some_worker_is_there, heartbeats=heartbeats(system_age=60)),  # too young for a heartbeat
    faulty(
        depth.test_some_worker_is_there,
        "newest heartbeat 7 min 12 s old (worker-2 7 min 12 s ago)",
        heartbeats=heartbeats(heartbeat("worker-2", 432)),
    ),
    faulty(
        depth.test_some_worker_is_there, "no worker ever sent a heartbeat", heartbeats=heartbeats(system_age=90 * HOUR)
    ),
    faulty(depth.test_some_worker_is_there, "no worker ever sent a heartbeat", heartbeats=heartbeats(system_age=None)),
    unobserved(
        depth.test_some_worker_is_there,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600)),
    ),
    unobserved(depth.test_some_worker_is_there),
    #
    healthy(
        depth.test_no_worker_fell_silent,  # silent for so long that nobody expects it back
        heartbeats=heartbeats(heartbeat("worker-1", 10), heartbeat("forgotten", 2 * HOUR)),
    ),
    healthy(
        depth.test_no_worker_fell_silent,  # worker-3 was started after worker-2 ended
        heartbeats=heartbeats(heartbeat("worker-3", 5, born=400), heartbeat("worker-2", 432)),
    ),
    faulty(
        depth.test_no_worker_fell_silent,
        "silent: worker-2 7 min 12 s ago",
        heartbeats=heartbeats(heartbeat("worker-1", 10), heartbeat("worker-2", 432)),
    ),
    faulty(
        depth.test_no_worker_fell_silent,
        "silent: worker-2 7 min 12 s ago",
        heartbeats=heartbeats(heartbeat("worker-1", -600), heartbeat("worker-2", 432)),
    ),
    unobserved(
        depth.test_no_worker_fell_silent, "no worker ever sent a heartbeat", heartbeats=heartbeats(system_age=60)
    ),
    unobserved(
        depth.test_no_worker_fell_silent,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600)),
    ),
    #
    healthy(depth.test_the_queue_drains_in_time, queue=queue(0), processing=runs(0)),
    healthy(depth.test_the_queue_drains_in_time, queue=queue(100), processing=runs(600)),
    healthy(depth.test_the_queue_drains_in_time, queue=queue(400), processing=runs(500, within=600)),
    faulty(
        depth.test_the_queue_drains_in_time,
        "101 items due, 600 runs within 1 h, 2 s each: that takes 10 min 6 s (limit 10 min)",
        queue=queue(101),
        processing=runs(600),
    ),
    faulty(
        depth.test_the_queue_drains_in_time,
        "5,001 or more items due, 500 runs within 30 min, 2 s each: that takes 5 h",
        queue=queue(5001),
        processing=runs(500, within=1800),
    ),
    faulty(
        depth.test_the_queue_drains_in_time,
        "2 items due, 1 run within 1 h, 2 s each: that takes 2 h",
        queue=queue(2),
        processing=runs(1),
    ),
    faulty(
        depth.test_the_queue_drains_in_time,
        "1 item due, and nothing was run in the last hour",
        queue=queue(1),
        processing=runs(0),
    ),
    unobserved(depth.test_the_queue_drains_in_time, queue=queue(101)),
    unobserved(depth.test_the_queue_drains_in_time, processing=runs(600)),
    #
    healthy(depth.test_no_lock_is_stale, queue=queue(1001)),
    healthy(depth.test_no_lock_is_stale, queue=queue(1, lock(600))),
    healthy(depth.test_no_lock_is_stale, queue=queue(1, lock(-24 * HOUR, overdue=600))),
    faulty(
        depth.test_no_lock_is_stale,
        "2 stale locks: worker-1 on task 4f1c, locked for another 1 d, nobody on task 4f1c, locked for another 1 h",
        queue=queue(2, lock(-24 * HOUR, overdue=601), lock(-HOUR, None)),
    ),
    faulty(
        depth.test_no_lock_is_stale,
        "1 stale lock: worker-1 on task 4f1c, expired 15 min ago",
        queue=queue(0, lock(900), lock(5)),
    ),
    faulty(
        depth.test_no_lock_is_stale,
        "5 stale locks: worker-0 on task 4f1c, expired 15 min ago, worker-1 on task 4f1c, expired 15 min ago, "
        "worker-2 on task 4f1c, expired 15 min ago and 2 more",
        queue=queue(0, *(lock(900, f"worker-{number}") for number in range(5))),
    ),
    unobserved(depth.test_no_lock_is_stale),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()


def test_no_limit_is_above_what_is_counted() -> None:
    with pytest.raises(ValueError, match="pending_items: 5,001 is above 5,000, the most that is counted"):
        depth.Limits.overridden({"pending_items": 5001})
