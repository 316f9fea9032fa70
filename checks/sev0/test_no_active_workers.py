"""NoActiveWorkers: no worker sends a heartbeat, so tasks wait."""

from fixtures.platform.containers import ContainerLimits, Containers, Usages
from fixtures.platform.host import DiskLimits, Disks, HostMemoryLimits, Memory
from fixtures.platform.logs import LogTail, described
from fixtures.queue.items import OldestItem
from fixtures.queue.workers import HeartbeatLimits, Heartbeats, HeldItems, Workers
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import hours, minutes
from playbook.quantities import Span, listed


class Limits(HeartbeatLimits, DiskLimits, HostMemoryLimits, ContainerLimits):
    """The limits of the alert."""

    worker_forgotten: Span = hours(1)
    work_waits: Span = minutes(5)
    recent_errors: Span = minutes(10)


ALERT = Alert(
    name="NoActiveWorkers",
    severity=0,
    trigger="no worker heartbeat for more than {heartbeat_age}",
    impact="no task is processed",
    limits=Limits,
    expression="ordinaut_worker_heartbeat_age_seconds > $heartbeat_age",
    respond_within=minutes(5),
    escalate_after=minutes(15),
    labels={"service": "worker"},
    explains=("worker",),
)


@trigger(step=2, measures="heartbeats.measurement", against="heartbeat_age")
def test_a_worker_sent_a_heartbeat_recently(heartbeats: Heartbeats, limits: Limits) -> None:
    """Some worker sent a heartbeat within the limit."""
    assert heartbeats.seen_within(limits.heartbeat_age), f"{heartbeats} (limit {limits.heartbeat_age})"


@diagnostic(cause="containers-paused", step=1)
def test_the_worker_containers_are_not_paused(containers: Containers) -> None:
    """No worker container is paused."""
    paused = containers.paused("worker")
    assert not paused, listed(paused)


@diagnostic(cause="containers-not-running", step=1)
def test_the_worker_containers_run(containers: Containers) -> None:
    """Every worker container of the project runs."""
    assert not containers.trouble("worker"), containers.trouble("worker")


@diagnostic(cause="network-partition", step=1)
def test_the_workers_share_a_network_with_the_database(containers: Containers) -> None:
    """Every worker container shares a network with PostgreSQL."""
    cut_off = containers.cut_off("worker", "postgres")
    assert not cut_off, f"no network shared with postgres: {listed(cut_off)}"


@diagnostic(cause="workers-busy-or-stuck", step=2)
def test_no_silent_worker_holds_work(
    heartbeats: Heartbeats, held_items: HeldItems, workers: Workers, limits: Limits
) -> None:
    """No running worker has been silent on one item for longer than a heartbeat may take."""
    held = held_items.held_by(workers.silent(limits.heartbeat_age))
    assert not held, f"{listed(held)}; last heartbeat: {listed(heartbeats.rows, 2)}"


@diagnostic(cause="workers-hung", step=1, fills={"pid": "workers.first_frozen"})
def test_the_workers_are_not_frozen(workers: Workers) -> None:
    """No worker process is stopped or stuck in the kernel."""
    assert not workers.frozen_ones, f"frozen: {listed(workers.frozen_ones)}"


@diagnostic(cause="workers-stopped", step=1)
def test_some_worker_has_a_process(workers: Workers) -> None:
    """Some worker of the last day still has a process."""
    some = workers.running or workers.frozen
    assert some, f"no process left: {listed(workers.gone)}"


@diagnostic(cause="worker-missing", step=2)
def test_no_worker_fell_silent(heartbeats: Heartbeats, limits: Limits) -> None:
    """Every worker of the last hour still sends heartbeats, or was replaced by another."""
    missing = heartbeats.missing(silent_for=limits.heartbeat_age, but_within=limits.worker_forgotten)
    assert not missing, f"silent: {listed(missing)}"


@diagnostic(cause="work-queued", step=3)
def test_due_work_is_taken(oldest_item: OldestItem, limits: Limits) -> None:
    """No due item has waited long for a worker."""
    assert not oldest_item.waits_longer_than(limits.work_waits), f"{oldest_item} (limit {limits.work_waits})"


@diagnostic(cause="container-near-its-limit", step=4)
def test_the_worker_containers_have_memory_left(container_usage: Usages, limits: Limits) -> None:
    """Every worker container is well below its memory limit."""
    near = container_usage.near_limit(limits.container_memory, "worker")
    assert not near, listed(near)


@diagnostic(cause="host-memory-exhausted", step=4)
def test_the_host_has_memory_left(host_memory: Memory, limits: Limits) -> None:
    """The host has memory left for the workers."""
    assert host_memory.available_share >= limits.memory_available, f"{host_memory}, limit {limits.memory_available}"


@diagnostic(cause="disk-full", step=4)
def test_the_disks_have_space_left(host_disks: Disks, limits: Limits) -> None:
    """Every file system that the stack uses has space left."""
    full = host_disks.below(limits.disk_free)
    assert not full, f"{listed(full)}, limit {limits.disk_free}"


@diagnostic(cause="errors-in-log", step=1)
def test_the_workers_logged_no_error(worker_log: LogTail, limits: Limits) -> None:
    """The workers logged no error recently."""
    errors = worker_log.errors(limits.recent_errors)
    assert not errors, described(errors, limits.recent_errors)
