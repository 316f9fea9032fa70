"""MemoryUsageCritical: the host is running out of memory."""

from types import SimpleNamespace

from fixtures.clients.postgres import Database
from fixtures.platform.containers import Containers, Usages
from fixtures.platform.host import Memory, Processes
from playbook.alert import Alert, diagnostic, minutes, percent, trigger
from playbook.quantities import Size, listed

ALERT = Alert(
    name="MemoryUsageCritical",
    severity=2,
    trigger="more than 90 % of the host's memory in use for more than 5 minutes",
    impact="performance degraded, the kernel may kill processes",
    lasts=minutes(5),
    limits={
        "available": percent(10),
        "container_memory": percent(90),
        "process_share": percent(25),
        "shared_buffers": percent(40),
    },
    expression="node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < $available",
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "host"},
)


@trigger(step=1, measures="host_memory.measurement", against="available")
def test_memory_is_available(host_memory: Memory, limits: SimpleNamespace) -> None:
    """By the kernel's own estimate, programs can still have more memory than the limit."""
    assert host_memory.available_share >= limits.available, f"{host_memory}, limit {limits.available}"


@diagnostic(cause="process-grown-large", step=(1, 4))
def test_no_process_holds_much(processes: Processes, host_memory: Memory, limits: SimpleNamespace) -> None:
    """No single process holds a large part of the host's memory, as one that leaks does in the end."""
    large = processes.larger_than(Size(host_memory.total * limits.process_share))
    assert not large, f"{listed(large)}, limit {limits.process_share} of {host_memory.total}"


@diagnostic(cause="container-near-its-limit", step=2, fills={"service": "container_usage.fullest"})
def test_no_container_is_near_its_limit(container_usage: Usages, limits: SimpleNamespace) -> None:
    """No container uses most of what it may, page cache not counted."""
    near = container_usage.near_limit(limits.container_memory)
    assert not near, listed(near)


@diagnostic(cause="killed-for-want-of-memory", step=2, fills={"service": "containers.first_killed"})
def test_no_container_was_killed(containers: Containers) -> None:
    """The kernel killed no container of the stack to get memory back."""
    killed = [container for container in containers.all if container.oom_killed]
    assert not killed, listed(killed)


@diagnostic(cause="shared-buffers-too-large", step=3)
def test_shared_buffers_leave_room(database: Database, host_memory: Memory, limits: SimpleNamespace) -> None:
    """PostgreSQL's shared_buffers are a moderate part of the host's memory."""
    share = database.shared_buffers_of(host_memory.total)
    assert share <= limits.shared_buffers, f"shared_buffers {database.shared_buffers} are {share} of memory"
