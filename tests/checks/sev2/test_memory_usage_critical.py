from __future__ import annotations

from datetime import UTC, datetime

from checks.sev2 import test_memory_usage_critical as memory
from fixtures.clients.postgres import DatabaseState
from fixtures.database.server import Database, ServerStatus
from fixtures.platform.containers import Container, Containers, Usage, Usages
from fixtures.platform.host import Memory
from fixtures.platform.processes import Process, Processes
from playbook.quantities import Count, Size
from tests.cases import Case, faulty, healthy, parametrized, unobserved

GIB = 1024**3


def available(share: float) -> Memory:
    return Memory(Size(16 * GIB), Size(share * 16 * GIB))


def processes(*resident: float) -> Processes:
    rows = (Process(100 + n, "S", Size(size * GIB), "uvicorn") for n, size in enumerate(resident))
    return Processes("host", tuple(rows))


def usages(service: str, used: float) -> Usages:
    return Usages((Usage(f"ordinaut-{service}-1", service, Size(used * GIB), Size(GIB)),))


def containers(*all_: Container) -> Containers:
    return Containers("ordinaut", all_)


def sharing(shared_buffers: float) -> Database:
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    status = ServerStatus(
        now=noon,
        started=noon,
        version="15.4",
        in_recovery=False,
        connections=None,
        slots=Count(97),
        missing_tables=(),
        checksum_failures=None,
        shared_buffers=Size(shared_buffers * GIB),
    )
    return Database(DatabaseState.SERVES, "db:5432/orchestrator", status)


CASES: list[Case] = [
    healthy(memory.test_memory_is_available, host_memory=Memory(Size(1000), Size(100))),
    faulty(
        memory.test_memory_is_available,
        "1.4 GiB of 16.0 GiB memory available (9 %) (limit 10 %)",
        host_memory=available(0.09),
    ),
    unobserved(memory.test_memory_is_available),
    #
    healthy(memory.test_no_process_uses_much, processes=processes(4, 0.1), host_memory=available(0.05)),
    faulty(
        memory.test_no_process_uses_much,
        "uvicorn (pid 101) uses 6.0 GiB, uvicorn (pid 100) uses 4.5 GiB (limit 25 % of 16.0 GiB)",
        processes=processes(4.5, 6, 1),
        host_memory=available(0.05),
    ),
    unobserved(memory.test_no_process_uses_much, processes=processes(4.5)),
    unobserved(memory.test_no_process_uses_much, host_memory=available(0.05)),
    #
    healthy(memory.test_no_container_is_near_its_limit, container_usage=usages("redis", 0.9)),
    faulty(
        memory.test_no_container_is_near_its_limit,
        "ordinaut-redis-1 uses 972.8 MiB of 1.0 GiB (95 %)",
        container_usage=usages("redis", 0.95),
    ),
    unobserved(
        memory.test_no_container_is_near_its_limit, "no container of the project runs", container_usage=Usages(())
    ),
    unobserved(memory.test_no_container_is_near_its_limit),
    #
    healthy(
        memory.test_no_container_was_killed,
        containers=containers(Container("ordinaut-worker-1", "worker", "exited", exit_code=137)),
    ),
    faulty(
        memory.test_no_container_was_killed,
        "ordinaut-worker-1 is exited with exit code 137, OOM-killed",
        containers=containers(
            Container("ordinaut-api-1", "api", "running"),
            Container("ordinaut-worker-1", "worker", "exited", exit_code=137, oom_killed=True),
        ),
    ),
    faulty(
        memory.test_no_container_was_killed,
        "ordinaut-worker-1 is running, OOM-killed, restarted 3 times",  # it came back
        containers=containers(Container("ordinaut-worker-1", "worker", "running", oom_killed=True, restarts=Count(3))),
    ),
    unobserved(memory.test_no_container_was_killed, "project ordinaut has no containers", containers=containers()),
    unobserved(memory.test_no_container_was_killed),
    #
    healthy(memory.test_shared_buffers_leave_room, database=sharing(6.4), host_memory=available(0.05)),
    faulty(
        memory.test_shared_buffers_leave_room,
        "shared_buffers 8.0 GiB are 50 % of memory (limit 40 %)",
        database=sharing(8),
        host_memory=available(0.05),
    ),
    unobserved(
        memory.test_shared_buffers_leave_room,
        "PostgreSQL at db:5432/orchestrator did not answer in time",
        database=Database(DatabaseState.TIMED_OUT, "db:5432/orchestrator"),
        host_memory=available(0.05),
    ),
    unobserved(memory.test_shared_buffers_leave_room, database=sharing(8)),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
