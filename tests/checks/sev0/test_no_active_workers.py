from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from checks.sev0 import test_no_active_workers as workers
from fixtures.platform.containers import Container, Containers, Usage, Usages
from fixtures.platform.host import Disk, Disks, Memory
from fixtures.platform.logs import LogTail, read_log
from fixtures.queue.items import OldestItem
from fixtures.queue.workers import Heartbeat, Heartbeats, HeldItem, HeldItems, Workers
from playbook.quantities import Count, Share, Size, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

GIB = 1024**3
HOUR = 3600.0


def heartbeat(worker: str, age: float, born: float = HOUR) -> Heartbeat:
    return Heartbeat(worker, Span(age), Count(10), 4711, "host", Span(max(age, born)))


def heartbeats(*rows: Heartbeat) -> Heartbeats:
    return Heartbeats(rows, None)


def no_heartbeat(system_age: float | None) -> Heartbeats:
    return Heartbeats((), None if system_age is None else Span(system_age))


def holds_work(worker: str) -> HeldItems:
    return HeldItems((HeldItem(worker, "4f1c", "Morning briefing", Span(500)),))


FRESH = heartbeat("worker-1", 10)
SILENT = heartbeat("worker-2", 432)
NOBODY_LEFT = Workers(gone=(SILENT,), frozen=(), running=())


def container(service: str, status: str = "running", **more: Any) -> Container:
    exit_code = 137 if status in ("exited", "restarting") else 0
    return Container(f"ordinaut-{service}-1", service, status, exit_code, **more)


def containers(*found: Container, **more: Any) -> Containers:
    return Containers("ordinaut", found, **more)


NO_CONTAINER = containers(container("postgres", networks=("backend",)))
OUTSIDE = containers(container("postgres", networks=("backend",)), elsewhere=frozenset({"worker"}))


def usage(service: str, share: float) -> Usages:
    return Usages((Usage(f"ordinaut-{service}-1", service, Size(share * GIB), Size(GIB)),))


def log(*lines: str) -> LogTail:
    return read_log("worker", "\n".join(lines), datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC), ZoneInfo("UTC"))


CASES = [
    # The trigger
    healthy(workers.test_a_worker_sent_a_heartbeat_recently, heartbeats=heartbeats(FRESH, SILENT)),
    healthy(workers.test_a_worker_sent_a_heartbeat_recently, heartbeats=heartbeats(heartbeat("worker-1", 180))),
    healthy(  # a second ahead is rounding
        workers.test_a_worker_sent_a_heartbeat_recently, heartbeats=heartbeats(heartbeat("worker-1", -1))
    ),
    healthy(  # a system this new has had no time for one
        workers.test_a_worker_sent_a_heartbeat_recently, heartbeats=no_heartbeat(system_age=60)
    ),
    faulty(
        workers.test_a_worker_sent_a_heartbeat_recently,
        "newest heartbeat 7 min 12 s old (worker-2 7 min 12 s ago) (limit 3 min)",
        heartbeats=heartbeats(SILENT),
    ),
    faulty(
        workers.test_a_worker_sent_a_heartbeat_recently,
        "no worker ever sent a heartbeat (limit 3 min)",
        heartbeats=no_heartbeat(system_age=90 * 86400),
    ),
    faulty(
        workers.test_a_worker_sent_a_heartbeat_recently,
        "no worker ever sent a heartbeat (limit 3 min)",
        heartbeats=no_heartbeat(system_age=None),
    ),
    unobserved(workers.test_a_worker_sent_a_heartbeat_recently),
    unobserved(
        workers.test_a_worker_sent_a_heartbeat_recently,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600), SILENT),
    ),
    # What the workers' containers show
    healthy(workers.test_the_worker_containers_are_not_paused, containers=containers(container("worker"))),
    faulty(
        workers.test_the_worker_containers_are_not_paused,
        "ordinaut-worker-1 is paused",
        containers=containers(container("worker", "paused")),
    ),
    unobserved(workers.test_the_worker_containers_are_not_paused),
    unobserved(
        workers.test_the_worker_containers_are_not_paused,
        "project ordinaut has no container of the service worker",
        containers=NO_CONTAINER,
    ),
    unobserved(
        workers.test_the_worker_containers_are_not_paused,
        "worker runs outside of project ordinaut",
        containers=OUTSIDE,
    ),
    healthy(
        workers.test_the_worker_containers_run, containers=containers(container("worker"), container("api", "exited"))
    ),
    faulty(
        workers.test_the_worker_containers_run,
        "ordinaut-worker-1 is exited with exit code 137",
        containers=containers(container("worker", "exited")),
    ),
    faulty(
        workers.test_the_worker_containers_run,
        "project ordinaut has no container of the service worker",
        containers=NO_CONTAINER,
    ),
    unobserved(workers.test_the_worker_containers_run),
    unobserved(workers.test_the_worker_containers_run, "worker runs outside of project ordinaut", containers=OUTSIDE),
    healthy(
        workers.test_the_workers_share_a_network_with_the_database,
        containers=containers(
            container("worker", networks=("backend",)), container("postgres", networks=("backend", "other"))
        ),
    ),
    faulty(
        workers.test_the_workers_share_a_network_with_the_database,
        "no network shared with postgres: ordinaut-worker-1 is running",
        containers=containers(
            container("worker", networks=("elsewhere",)), container("postgres", networks=("backend",))
        ),
    ),
    faulty(
        workers.test_the_workers_share_a_network_with_the_database,  # disconnected from its only one
        "no network shared with postgres: ordinaut-worker-1 is running",
        containers=containers(container("worker", networks=()), container("postgres", networks=("backend",))),
    ),
    unobserved(workers.test_the_workers_share_a_network_with_the_database),
    unobserved(
        workers.test_the_workers_share_a_network_with_the_database,
        "no container of the service postgres",
        containers=containers(container("worker", networks=("backend",))),
    ),
    unobserved(
        workers.test_the_workers_share_a_network_with_the_database,
        "the containers of postgres are on no network",
        containers=containers(container("worker", networks=("backend",)), container("postgres", "exited")),
    ),
    unobserved(
        workers.test_the_workers_share_a_network_with_the_database,
        "no container of the service worker",
        containers=NO_CONTAINER,
    ),
    unobserved(
        workers.test_the_workers_share_a_network_with_the_database,
        "no container of worker runs",
        containers=containers(
            container("worker", "exited", networks=("elsewhere",)), container("postgres", networks=("backend",))
        ),
    ),
    unobserved(
        workers.test_the_workers_share_a_network_with_the_database,
        "postgres runs outside of project ordinaut",
        containers=containers(container("worker"), elsewhere=frozenset({"postgres"})),
    ),
    healthy(workers.test_the_worker_containers_have_memory_left, container_usage=usage("worker", 0.9)),
    faulty(
        workers.test_the_worker_containers_have_memory_left,
        "ordinaut-worker-1 uses 972.8 MiB of 1.0 GiB (95 %)",
        container_usage=usage("worker", 0.95),
    ),
    unobserved(workers.test_the_worker_containers_have_memory_left),
    unobserved(
        workers.test_the_worker_containers_have_memory_left,
        "no container of worker runs",
        container_usage=usage("api", 0.95),
    ),
    unobserved(
        workers.test_the_worker_containers_have_memory_left, "no container of worker runs", container_usage=Usages(())
    ),
    # What the workers' processes and heartbeats show
    healthy(
        workers.test_no_silent_worker_holds_work,
        heartbeats=heartbeats(FRESH),
        held_items=holds_work("worker-1"),
        workers=Workers(gone=(), frozen=(), running=(FRESH,)),
    ),
    healthy(
        workers.test_no_silent_worker_holds_work,
        heartbeats=heartbeats(SILENT),
        held_items=HeldItems(()),
        workers=Workers(gone=(), frozen=(), running=(SILENT,)),
    ),
    healthy(
        workers.test_no_silent_worker_holds_work,  # that it is frozen is another cause
        heartbeats=heartbeats(SILENT),
        held_items=holds_work("worker-2"),
        workers=Workers(gone=(), frozen=(SILENT,), running=()),
    ),
    healthy(
        workers.test_no_silent_worker_holds_work,  # the holder is gone, another one works
        heartbeats=heartbeats(FRESH, SILENT),
        held_items=holds_work("worker-2"),
        workers=Workers(gone=(SILENT,), frozen=(), running=(FRESH,)),
    ),
    faulty(
        workers.test_no_silent_worker_holds_work,
        "worker-2 holds an item of task 4f1c ('Morning briefing') that was due 8 min 20 s ago; "
        "last heartbeat: worker-2 7 min 12 s ago",
        heartbeats=heartbeats(SILENT),
        held_items=holds_work("worker-2"),
        workers=Workers(gone=(), frozen=(), running=(SILENT,)),
    ),
    unobserved(workers.test_no_silent_worker_holds_work),
    unobserved(
        workers.test_no_silent_worker_holds_work,
        heartbeats=heartbeats(SILENT),
        workers=Workers(gone=(), frozen=(), running=(SILENT,)),
    ),
    unobserved(
        workers.test_no_silent_worker_holds_work,
        "no worker has a process: worker-2 7 min 12 s ago",
        heartbeats=heartbeats(SILENT),
        held_items=holds_work("worker-2"),
        workers=NOBODY_LEFT,
    ),
    unobserved(
        workers.test_no_silent_worker_holds_work,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600)),
        held_items=holds_work("worker-1"),
        workers=Workers(gone=(), frozen=(), running=(heartbeat("worker-1", -600),)),
    ),
    healthy(workers.test_the_workers_are_not_frozen, workers=Workers(gone=(SILENT,), frozen=(), running=(FRESH,))),
    faulty(
        workers.test_the_workers_are_not_frozen,
        "frozen: worker-2 7 min 12 s ago",
        workers=Workers(gone=(), frozen=(SILENT,), running=(FRESH,)),
    ),
    unobserved(workers.test_the_workers_are_not_frozen),
    unobserved(
        workers.test_the_workers_are_not_frozen,
        "no worker has a process: worker-2 7 min 12 s ago",
        workers=NOBODY_LEFT,
    ),
    healthy(workers.test_some_worker_has_a_process, workers=Workers(gone=(SILENT,), frozen=(), running=(FRESH,))),
    healthy(workers.test_some_worker_has_a_process, workers=Workers(gone=(), frozen=(SILENT,), running=())),
    faulty(
        workers.test_some_worker_has_a_process,
        "no process left: worker-2 7 min 12 s ago",
        workers=NOBODY_LEFT,
    ),
    unobserved(workers.test_some_worker_has_a_process),
    healthy(
        workers.test_no_worker_fell_silent,  # silent for longer than it is remembered
        heartbeats=heartbeats(FRESH, heartbeat("worker-0", 2 * HOUR)),
    ),
    healthy(
        workers.test_no_worker_fell_silent,  # worker-3 was started in its place
        heartbeats=heartbeats(heartbeat("worker-3", 5, born=400), SILENT),
    ),
    faulty(
        workers.test_no_worker_fell_silent,
        "silent: worker-2 7 min 12 s ago",
        heartbeats=heartbeats(FRESH, SILENT),
    ),
    unobserved(workers.test_no_worker_fell_silent),
    unobserved(
        workers.test_no_worker_fell_silent,
        "no worker ever sent a heartbeat",
        heartbeats=no_heartbeat(system_age=90 * 86400),
    ),
    unobserved(
        workers.test_no_worker_fell_silent,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600)),
    ),
    healthy(workers.test_due_work_is_taken, oldest_item=OldestItem(None)),  # the queue was read: nothing is due
    healthy(workers.test_due_work_is_taken, oldest_item=OldestItem(Span(300))),
    faulty(
        workers.test_due_work_is_taken,
        "an item has been due for 10 min (limit 5 min)",
        oldest_item=OldestItem(Span(600)),
    ),
    unobserved(workers.test_due_work_is_taken),
    # What the host and the log show
    healthy(workers.test_the_host_has_memory_left, host_memory=Memory(Size(16 * GIB), Size(4 * GIB))),
    faulty(
        workers.test_the_host_has_memory_left,
        "512.0 MiB of 16.0 GiB memory available (3.1 %), limit 5 %",
        host_memory=Memory(Size(16 * GIB), Size(GIB // 2)),
    ),
    unobserved(workers.test_the_host_has_memory_left),
    healthy(
        workers.test_the_disks_have_space_left,
        host_disks=Disks((Disk("/", Size(5 * GIB), Size(95 * GIB), Share(0.01)),)),
    ),
    faulty(
        workers.test_the_disks_have_space_left,
        "/var/lib/docker 2 % free (2.0 GiB), limit 5 %",
        host_disks=Disks(
            (Disk("/", Size(50 * GIB), Size(50 * GIB)), Disk("/var/lib/docker", Size(2 * GIB), Size(98 * GIB)))
        ),
    ),
    unobserved(workers.test_the_disks_have_space_left),
    healthy(
        workers.test_the_workers_logged_no_error,
        worker_log=log("2026-03-04 11:00:00 ERROR an hour ago", "2026-03-04 11:59:58 INFO all is well"),
    ),
    faulty(
        workers.test_the_workers_logged_no_error,
        "1 error line within 10 min, the last: 2026-03-04 11:59:59 ERROR connection lost",
        worker_log=log("2026-03-04 11:59:59 ERROR connection lost"),
    ),
    unobserved(workers.test_the_workers_logged_no_error),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
