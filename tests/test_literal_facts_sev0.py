from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from checks.sev0 import test_no_active_workers as workers
from checks.sev0 import test_orchestrator_api_down as api
from checks.sev0 import test_orchestrator_database_down as database
from fixtures.api.access import ApiAccess, DatabaseAccess
from fixtures.clients.docker import EngineAnswer
from fixtures.clients.http import Health, HttpAnswer, Transport, read_health
from fixtures.clients.postgres import Database, DatabaseState
from fixtures.clients.redis import RedisAnswer, RedisState
from fixtures.platform.containers import Container, Containers, Usage, Usages
from fixtures.platform.host import Disk, Disks, Memory
from fixtures.platform.logs import LogTail, read_log
from fixtures.queue.runs import Heartbeat, Heartbeats, HeldItem, HeldItems, OldestItem, Workers
from playbook.quantities import Count, Share, Size, Span
from tests.literal_facts import Case, faulty, healthy, parametrized, prove, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GIB = 1024**3
HOUR = 3600.0
NOW = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


# -- the API


def answered(status: int, body: str = "") -> Health:
    return read_health(HttpAnswer("http://api/health", Transport.ANSWERED, Span(0.02), status, body))


def unanswered(transport: Transport) -> Health:
    return Health(HttpAnswer("http://api/health", transport, Span(3)), None)


def document(**statuses: str) -> Health:
    says = {"api": "healthy", "database": "healthy", "redis": "healthy", "workers": "healthy"} | statuses
    checks = [{"name": name, "status": status, "message": f"{name} message"} for name, status in says.items()]
    return answered(200, json.dumps({"status": "healthy", "checks": checks}))


def reached(health: Health) -> ApiAccess:
    return ApiAccess(health, EngineAnswer(None, absent="this target has no Docker engine"))


WELL = document()
REFUSED = unanswered(Transport.REFUSED)
HANGS = unanswered(Transport.TIMED_OUT)
RATE_LIMITED = answered(429)
NOT_ASKED = unanswered(Transport.NOT_ASKED)
TOLD_OF_THE_DATABASE = document(database="unhealthy")

# -- PostgreSQL and Redis

SERVES = Database(
    DatabaseState.SERVES, "db:5432/orchestrator", version="15.4", connections=Count(12), slots=Count(97),
    counts_slots=True,
)  # fmt: skip
STANDBY = replace(SERVES, in_recovery=True)
ONE_SLOT_LEFT = replace(SERVES, connections=Count(96))
FULL = replace(SERVES, connections=Count(97))
NO_TABLES = replace(SERVES, missing_tables=("task", "due_work"))
CORRUPTED = replace(SERVES, checksum_failures=Count(3))


def met(state: DatabaseState) -> Database:
    return Database(state, "db:5432/orchestrator")


PASSWORD_REFUSED = met(DatabaseState.PASSWORD_REFUSED)


def redis(state: RedisState) -> RedisAnswer:
    return RedisAnswer(state, "redis:6379", Span(0.01))


REDIS_IS_FULL = RedisAnswer(
    RedisState.SERVES, "redis:6379", Span(0.01), used_memory=GIB, max_memory=GIB, eviction="noeviction"
)


# -- containers, host, logs


def containers(*found: Container) -> Containers:
    return Containers("ordinaut", found)


def container(service: str, status: str = "running", **more: Any) -> Container:
    exit_code = 137 if status in ("exited", "restarting") else 0
    return Container(f"ordinaut-{service}-1", service, status, exit_code, **more)


FAILS_AT_START = container("api", "restarting", restarts=Count(7), ran_for=Span(1))


def told(*found: Container) -> EngineAnswer:
    return EngineAnswer(containers(*found))


NO_ENGINE = EngineAnswer(None, absent="this target has no Docker engine")


def on_networks(worker: str, postgres: str) -> Containers:
    return containers(container("worker", networks=(worker,)), container("postgres", networks=(postgres,)))


def usage(service: str, share: float) -> Usages:
    return Usages((Usage(f"ordinaut-{service}-1", service, Size(share * GIB), Size(GIB)),))


def of_containers(service: str, **checks: Callable[..., None]) -> Iterator[Case]:
    """Give the cases of the checks that each look for one trouble of a service's containers."""
    name = f"ordinaut-{service}-1"
    troubles = {
        "missing": (f"project ordinaut has no container of the service {service}", containers()),
        "killed": (f"{name} is exited with exit code 137, killed for want of memory",
                   containers(container(service, "exited", oom_killed=True))),
        "paused": (f"{name} is paused", containers(container(service, "paused"))),
        "crashed": (f"{name} is exited with exit code 137", containers(container(service, "exited"))),
        "unhealthy": (f"{name} is running, unhealthy by its own health check",
                      containers(container(service, health="unhealthy"))),
    }  # fmt: skip
    for trouble, check in checks.items():
        says, seen = troubles[trouble]
        yield faulty(check, says, containers=seen)
        yield healthy(check, containers=containers(container(service), container("redis", "exited", oom_killed=True)))
    yield healthy(checks["crashed"], containers=containers(container(service, "exited", oom_killed=True)))
    yield faulty(checks["missing"], f"{name} is created", containers=containers(container(service, "created")))


MEMORY = Memory(Size(16 * GIB), Size(4 * GIB))
NO_MEMORY = Memory(Size(16 * GIB), Size(GIB // 2))


def disk(mount: str, free: float) -> Disk:
    return Disk(mount, Size(round(free * 100 * GIB)), Size(round((1 - free) * 100 * GIB)), Share(0.9))


SPACE = Disks((disk("/", 0.5), disk("/var/lib/docker", 0.05)))
NO_SPACE = Disks((disk("/", 0.5), disk("/var/lib/docker", 0.02)))


def log(service: str, *lines: str) -> LogTail:
    return read_log(service, "\n".join(lines), NOW, ZoneInfo("UTC"))


QUIET = ("2026-03-04 11:59:58 INFO all is well", "2026-03-04 11:00:00 ERROR an hour ago")
ERROR = "2026-03-04 11:59:59 ERROR connection lost"

# -- workers


def heartbeat(worker: str, age: float, born: float = HOUR) -> Heartbeat:
    return Heartbeat(worker, Span(age), Count(10), 4711, "host", Span(max(age, born)))


def heartbeats(*rows: Heartbeat, system_age: float | None = 90 * 86400) -> Heartbeats:
    return Heartbeats(rows, None if system_age is None else Span(system_age))


FRESH = heartbeat("worker-1", 10)
SILENT = heartbeat("worker-2", 432)
HELD = HeldItem("worker-2", "4f1c", "Morning briefing", Span(500))
ALL_RUN = Workers(gone=(), frozen=(), running=(FRESH,))

CASES: list[Case] = [
    # OrchestratorAPIDown
    healthy(api.test_the_api_is_healthy, api_access=reached(WELL)),
    healthy(api.test_the_api_is_healthy, api_access=reached(document(workers="unhealthy", redis="degraded"))),
    faulty(api.test_the_api_is_healthy, "refused the connection", api_access=reached(REFUSED)),
    faulty(api.test_the_api_is_healthy, "cannot be reached", api_access=reached(unanswered(Transport.UNREACHABLE))),
    faulty(api.test_the_api_is_healthy, "did not answer in time after 3 s", api_access=reached(HANGS)),
    faulty(
        api.test_the_api_is_healthy, "broke the connection off", api_access=reached(unanswered(Transport.BROKE_OFF))
    ),
    faulty(api.test_the_api_is_healthy, "answered 500", api_access=reached(answered(500, "Internal Server Error"))),
    faulty(api.test_the_api_is_healthy, "answered 503", api_access=reached(answered(503, "{}"))),
    faulty(api.test_the_api_is_healthy, "answered 302", api_access=reached(answered(302))),
    faulty(
        api.test_the_api_is_healthy, "no JSON, it begins with '<html>'", api_access=reached(answered(200, "<html>"))
    ),
    faulty(api.test_the_api_is_healthy, "the body is empty", api_access=reached(answered(200, " "))),
    faulty(
        api.test_the_api_is_healthy,
        "without the list `checks`",
        api_access=reached(answered(200, '{"status": "healthy"}')),
    ),
    faulty(api.test_the_api_is_healthy, "JSON without the list", api_access=reached(answered(200, '"healthy"'))),
    faulty(
        api.test_the_api_is_healthy,
        "entry api and database and redis is missing",
        api_access=reached(answered(200, '{"checks": []}')),
    ),
    faulty(api.test_the_api_is_healthy, "unheard-of status: redis is fine", api_access=reached(document(redis="fine"))),
    faulty(
        api.test_the_api_is_healthy,
        "but says: database is unhealthy (database message)",
        api_access=reached(TOLD_OF_THE_DATABASE),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "redis is unhealthy (redis message)",
        api_access=reached(document(redis="unhealthy")),
    ),
    faulty(
        api.test_the_api_is_healthy, "api is unhealthy (api message)", api_access=reached(document(api="unhealthy"))
    ),
    unknown(api.test_the_api_is_healthy, "answered 429: its rate limit is spent", api_access=reached(RATE_LIMITED)),
    unknown(api.test_the_api_is_healthy, "its address is not known", api_access=reached(NOT_ASKED)),
    healthy(api.test_the_api_is_healthy, api_access=ApiAccess(WELL, told(container("api", "paused")))),
    faulty(
        api.test_the_api_is_healthy,
        "ordinaut-api-1 is exited with exit code 137",
        api_access=ApiAccess(NOT_ASKED, told(container("api", "exited"))),
    ),
    unknown(
        api.test_the_api_is_healthy, "its address is not known", api_access=ApiAccess(NOT_ASKED, told(container("api")))
    ),
    healthy(api.test_the_api_listens, api_health=HANGS),
    faulty(api.test_the_api_listens, "http://api/health refused the connection", api_health=REFUSED),
    unknown(api.test_the_api_listens, "its address is not known", api_health=NOT_ASKED),
    healthy(api.test_the_api_has_its_database, api_health=REFUSED, database=SERVES),
    faulty(
        api.test_the_api_has_its_database,
        "no server listens",
        api_health=WELL,
        database=met(DatabaseState.REFUSED),
    ),
    faulty(
        api.test_the_api_has_its_database, "database is unhealthy", api_health=TOLD_OF_THE_DATABASE, database=SERVES
    ),
    healthy(api.test_redis_has_a_container_that_runs, containers=containers(container("redis"))),
    healthy(api.test_redis_has_a_container_that_runs, containers=replace(containers(), elsewhere=frozenset({"redis"}))),
    faulty(
        api.test_redis_has_a_container_that_runs,
        "project ordinaut has no container of the service redis",
        containers=containers(container("api")),
    ),
    faulty(
        api.test_redis_has_a_container_that_runs,
        "redis-1 is paused",
        containers=containers(container("redis", "paused")),
    ),
    healthy(api.test_redis_answers, redis_answer=redis(RedisState.SERVES)),
    healthy(api.test_redis_answers, redis_answer=redis(RedisState.REFUSES_PASSWORD)),
    faulty(api.test_redis_answers, "redis:6379 cannot be reached", redis_answer=redis(RedisState.UNREACHABLE)),
    faulty(api.test_redis_answers, "did not answer in time", redis_answer=redis(RedisState.TIMED_OUT)),
    faulty(api.test_redis_answers, "still loading", redis_answer=redis(RedisState.LOADING)),
    healthy(api.test_redis_lets_ordinaut_in, redis_answer=redis(RedisState.UNREACHABLE)),
    faulty(
        api.test_redis_lets_ordinaut_in,
        "redis:6379 refuses the password",
        redis_answer=redis(RedisState.REFUSES_PASSWORD),
    ),
    healthy(api.test_the_api_answers_in_time, api_health=REFUSED),
    faulty(api.test_the_api_answers_in_time, "did not answer in time after 3 s", api_health=HANGS),
    healthy(api.test_the_api_answers_without_error, api_health=HANGS),
    faulty(api.test_the_api_answers_without_error, "answered 500 after 20 ms", api_health=answered(500)),
    unknown(api.test_the_api_answers_without_error, "answered 429", api_health=RATE_LIMITED),
    healthy(api.test_the_answer_is_a_health_document, api_health=answered(500, "<html>")),
    faulty(api.test_the_answer_is_a_health_document, "not with a health document", api_health=answered(200, "<html>")),
    healthy(api.test_the_host_has_memory_left, host_memory=MEMORY),
    faulty(
        api.test_the_host_has_memory_left,
        "512.0 MiB of 16.0 GiB memory available (3.1 %), limit 5 %",
        host_memory=NO_MEMORY,
    ),
    healthy(api.test_the_disks_have_space_left, host_disks=SPACE),
    faulty(api.test_the_disks_have_space_left, "/var/lib/docker 2 % free (2.0 GiB)", host_disks=NO_SPACE),
    healthy(api.test_the_api_logged_no_error, api_log=log("api", *QUIET)),
    faulty(
        api.test_the_api_logged_no_error,
        "1 error lines within 10 min, the last: 2026-03-04 11:59:59 ERROR connection lost",
        api_log=log("api", *QUIET, ERROR),
    ),
    *of_containers(
        "api",
        missing=api.test_the_api_has_a_container,
        killed=api.test_the_api_was_not_killed_for_want_of_memory,
        paused=api.test_the_api_container_is_not_paused,
        crashed=api.test_the_api_container_has_not_ended,
        unhealthy=api.test_the_api_container_is_healthy,
    ),
    healthy(api.test_the_api_got_its_port, containers=containers(container("api", "created"))),
    faulty(
        api.test_the_api_got_its_port,
        "port is already allocated); port 8080 is held by the container other",
        containers=replace(
            containers(
                replace(container("api", "created"), error="Bind for 0.0.0.0:8080 failed: port is already allocated")
            ),
            port_holders=("port 8080 is held by the container other",),
        ),
    ),
    healthy(api.test_the_api_survives_its_start, containers=containers(container("api", "exited"))),
    faulty(
        api.test_the_api_survives_its_start,
        "ordinaut-api-1 is restarting with exit code 137, restarted 7 times",
        containers=containers(FAILS_AT_START),
    ),
    faulty(
        api.test_the_api_survives_its_start,
        "ordinaut-api-1 is running, restarted 7 times",
        containers=containers(container("api", restarts=Count(7), ran_for=Span(1))),
    ),
    healthy(
        api.test_the_api_survives_its_start,
        containers=containers(container("api", restarts=Count(7), ran_for=Span(3600))),
    ),
    healthy(
        api.test_the_api_survives_its_start, containers=containers(container("api", restarts=Count(1), ran_for=Span(1)))
    ),
    healthy(api.test_the_api_container_has_memory_left, container_usage=usage("api", 0.9)),
    healthy(api.test_the_api_container_has_memory_left, container_usage=usage("worker", 0.95)),
    faulty(
        api.test_the_api_container_has_memory_left,
        "ordinaut-api-1 uses 972.8 MiB of 1.0 GiB (95 %)",
        container_usage=usage("api", 0.95),
    ),
    healthy(api.test_redis_takes_writes, redis_answer=redis(RedisState.SERVES)),
    healthy(api.test_redis_takes_writes, redis_answer=replace(REDIS_IS_FULL, eviction="allkeys-lru")),
    faulty(api.test_redis_takes_writes, "1.0 GiB of 1.0 GiB used, eviction noeviction", redis_answer=REDIS_IS_FULL),
    # OrchestratorDatabaseDown
    healthy(database.test_the_database_serves_ordinaut, database_access=DatabaseAccess(SERVES, NO_ENGINE)),
    healthy(database.test_the_database_serves_ordinaut, database_access=DatabaseAccess(ONE_SLOT_LEFT, NO_ENGINE)),
    healthy(
        database.test_the_database_serves_ordinaut,
        database_access=DatabaseAccess(replace(FULL, counts_slots=False), NO_ENGINE),  # an ordinary role got in
    ),
    *(
        faulty(
            database.test_the_database_serves_ordinaut,
            f"PostgreSQL at db:5432/orchestrator {state.value}",
            database_access=DatabaseAccess(met(state), NO_ENGINE),
        )
        for state in DatabaseState
        if state not in (DatabaseState.SERVES, DatabaseState.PASSWORD_REFUSED, DatabaseState.NOT_ASKED)
    ),
    faulty(
        database.test_the_database_serves_ordinaut,
        "project ordinaut has no container of the service postgres",
        database_access=DatabaseAccess(met(DatabaseState.NOT_ASKED), told(container("api"))),
    ),
    unknown(
        database.test_the_database_serves_ordinaut,
        "PostgreSQL was not asked: its address is not known",
        database_access=DatabaseAccess(met(DatabaseState.NOT_ASKED), NO_ENGINE),
    ),
    faulty(
        database.test_the_database_serves_ordinaut,
        "97 connections use all of its 97 ordinary slots",
        database_access=DatabaseAccess(FULL, NO_ENGINE),
    ),
    faulty(
        database.test_the_database_serves_ordinaut,
        "has no table task, due_work",
        database_access=DatabaseAccess(NO_TABLES, NO_ENGINE),
    ),
    faulty(
        database.test_the_database_serves_ordinaut,
        "refuses the password, and the API says that its database is unhealthy",
        database_access=DatabaseAccess(PASSWORD_REFUSED, NO_ENGINE, TOLD_OF_THE_DATABASE),
    ),
    unknown(
        database.test_the_database_serves_ordinaut,
        "refuses the password of the suite, and the API does not say",
        database_access=DatabaseAccess(PASSWORD_REFUSED, NO_ENGINE, WELL),
    ),
    unknown(
        database.test_the_database_serves_ordinaut,
        "db:5432/orchestrator refuses the password of the suite",
        database_access=DatabaseAccess(PASSWORD_REFUSED, NO_ENGINE, REFUSED),
    ),
    unknown(
        database.test_the_database_serves_ordinaut,
        "a server in recovery (a standby): not the database Ordinaut writes to",
        database_access=DatabaseAccess(STANDBY, NO_ENGINE),
    ),
    healthy(database.test_the_server_listens, database=met(DatabaseState.TIMED_OUT)),
    faulty(database.test_the_server_listens, "no server listens", database=met(DatabaseState.REFUSED)),
    faulty(database.test_the_server_listens, "cannot be reached", database=met(DatabaseState.UNREACHABLE)),
    faulty(database.test_the_server_listens, "is shutting down", database=met(DatabaseState.SHUTTING_DOWN)),
    healthy(database.test_the_server_answers_in_time, database=SERVES),
    faulty(database.test_the_server_answers_in_time, "did not answer in time", database=met(DatabaseState.TIMED_OUT)),
    healthy(database.test_the_server_has_started, database=SERVES),
    faulty(database.test_the_server_has_started, "is starting up", database=met(DatabaseState.STARTING_UP)),
    healthy(database.test_the_server_has_connections_left, database=ONE_SLOT_LEFT),
    faulty(database.test_the_server_has_connections_left, "97 connections use all of its 97", database=FULL),
    faulty(
        database.test_the_server_has_connections_left,
        "has no connection slots left",
        database=met(DatabaseState.NO_CONNECTIONS_LEFT),
    ),
    healthy(database.test_the_server_lets_the_suite_in, database=SERVES),
    faulty(
        database.test_the_server_lets_the_suite_in,
        "PostgreSQL at db:5432/orchestrator refuses the password",
        database=PASSWORD_REFUSED,
    ),
    healthy(database.test_the_database_exists, database=SERVES),
    faulty(database.test_the_database_exists, "has no such database", database=met(DatabaseState.DATABASE_MISSING)),
    healthy(database.test_the_tables_exist, database=SERVES),
    faulty(database.test_the_tables_exist, "has no table task, due_work", database=NO_TABLES),
    healthy(database.test_no_page_failed_its_checksum, database=SERVES),
    faulty(database.test_no_page_failed_its_checksum, "3 pages failed their checksum", database=CORRUPTED),
    healthy(database.test_the_disks_have_space_left, host_disks=SPACE),
    faulty(
        database.test_the_disks_have_space_left, "2 % free (2.0 GiB), inodes 90 % free, limit 5 %", host_disks=NO_SPACE
    ),
    healthy(database.test_the_host_has_memory_left, host_memory=MEMORY),
    faulty(database.test_the_host_has_memory_left, "3.1 %), limit 5 %", host_memory=NO_MEMORY),
    healthy(database.test_the_database_logged_no_panic, postgres_log=log("postgres", ERROR)),
    faulty(
        database.test_the_database_logged_no_panic,
        "1 lines within 10 min, the last: 2026-03-04 11:59:59 UTC [7] PANIC:  could not write",
        postgres_log=log("postgres", "2026-03-04 11:59:59 UTC [7] PANIC:  could not write to file"),
    ),
    faulty(
        database.test_the_database_logged_no_panic,
        "invalid page in block 3",
        postgres_log=log("postgres", "2026-03-04 11:59:59 UTC [7] ERROR:  invalid page in block 3 of relation base/1"),
    ),
    *of_containers(
        "postgres",
        missing=database.test_the_database_has_a_container,
        killed=database.test_the_database_was_not_killed_for_want_of_memory,
        paused=database.test_the_database_container_is_not_paused,
        crashed=database.test_the_database_container_has_not_ended,
        unhealthy=database.test_the_database_container_is_healthy,
    ),
    healthy(database.test_the_database_found_space_to_write, postgres_log=log("postgres", ERROR)),
    faulty(
        database.test_the_database_found_space_to_write,
        "1 lines within 10 min, the last: 2026-03-04 11:59:59 UTC [7] PANIC:  could not write: No space left on device",
        postgres_log=log("postgres", "2026-03-04 11:59:59 UTC [7] PANIC:  could not write: No space left on device"),
    ),
    # NoActiveWorkers
    healthy(workers.test_a_worker_sent_a_heartbeat_recently, heartbeats=heartbeats(FRESH, SILENT)),
    healthy(workers.test_a_worker_sent_a_heartbeat_recently, heartbeats=heartbeats(heartbeat("worker-1", 180))),
    healthy(workers.test_a_worker_sent_a_heartbeat_recently, heartbeats=heartbeats(heartbeat("worker-1", -1))),
    healthy(workers.test_a_worker_sent_a_heartbeat_recently, heartbeats=heartbeats(system_age=60)),
    faulty(
        workers.test_a_worker_sent_a_heartbeat_recently,
        "newest heartbeat 7 min 12 s old (worker-2 7 min 12 s ago), limit 3 min",
        heartbeats=heartbeats(SILENT),
    ),
    faulty(workers.test_a_worker_sent_a_heartbeat_recently, "no worker ever sent a heartbeat", heartbeats=heartbeats()),
    faulty(
        workers.test_a_worker_sent_a_heartbeat_recently,
        "no worker ever sent a heartbeat, limit 3 min",
        heartbeats=heartbeats(system_age=None),
    ),
    unknown(
        workers.test_a_worker_sent_a_heartbeat_recently,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600), SILENT),
    ),
    healthy(workers.test_the_worker_containers_run, containers=containers(container("worker"))),
    faulty(
        workers.test_the_worker_containers_run,
        "ordinaut-worker-1 is exited with exit code 137",
        containers=containers(container("worker", "exited")),
    ),
    faulty(
        workers.test_the_worker_containers_run,
        "project ordinaut has no container of the service worker",
        containers=containers(),
    ),
    healthy(workers.test_the_worker_containers_are_not_paused, containers=containers(container("worker"))),
    faulty(
        workers.test_the_worker_containers_are_not_paused,
        "ordinaut-worker-1 is paused",
        containers=containers(container("worker", "paused")),
    ),
    healthy(workers.test_the_workers_share_a_network_with_the_database, containers=on_networks("backend", "backend")),
    healthy(workers.test_the_workers_share_a_network_with_the_database, containers=containers(container("worker"))),
    faulty(
        workers.test_the_workers_share_a_network_with_the_database,
        "on no network of postgres: ordinaut-worker-1 is running",
        containers=on_networks("elsewhere", "backend"),
    ),
    healthy(workers.test_the_worker_containers_have_memory_left, container_usage=usage("worker", 0.9)),
    faulty(
        workers.test_the_worker_containers_have_memory_left,
        "ordinaut-worker-1 uses 972.8 MiB of 1.0 GiB (95 %)",
        container_usage=usage("worker", 0.95),
    ),
    healthy(
        workers.test_no_silent_worker_holds_work,
        heartbeats=heartbeats(FRESH),
        held_items=HeldItems((replace(HELD, worker="worker-1"),)),
        workers=ALL_RUN,
    ),
    healthy(
        workers.test_no_silent_worker_holds_work,
        heartbeats=heartbeats(SILENT),
        held_items=HeldItems((HELD,)),
        workers=Workers(gone=(SILENT,), frozen=(), running=()),
    ),
    faulty(
        workers.test_no_silent_worker_holds_work,
        "worker-2 holds an item of task 4f1c ('Morning briefing') that was due 8 min 20 s ago; "
        "last heartbeat: worker-2 7 min 12 s ago",
        heartbeats=heartbeats(SILENT),
        held_items=HeldItems((HELD,)),
        workers=Workers(gone=(), frozen=(), running=(SILENT,)),
    ),
    healthy(workers.test_the_workers_are_not_frozen, workers=ALL_RUN),
    faulty(
        workers.test_the_workers_are_not_frozen,
        "frozen: worker-2 7 min 12 s ago",
        workers=Workers(gone=(), frozen=(SILENT,), running=(FRESH,)),
    ),
    healthy(workers.test_some_worker_runs, workers=ALL_RUN),
    faulty(
        workers.test_some_worker_runs,
        "no process any more: worker-2 7 min 12 s ago",
        workers=Workers(gone=(SILENT,), frozen=(), running=()),
    ),
    healthy(workers.test_no_worker_fell_silent, heartbeats=heartbeats(FRESH, heartbeat("forgotten", 2 * HOUR))),
    healthy(
        workers.test_no_worker_fell_silent,  # worker-3 was started in its place
        heartbeats=heartbeats(heartbeat("worker-3", 5, born=400), SILENT),
    ),
    faulty(
        workers.test_no_worker_fell_silent,
        "silent: worker-2 7 min 12 s ago",
        heartbeats=heartbeats(FRESH, SILENT),
    ),
    healthy(workers.test_due_work_is_taken, oldest_item=OldestItem(None)),
    healthy(workers.test_due_work_is_taken, oldest_item=OldestItem(Span(300))),
    faulty(
        workers.test_due_work_is_taken,
        "an item has been due for 10 min, limit 5 min",
        oldest_item=OldestItem(Span(600)),
    ),
    healthy(workers.test_the_host_has_memory_left, host_memory=MEMORY),
    faulty(workers.test_the_host_has_memory_left, "512.0 MiB of 16.0 GiB memory available", host_memory=NO_MEMORY),
    healthy(workers.test_the_disks_have_space_left, host_disks=SPACE),
    faulty(workers.test_the_disks_have_space_left, "/var/lib/docker 2 % free", host_disks=NO_SPACE),
    healthy(workers.test_the_workers_logged_no_error, worker_log=log("worker", *QUIET)),
    faulty(
        workers.test_the_workers_logged_no_error, "the last: 2026-03-04 11:59:59 ERROR", worker_log=log("worker", ERROR)
    ),
]


@parametrized(CASES)
def test_a_check_judges_literal_facts(case: Case) -> None:
    prove(case)


def test_the_service_to_start_again_is_named() -> None:
    seen = containers(container("api"), container("worker", "exited", oom_killed=True))
    assert (seen.first_killed, containers(container("api")).first_killed) == ("worker", None)
    rows = (Usage("a", "api", Size(1), Size(GIB)), Usage("r", "redis", Size(GIB), Size(GIB)))
    assert (Usages(rows).fullest, Usages(()).fullest) == ("redis", None)


@pytest.mark.parametrize(
    ("worker", "told"),
    [("worker-0bbda69d-0e2d-4556-abca-a58c25a1b476", "worker-0bbda69d…"), ("worker-1", "worker-1"), ("w", "w")],
)
def test_a_worker_is_told_by_the_beginning_of_its_id(worker: str, told: str) -> None:
    row = Heartbeat(worker, Span(3), Count(0), None, None, Span(9))
    assert str(row) == f"{told} 3 s ago"
