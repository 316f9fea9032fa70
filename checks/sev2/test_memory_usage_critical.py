"""MemoryUsageCritical: the host is running out of memory."""

from fixtures.database.server import Database
from fixtures.platform.containers import ContainerLimits, Containers, Usages
from fixtures.platform.host import Memory
from fixtures.platform.processes import Processes
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import minutes, percent
from playbook.quantities import Share, Size, listed


class Limits(ContainerLimits):
    """The limits of the alert."""

    available: Share = percent(10)
    process_share: Share = percent(25)
    shared_buffers: Share = percent(40)


ALERT = Alert(
    name="MemoryUsageCritical",
    severity=2,
    trigger="less than {available} of the host's memory is available for more than {for_}",
    impact="performance degraded, the kernel may OOM-kill processes",
    for_=minutes(5),
    limits=Limits,
    expression="node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < $available",
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "host"},
)


@trigger(step=1, measures="host_memory.measurement", against="available")
def test_memory_is_available(host_memory: Memory, limits: Limits) -> None:
    """Enough memory is available, by the kernel's own estimate."""
    assert host_memory.available_share >= limits.available, f"{host_memory} (limit {limits.available})"


@diagnostic(cause="process-grown-large", step=(1, 4))
def test_no_process_uses_much(processes: Processes, host_memory: Memory, limits: Limits) -> None:
    """No single process uses a large part of the host's memory, as one that leaks does in the end."""
    large = processes.larger_than(Size(host_memory.total * limits.process_share))
    assert not large, f"{listed(large)} (limit {limits.process_share} of {host_memory.total})"


@diagnostic(cause="container-near-its-limit", step=2, fills={"service": "container_usage.fullest"})
def test_no_container_is_near_its_limit(container_usage: Usages, limits: Limits) -> None:
    """No container is near its memory limit, page cache not counted."""
    near = container_usage.near_limit(limits.container_memory)
    assert not near, listed(near)


@diagnostic(cause="oom-killed", step=2, fills={"service": "containers.first_killed"})
def test_no_container_was_killed(containers: Containers) -> None:
    """No container of the stack was OOM-killed."""
    assert not containers.oom_killed, listed(containers.oom_killed)


@diagnostic(cause="shared-buffers-too-large", step=3)
def test_shared_buffers_leave_room(database: Database, host_memory: Memory, limits: Limits) -> None:
    """PostgreSQL's shared_buffers leave enough of the host's memory."""
    share = database.shared_buffers_of(host_memory.total)
    assert share <= limits.shared_buffers, (
        f"shared_buffers {database.served.shared_buffers} are {share} of memory (limit {limits.shared_buffers})"
    )
