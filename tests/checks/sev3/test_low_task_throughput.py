from __future__ import annotations

from checks.sev3 import test_low_task_throughput as low
from fixtures.queue.items import OldestItem
from fixtures.queue.runs import EndlessRun, NewestRuns, Processing, RunQuality, Throughput, WorkDone
from fixtures.queue.workers import Heartbeat, Heartbeats
from playbook.quantities import Count, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def throughput(
    *hours: int, overdue: float | None = None, age: float | None = 90 * DAY, compared: tuple[int, int] | None = None
) -> Throughput:
    """Return the runs of the last two hours; `compared` is what the workers did in an hour, and what is recorded."""
    done, recorded = compared or (None, None)
    return Throughput(
        WorkDone(
            tuple(map(Count, hours)),
            None if done is None else Count(done),
            None if recorded is None else Count(recorded),
            Span(HOUR) if compared else None,
        ),
        None if age is None else Span(age),
        None if overdue is None else Span(overdue),
    )


def heartbeat(worker: str, age: float, born: float = HOUR) -> Heartbeat:
    return Heartbeat(worker, Span(age), Count(10), 4711, "host", Span(max(age, born)))


def heartbeats(*rows: Heartbeat, system_age: float | None = None) -> Heartbeats:
    return Heartbeats(rows, None if system_age is None else Span(system_age))


def quality(runs: int, failed: int = 0, retried: int = 0) -> RunQuality:
    return RunQuality(Count(runs), Count(failed), Count(retried))


def newest(*not_ended: EndlessRun, unreadable: tuple[str, ...] = ()) -> NewestRuns:
    return NewestRuns(quality(10), Processing(Count(10), Span(1)), not_ended, unreadable)


def begun(age: float, worker: str | None = "worker-1") -> EndlessRun:
    return EndlessRun("4f1c", worker, Span(age))


CASES: list[Case] = [
    healthy(low.test_work_gets_done, throughput=throughput(50, 0, overdue=HOUR)),
    healthy(low.test_work_gets_done, throughput=throughput(0, 50, compared=(90, 10))),
    healthy(low.test_work_gets_done, throughput=throughput(0, 0)),  # idle
    healthy(low.test_work_gets_done, throughput=throughput(5, 7)),  # little to do, and done
    healthy(low.test_work_gets_done, throughput=throughput(0, 0, overdue=10 * MINUTE)),
    healthy(low.test_work_gets_done, throughput=throughput(5, 7, compared=(19, 10))),
    healthy(low.test_work_gets_done, throughput=throughput(0, 0, overdue=HOUR, age=1.9 * HOUR)),
    healthy(low.test_work_gets_done, throughput=throughput(0, 0, age=1.9 * HOUR, compared=(40, 0))),
    faulty(
        low.test_work_gets_done,
        "12 and 3 runs in the last two whole hours, though an item has been due for 25 min (limit 50 an hour)",
        throughput=throughput(12, 3, overdue=25 * MINUTE),
    ),
    faulty(
        low.test_work_gets_done,
        "0 and 3 runs in the last two whole hours, though the workers processed 40 items in 1 h and task_run has 3",
        throughput=throughput(0, 3, compared=(40, 3)),
    ),
    faulty(
        low.test_work_gets_done,
        "though an item has been due for 1 h and the workers processed 40 items",
        throughput=throughput(49, 49, overdue=HOUR, age=2 * HOUR, compared=(40, 0)),
    ),
    faulty(
        low.test_work_gets_done,
        "0 and 0 runs in the last two whole hours, though an item has been due for 2 h",
        throughput=throughput(0, 0, overdue=2 * HOUR, age=None),  # no agent shows how old the system is
    ),
    unobserved(low.test_work_gets_done),
    #
    healthy(
        low.test_some_worker_is_there,
        heartbeats=heartbeats(heartbeat("worker-1", 10), heartbeat("worker-2", 432)),
    ),
    healthy(low.test_some_worker_is_there, heartbeats=heartbeats(system_age=60)),
    faulty(
        low.test_some_worker_is_there,
        "newest heartbeat 7 min 12 s old",
        heartbeats=heartbeats(heartbeat("worker-2", 432)),
    ),
    unobserved(
        low.test_some_worker_is_there,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600)),
    ),
    unobserved(low.test_some_worker_is_there),
    #
    healthy(low.test_done_work_is_recorded, throughput=throughput(90, 90, compared=(19, 10))),
    healthy(low.test_done_work_is_recorded, throughput=throughput(0, 0, compared=(0, 0))),
    faulty(
        low.test_done_work_is_recorded,
        "50 and 50 runs in the last two whole hours, though the workers processed 20 items in 1 h and task_run has 10",
        throughput=throughput(50, 50, compared=(20, 10)),
    ),
    unobserved(
        low.test_done_work_is_recorded,
        "not compared: too little work was done, or no earlier run counted it",
        throughput=throughput(0, 0, overdue=HOUR),
    ),
    unobserved(low.test_done_work_is_recorded),
    #
    healthy(
        low.test_no_worker_fell_silent,  # silent for so long that nobody expects it back
        heartbeats=heartbeats(heartbeat("worker-1", 10), heartbeat("forgotten", 2.1 * HOUR)),
    ),
    faulty(
        low.test_no_worker_fell_silent,
        "silent: worker-2 1 h 30 min ago",
        heartbeats=heartbeats(heartbeat("worker-1", 10, born=DAY), heartbeat("worker-2", 1.5 * HOUR, born=DAY)),
    ),
    unobserved(low.test_no_worker_fell_silent, "no worker ever sent a heartbeat", heartbeats=heartbeats(system_age=60)),
    unobserved(
        low.test_no_worker_fell_silent,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600)),
    ),
    #
    healthy(low.test_due_work_is_taken, oldest_item=OldestItem(overdue=None)),
    healthy(low.test_due_work_is_taken, oldest_item=OldestItem(Span(10 * MINUTE))),
    faulty(
        low.test_due_work_is_taken,
        "an item has been due for 25 min (limit 10 min)",
        oldest_item=OldestItem(Span(25 * MINUTE)),
    ),
    unobserved(low.test_due_work_is_taken),
    #
    healthy(low.test_runs_end, newest_runs=newest()),
    healthy(low.test_runs_end, newest_runs=newest(begun(HOUR))),  # it runs
    faulty(
        low.test_runs_end,
        "2 runs without an end: task 4f1c on no worker, begun 3 h ago, task 4f1c on worker-1, begun 2 h ago (",
        newest_runs=newest(begun(2 * HOUR), begun(3 * HOUR, None), begun(5)),
    ),
    unobserved(low.test_runs_end),
    #
    healthy(low.test_every_pipeline_is_readable, newest_runs=newest(begun(2 * HOUR))),
    faulty(
        low.test_every_pipeline_is_readable,
        "no list of steps: Morning briefing",
        newest_runs=newest(unreadable=("Morning briefing",)),
    ),
    unobserved(low.test_every_pipeline_is_readable),
    #
    healthy(low.test_runs_succeed, run_quality=quality(10, failed=2)),
    faulty(
        low.test_runs_succeed,
        "3 of the newest 10 runs failed (limit 20 %)",
        run_quality=quality(10, failed=3, retried=9),
    ),
    unobserved(low.test_runs_succeed, "no task was run in the last 24 hours", run_quality=quality(0)),
    unobserved(low.test_runs_succeed),
    #
    healthy(low.test_runs_succeed_at_the_first_attempt, run_quality=quality(10, retried=2)),
    faulty(
        low.test_runs_succeed_at_the_first_attempt,
        "3 of the newest 10 runs were retries (limit 20 %)",
        run_quality=quality(10, failed=9, retried=3),
    ),
    unobserved(
        low.test_runs_succeed_at_the_first_attempt, "no task was run in the last 24 hours", run_quality=quality(0)
    ),
    unobserved(low.test_runs_succeed_at_the_first_attempt),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
