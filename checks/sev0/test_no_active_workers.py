"""NoActiveWorkers: no worker says that it lives, so tasks wait."""

from types import SimpleNamespace

from fixtures.platform.containers import Containers, Usages
from fixtures.platform.host import Disks, Memory
from fixtures.platform.logs import LogTail
from fixtures.queue.runs import Heartbeats, HeldItems, OldestItem, Workers
from playbook.alert import Alert, diagnostic, hours, minutes, percent, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="NoActiveWorkers",
    severity=0,
    trigger="no worker heartbeat for more than 3 minutes",
    impact="the processing of tasks has stopped completely",
    limits={
        "heartbeat_age": minutes(3),
        "worker_forgotten": hours(1),
        "work_waits": minutes(5),
        "recent_errors": minutes(10),
        "disk_free": percent(5),
        "memory_available": percent(5),
        "container_memory": percent(90),
    },
    expression="ordinaut_worker_heartbeat_age_seconds > $heartbeat_age",
    respond_within=minutes(5),
    escalate_after=minutes(15),
    labels={"service": "worker"},
    explains="worker",
)


@trigger(step=2, measures="heartbeats.measurement", against="heartbeat_age")
def test_a_worker_sent_a_heartbeat_recently(heartbeats: Heartbeats, limits: SimpleNamespace) -> None:
    """Task processing goes on: some worker was seen within the limit."""
    assert heartbeats.seen_within(limits.heartbeat_age), f"{heartbeats}, limit {limits.heartbeat_age}"


@diagnostic(cause="containers-paused", step=1)
def test_the_worker_containers_are_not_paused(containers: Containers) -> None:
    """The processes of no worker's container are frozen."""
    paused = containers.paused("worker")
    assert not paused, listed(paused)


@diagnostic(cause="containers-not-running", step=1)
def test_the_worker_containers_run(containers: Containers) -> None:
    """Every worker container of the project is there and runs."""
    assert not containers.trouble("worker"), containers.trouble("worker")


@diagnostic(cause="network-partition", step=1)
def test_the_workers_share_a_network_with_the_database(containers: Containers) -> None:
    """The workers' containers are on a network on which PostgreSQL is."""
    cut_off = containers.cut_off("worker", "postgres")
    assert not cut_off, f"on no network of postgres: {listed(cut_off)}"


@diagnostic(cause="workers-busy-or-stuck", step=2)
def test_no_silent_worker_holds_work(
    heartbeats: Heartbeats, held_items: HeldItems, workers: Workers, limits: SimpleNamespace
) -> None:
    """No worker that runs has been at one item for longer than a heartbeat may take: it sends none meanwhile."""
    held = held_items.held_by({row.worker for row in workers.running if row.age > limits.heartbeat_age})
    assert not held, f"{listed(held)}; last heartbeat: {listed(heartbeats.rows, 2)}"


@diagnostic(cause="workers-hung", step=1, fills={"pid": "workers.first_frozen"})
def test_the_workers_are_not_frozen(workers: Workers) -> None:
    """No worker's process is stopped, or stuck in the kernel."""
    assert not workers.frozen, f"frozen: {listed(workers.frozen)}"


@diagnostic(cause="workers-stopped", step=1)
def test_some_worker_runs(workers: Workers) -> None:
    """Of the workers of the last day, some process is left."""
    some = workers.running or workers.frozen
    assert some, f"no process any more: {listed(workers.gone)}"


@diagnostic(cause="worker-missing", step=2)
def test_no_worker_fell_silent(heartbeats: Heartbeats, limits: SimpleNamespace) -> None:
    """Every worker of the last hour is still there, or was followed by another."""
    missing = heartbeats.missing(silent_for=limits.heartbeat_age, but_within=limits.worker_forgotten)
    assert not missing, f"silent: {listed(missing)}"


@diagnostic(cause="work-queued", step=3)
def test_due_work_is_taken(oldest_item: OldestItem, limits: SimpleNamespace) -> None:
    """No item that is due has waited long for a worker."""
    assert not oldest_item.waits_longer_than(limits.work_waits), f"{oldest_item}, limit {limits.work_waits}"


@diagnostic(cause="container-near-its-limit", step=4)
def test_the_worker_containers_have_memory_left(container_usage: Usages, limits: SimpleNamespace) -> None:
    """No worker's container uses most of its memory limit."""
    near = container_usage.near_limit(limits.container_memory, "worker")
    assert not near, listed(near)


@diagnostic(cause="host-memory-exhausted", step=4)
def test_the_host_has_memory_left(host_memory: Memory, limits: SimpleNamespace) -> None:
    """The host has memory left for the workers."""
    assert host_memory.available_share >= limits.memory_available, f"{host_memory}, limit {limits.memory_available}"


@diagnostic(cause="disk-full", step=4)
def test_the_disks_have_space_left(host_disks: Disks, limits: SimpleNamespace) -> None:
    """No file system of the stack is full."""
    full = host_disks.below(limits.disk_free)
    assert not full, f"{listed(full)}, limit {limits.disk_free}"


@diagnostic(cause="errors-in-log", step=1)
def test_the_workers_logged_no_error(worker_log: LogTail, limits: SimpleNamespace) -> None:
    """The workers wrote no error of late."""
    errors = worker_log.errors(limits.recent_errors)
    assert not errors, f"{len(errors)} error lines within {limits.recent_errors}, the last: {errors[-1].text}"
