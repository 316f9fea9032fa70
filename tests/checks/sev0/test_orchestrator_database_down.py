from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from checks.sev0 import test_orchestrator_database_down as database
from fixtures.api.access import DatabaseAccess
from fixtures.api.health import Health, read_health
from fixtures.clients.http import HttpAnswer, Transport
from fixtures.clients.postgres import DatabaseState
from fixtures.database.server import Database, ServerStatus
from fixtures.platform.containers import Container, Containers, EngineAnswer
from fixtures.platform.host import Disk, Disks, Memory
from fixtures.platform.logs import LogTail, read_log
from playbook.quantities import Count, Share, Size, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

GIB = 1024**3
NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


SUITE_ALONE = (DatabaseState.PASSWORD_REFUSED, DatabaseState.ROLE_REFUSED, DatabaseState.ROLE_FULL)


def serving(**status: Any) -> Database:
    """Return a server that serves: 12 of 97 slots used, all tables, checksums on, but for these."""
    usual = ServerStatus(NOON, NOON, "16.4", False, Count(12), Count(97), (), Count(0), Size(GIB))
    return Database(DatabaseState.SERVES, "db:5432/orchestrator", replace(usual, **status))


def not_serving(state: DatabaseState) -> Database:
    return Database(state, "db:5432/orchestrator")


def without_engine(seen: Database, health: Health | None = None) -> DatabaseAccess:
    return DatabaseAccess(seen, EngineAnswer(None, absent="this target has no Docker engine"), health)


def health(status: int = 200, **statuses: str) -> Health:
    """Return the health of a document in which all is healthy but for these."""
    reported = {"api": "healthy", "database": "healthy", "redis": "healthy"} | statuses
    body = json.dumps({"checks": [{"name": name, "status": said} for name, said in reported.items()]})
    return read_health(HttpAnswer("http://api/health", Transport.ANSWERED, Span(0.02), status, body))


def container(status: str = "running", service: str = "postgres", **more: Any) -> Container:
    exit_code = 137 if status in ("exited", "restarting") else 0
    return Container(f"ordinaut-{service}-1", service, status, exit_code, **more)


def containers(*found: Container, **more: Any) -> Containers:
    return Containers("ordinaut", found, **more)


NO_CONTAINER = containers(container(service="api"))
OUTSIDE = containers(container(service="api"), elsewhere=frozenset({"postgres"}))


def log(*lines: str) -> LogTail:
    return read_log("postgres", "\n".join(lines), NOON, ZoneInfo("UTC"))


CASES = [
    # The trigger
    healthy(database.test_the_database_serves_ordinaut, database_access=without_engine(serving())),
    healthy(
        database.test_the_database_serves_ordinaut,
        database_access=without_engine(serving(connections=Count(96), slots=Count(97))),
    ),
    healthy(
        database.test_the_database_serves_ordinaut,  # an ordinary role cannot count them, but it got in
        database_access=without_engine(serving(connections=None)),
    ),
    healthy(
        database.test_the_database_serves_ordinaut,  # it serves, whatever the engine says
        database_access=DatabaseAccess(serving(), EngineAnswer(containers(container("paused")))),
    ),
    *(
        faulty(
            database.test_the_database_serves_ordinaut,
            f"PostgreSQL at db:5432/orchestrator {state.value}",
            database_access=without_engine(not_serving(state)),
        )
        for state in DatabaseState
        if state not in (DatabaseState.SERVES, DatabaseState.NOT_ASKED, *SUITE_ALONE)
    ),
    faulty(
        database.test_the_database_serves_ordinaut,
        "PostgreSQL at db:5432/orchestrator: 97 connections use all of its 97 ordinary slots",
        database_access=without_engine(serving(connections=Count(97), slots=Count(97))),
    ),
    faulty(
        database.test_the_database_serves_ordinaut,
        "PostgreSQL at db:5432/orchestrator has no table task, due_work",
        database_access=without_engine(serving(missing_tables=("task", "due_work"))),
    ),
    faulty(
        database.test_the_database_serves_ordinaut,  # no address is known: its container decides
        "project ordinaut has no container of the service postgres",
        database_access=DatabaseAccess(not_serving(DatabaseState.NOT_ASKED), EngineAnswer(NO_CONTAINER)),
    ),
    faulty(
        database.test_the_database_serves_ordinaut,
        "refuses the password, and the API reports its database as unhealthy",
        database_access=without_engine(not_serving(DatabaseState.PASSWORD_REFUSED), health(database="unhealthy")),
    ),
    unobserved(database.test_the_database_serves_ordinaut),
    unobserved(
        database.test_the_database_serves_ordinaut,
        "PostgreSQL was not asked: its address is not known",
        database_access=without_engine(not_serving(DatabaseState.NOT_ASKED)),
    ),
    unobserved(
        database.test_the_database_serves_ordinaut,  # that its container runs does not show that it serves
        "PostgreSQL was not asked: its address is not known",
        database_access=DatabaseAccess(not_serving(DatabaseState.NOT_ASKED), EngineAnswer(containers(container()))),
    ),
    unobserved(
        database.test_the_database_serves_ordinaut,
        "PostgreSQL was not asked: its address is not known",
        database_access=DatabaseAccess(not_serving(DatabaseState.NOT_ASKED), EngineAnswer(OUTSIDE)),
    ),
    unobserved(
        database.test_the_database_serves_ordinaut,
        "PostgreSQL was not asked: its address is not known",
        database_access=DatabaseAccess(
            not_serving(DatabaseState.NOT_ASKED),
            EngineAnswer(None, trouble="the Docker engine did not answer in time"),
        ),
    ),
    *(
        unobserved(
            database.test_the_database_serves_ordinaut,  # only the suite is refused, as far as is known
            "refuses the password; the API does not report its database as unhealthy",
            database_access=without_engine(not_serving(DatabaseState.PASSWORD_REFUSED), seen),
        )
        for seen in (
            health(),
            health(database="degraded"),
            health(redis="unhealthy"),
            health(500),
            health(429),
            Health(HttpAnswer("http://api/health", Transport.REFUSED, Span(0.01)), None),
            None,
        )
    ),
    *(
        unobserved(
            database.test_the_database_serves_ordinaut,
            f"{state.value}; the API does not report its database as unhealthy",
            database_access=without_engine(not_serving(state), health()),
        )
        for state in SUITE_ALONE
    ),
    *(
        faulty(
            database.test_the_database_serves_ordinaut,
            f"{state.value}, and the API reports its database as unhealthy",
            database_access=without_engine(not_serving(state), health(database="unhealthy")),
        )
        for state in SUITE_ALONE
    ),
    unobserved(
        database.test_the_database_serves_ordinaut,
        "hides tables from the suite's own role (no USAGE on their schema, or another search_path): task; the API does",
        database_access=without_engine(serving(hidden_tables=("task",)), health()),
    ),
    faulty(
        database.test_the_database_serves_ordinaut,  # a table that is missing says enough
        "has no table task",
        database_access=without_engine(serving(missing_tables=("task",), hidden_tables=("agent",)), health()),
    ),
    unobserved(
        database.test_the_database_serves_ordinaut,
        "db:5432/orchestrator is a server in recovery (a standby): not the database Ordinaut writes to",
        database_access=without_engine(serving(in_recovery=True)),
    ),
    # What its container shows
    healthy(database.test_the_database_has_a_container, containers=containers(container("exited"))),
    faulty(
        database.test_the_database_has_a_container,
        "project ordinaut has no container of the service postgres",
        containers=NO_CONTAINER,
    ),
    faulty(
        database.test_the_database_has_a_container,
        "ordinaut-postgres-1 is created",
        containers=containers(container("created")),
    ),
    faulty(
        database.test_the_database_has_a_container,
        "ordinaut-postgres-1 is created (Bind for 0.0.0.0:5432 failed: port is already allocated)",
        containers=containers(container("created", error="Bind for 0.0.0.0:5432 failed: port is already allocated")),
    ),
    unobserved(database.test_the_database_has_a_container),
    unobserved(
        database.test_the_database_has_a_container, "postgres runs outside of project ordinaut", containers=OUTSIDE
    ),
    healthy(
        database.test_the_database_was_not_oom_killed,
        containers=containers(container("exited"), container("exited", "redis", oom_killed=True)),
    ),
    faulty(
        database.test_the_database_was_not_oom_killed,
        "ordinaut-postgres-1 is exited with exit code 137, OOM-killed",
        containers=containers(container("exited", oom_killed=True)),
    ),
    unobserved(database.test_the_database_was_not_oom_killed),
    unobserved(
        database.test_the_database_was_not_oom_killed, "no container of the service postgres", containers=NO_CONTAINER
    ),
    unobserved(
        database.test_the_database_was_not_oom_killed, "postgres runs outside of project ordinaut", containers=OUTSIDE
    ),
    healthy(
        database.test_the_database_container_is_not_paused,
        containers=containers(container(), container("paused", "api")),
    ),
    faulty(
        database.test_the_database_container_is_not_paused,
        "ordinaut-postgres-1 is paused",
        containers=containers(container("paused")),
    ),
    unobserved(database.test_the_database_container_is_not_paused),
    unobserved(
        database.test_the_database_container_is_not_paused,
        "no container of the service postgres",
        containers=NO_CONTAINER,
    ),
    healthy(
        database.test_the_database_container_did_not_exit,
        containers=containers(container(), container("exited", "api")),
    ),
    healthy(
        database.test_the_database_container_did_not_exit,  # that is another cause
        containers=containers(container("exited", oom_killed=True)),
    ),
    faulty(
        database.test_the_database_container_did_not_exit,
        "ordinaut-postgres-1 is exited with exit code 137",
        containers=containers(container("exited")),
    ),
    faulty(
        database.test_the_database_container_did_not_exit,
        "ordinaut-postgres-1 is restarting with exit code 137, restarted 7 times",
        containers=containers(container("restarting", restarts=Count(7), ran_for=Span(1))),
    ),
    unobserved(database.test_the_database_container_did_not_exit),
    unobserved(
        database.test_the_database_container_did_not_exit,
        "no container of the service postgres",
        containers=NO_CONTAINER,
    ),
    healthy(database.test_the_database_container_is_healthy, containers=containers(container(health="healthy"))),
    faulty(
        database.test_the_database_container_is_healthy,
        "ordinaut-postgres-1 is running, unhealthy by its own health check",
        containers=containers(container(health="unhealthy")),
    ),
    unobserved(database.test_the_database_container_is_healthy),
    unobserved(
        database.test_the_database_container_is_healthy,
        "the containers of postgres have no health check",
        containers=containers(container()),
    ),
    unobserved(
        database.test_the_database_container_is_healthy,
        "no container of postgres runs",
        containers=containers(container("exited", health="healthy")),
    ),
    unobserved(
        database.test_the_database_container_is_healthy, "no container of the service postgres", containers=NO_CONTAINER
    ),
    # What a connection shows
    healthy(database.test_the_server_listens, database=serving()),
    *(
        healthy(database.test_the_server_listens, database=not_serving(state))
        for state in (
            DatabaseState.STARTING_UP,
            DatabaseState.NO_CONNECTIONS_LEFT,
            DatabaseState.PASSWORD_REFUSED,
            DatabaseState.DATABASE_MISSING,
        )
    ),
    *(
        faulty(
            database.test_the_server_listens,
            f"PostgreSQL at db:5432/orchestrator {state.value}",
            database=not_serving(state),
        )
        for state in (DatabaseState.REFUSED, DatabaseState.UNREACHABLE, DatabaseState.SHUTTING_DOWN)
    ),
    unobserved(database.test_the_server_listens),
    unobserved(
        database.test_the_server_listens, "did not answer in time", database=not_serving(DatabaseState.TIMED_OUT)
    ),
    unobserved(
        database.test_the_server_listens,
        "PostgreSQL was not asked: its address is not known",
        database=not_serving(DatabaseState.NOT_ASKED),
    ),
    healthy(database.test_the_server_answers_in_time, database=serving()),
    healthy(database.test_the_server_answers_in_time, database=not_serving(DatabaseState.STARTING_UP)),
    faulty(
        database.test_the_server_answers_in_time,
        "PostgreSQL at db:5432/orchestrator did not answer in time",
        database=not_serving(DatabaseState.TIMED_OUT),
    ),
    unobserved(database.test_the_server_answers_in_time),
    *(
        unobserved(database.test_the_server_answers_in_time, state.value, database=not_serving(state))
        for state in (DatabaseState.REFUSED, DatabaseState.UNREACHABLE, DatabaseState.NOT_ASKED)
    ),
    healthy(database.test_the_server_has_started, database=serving()),
    healthy(database.test_the_server_has_started, database=not_serving(DatabaseState.PASSWORD_REFUSED)),
    faulty(
        database.test_the_server_has_started,
        "PostgreSQL at db:5432/orchestrator is starting up",
        database=not_serving(DatabaseState.STARTING_UP),
    ),
    unobserved(database.test_the_server_has_started),
    *(
        unobserved(database.test_the_server_has_started, state.value, database=not_serving(state))
        for state in (DatabaseState.REFUSED, DatabaseState.TIMED_OUT, DatabaseState.NOT_ASKED)
    ),
    healthy(database.test_the_server_has_connections_left, database=serving(connections=Count(96), slots=Count(97))),
    healthy(database.test_the_server_has_connections_left, database=serving(connections=None)),
    healthy(database.test_the_server_has_connections_left, database=not_serving(DatabaseState.DATABASE_MISSING)),
    faulty(
        database.test_the_server_has_connections_left,  # a superuser got in
        "97 connections use all of its 97 ordinary slots",
        database=serving(connections=Count(97), slots=Count(97)),
    ),
    faulty(
        database.test_the_server_has_connections_left,
        "PostgreSQL at db:5432/orchestrator has no connection slots left",
        database=not_serving(DatabaseState.NO_CONNECTIONS_LEFT),
    ),
    unobserved(database.test_the_server_has_connections_left),
    *(
        unobserved(database.test_the_server_has_connections_left, state.value, database=not_serving(state))
        for state in (DatabaseState.REFUSED, DatabaseState.STARTING_UP, DatabaseState.PASSWORD_REFUSED)
    ),
    healthy(database.test_the_server_lets_the_suite_in, database=serving()),
    healthy(database.test_the_server_lets_the_suite_in, database=not_serving(DatabaseState.DATABASE_MISSING)),
    faulty(
        database.test_the_server_lets_the_suite_in,
        "PostgreSQL at db:5432/orchestrator refuses the password",
        database=not_serving(DatabaseState.PASSWORD_REFUSED),
    ),
    unobserved(database.test_the_server_lets_the_suite_in),
    *(
        unobserved(database.test_the_server_lets_the_suite_in, state.value, database=not_serving(state))
        for state in (DatabaseState.REFUSED, DatabaseState.TIMED_OUT, DatabaseState.NO_CONNECTIONS_LEFT)
    ),
    healthy(database.test_the_database_exists, database=serving()),
    faulty(
        database.test_the_database_exists,
        "PostgreSQL at db:5432/orchestrator has no such database",
        database=not_serving(DatabaseState.DATABASE_MISSING),
    ),
    unobserved(database.test_the_database_exists),
    *(
        unobserved(database.test_the_database_exists, state.value, database=not_serving(state))
        for state in (DatabaseState.REFUSED, DatabaseState.TIMED_OUT, DatabaseState.PASSWORD_REFUSED)
    ),
    # What a server that serves reports
    healthy(database.test_the_tables_exist, database=serving()),
    faulty(
        database.test_the_tables_exist,
        "PostgreSQL at db:5432/orchestrator has no table task, due_work",
        database=serving(missing_tables=("task", "due_work")),
    ),
    unobserved(database.test_the_tables_exist),
    unobserved(
        database.test_the_tables_exist, "hides tables from the suite's", database=serving(hidden_tables=("task",))
    ),
    *(
        unobserved(
            database.test_the_tables_exist,
            f"PostgreSQL at db:5432/orchestrator {state.value}",
            database=not_serving(state),
        )
        for state in DatabaseState
        if state not in (DatabaseState.SERVES, DatabaseState.NOT_ASKED)
    ),
    healthy(database.test_no_page_failed_its_checksum, database=serving(checksum_failures=Count(0))),
    faulty(
        database.test_no_page_failed_its_checksum,
        "1 page with a wrong checksum",
        database=serving(checksum_failures=Count(1)),
    ),
    faulty(
        database.test_no_page_failed_its_checksum,
        "3 pages with a wrong checksum",
        database=serving(checksum_failures=Count(3)),
    ),
    unobserved(database.test_no_page_failed_its_checksum),
    unobserved(
        database.test_no_page_failed_its_checksum,
        "data checksums are off on this server",
        database=serving(checksum_failures=None),
    ),
    unobserved(
        database.test_no_page_failed_its_checksum,
        "refused the connection: no server listens",
        database=not_serving(DatabaseState.REFUSED),
    ),
    # What the host and the log show
    healthy(
        database.test_the_disks_have_space_left,
        host_disks=Disks((Disk("/", Size(5 * GIB), Size(95 * GIB), Share(0.01)),)),
    ),
    faulty(
        database.test_the_disks_have_space_left,
        "/var/lib/docker 2 % free (2.0 GiB), inodes 90 % free, limit 5 %",
        host_disks=Disks(
            (
                Disk("/", Size(50 * GIB), Size(50 * GIB)),
                Disk("/var/lib/docker", Size(2 * GIB), Size(98 * GIB), Share(0.9)),
            )
        ),
    ),
    unobserved(database.test_the_disks_have_space_left),
    healthy(database.test_the_host_has_memory_left, host_memory=Memory(Size(16 * GIB), Size(4 * GIB))),
    faulty(
        database.test_the_host_has_memory_left,
        "512.0 MiB of 16.0 GiB memory available (3.1 %), limit 5 %",
        host_memory=Memory(Size(16 * GIB), Size(GIB // 2)),
    ),
    unobserved(database.test_the_host_has_memory_left),
    healthy(database.test_the_database_logged_no_panic, postgres_log=log("2026-03-04 11:59:59 ERROR connection lost")),
    healthy(
        database.test_the_database_logged_no_panic,
        postgres_log=log("2026-03-04 11:49:59 UTC [7] PANIC:  could not write to file"),
    ),
    faulty(
        database.test_the_database_logged_no_panic,
        "1 error line within 10 min, the last: 2026-03-04 11:59:59 UTC [7] PANIC:  could not write",
        postgres_log=log("2026-03-04 11:59:59 UTC [7] PANIC:  could not write to file"),
    ),
    faulty(
        database.test_the_database_logged_no_panic,
        "invalid page in block 3",
        postgres_log=log("2026-03-04 11:59:59 UTC [7] ERROR:  invalid page in block 3 of relation base/1"),
    ),
    unobserved(database.test_the_database_logged_no_panic),
    healthy(
        database.test_the_database_found_space_to_write,
        postgres_log=log("2026-03-04 11:59:59 ERROR connection lost"),
    ),
    faulty(
        database.test_the_database_found_space_to_write,
        "1 error line within 10 min, the last: 2026-03-04 11:59:59 UTC [7] PANIC:  could not write: "
        "No space left on device",
        postgres_log=log("2026-03-04 11:59:59 UTC [7] PANIC:  could not write: No space left on device"),
    ),
    unobserved(database.test_the_database_found_space_to_write),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
