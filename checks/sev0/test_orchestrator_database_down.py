"""OrchestratorDatabaseDown: PostgreSQL does not serve Ordinaut."""

from types import SimpleNamespace

from fixtures.api.access import DatabaseAccess
from fixtures.clients.postgres import Database
from fixtures.platform.containers import Containers
from fixtures.platform.host import Disks, Memory
from fixtures.platform.logs import LogTail
from playbook.alert import Alert, diagnostic, minutes, percent, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="OrchestratorDatabaseDown",
    severity=0,
    trigger="connections to PostgreSQL fail for more than 1 minute",
    impact="complete system failure, possible loss of data",
    lasts=minutes(1),
    limits={"recent_errors": minutes(10), "disk_free": percent(5), "memory_available": percent(5)},
    expression="pg_up == 0",
    respond_within=minutes(2),
    escalate_after=minutes(15),
    escalate_when=("the log shows PANIC or corruption", "the volume of the database is damaged or full"),
    labels={"service": "postgres"},
    explains="postgres",
)


@trigger(step=(1, 3), measures="database_access.measurement")
def test_the_database_serves_ordinaut(database_access: DatabaseAccess) -> None:
    """PostgreSQL lets Ordinaut in, has slots left for it, and has its tables."""
    assert not database_access.is_down, f"{database_access}"


@diagnostic(cause="container-missing", step=2)
def test_the_database_has_a_container(containers: Containers) -> None:
    """The project has a container of PostgreSQL, and it was started."""
    absent = containers.missing("postgres") or listed(
        [*containers.not_started("postgres"), *containers.without_port("postgres")]
    )
    assert not absent, absent


@diagnostic(cause="out-of-memory", step=(2, 4))
def test_the_database_was_not_killed_for_want_of_memory(containers: Containers) -> None:
    """The kernel did not kill PostgreSQL's container to get memory back."""
    killed = containers.killed_for_memory("postgres")
    assert not killed, listed(killed)


@diagnostic(cause="disk-full", step=(2, 4))
def test_the_database_found_space_to_write(postgres_log: LogTail, limits: SimpleNamespace) -> None:
    """PostgreSQL did not complain of late that its volume is full."""
    lines = postgres_log.saying(limits.recent_errors, "No space left on device")
    assert not lines, f"{len(lines)} lines within {limits.recent_errors}, the last: {lines[-1].text}"


@diagnostic(cause="container-paused", step=2)
def test_the_database_container_is_not_paused(containers: Containers) -> None:
    """The processes of PostgreSQL's container are not frozen."""
    paused = containers.paused("postgres")
    assert not paused, listed(paused)


@diagnostic(cause="container-crashed", step=2)
def test_the_database_container_has_not_ended(containers: Containers) -> None:
    """PostgreSQL's container did not end, neither at its start nor later."""
    ended = [*containers.crashed("postgres"), *containers.failing_at_start("postgres")]
    assert not ended, listed(ended)


@diagnostic(cause="server-not-running", step=1)
def test_the_server_listens(database: Database) -> None:
    """A PostgreSQL server accepts connections at the configured address."""
    assert not database.not_running, f"{database}"


@diagnostic(cause="server-hung", step=1)
def test_the_server_answers_in_time(database: Database) -> None:
    """A connection that was accepted is answered."""
    assert not database.hangs, f"{database}"


@diagnostic(cause="starting-up", step=1)
def test_the_server_has_started(database: Database) -> None:
    """The server is neither starting nor still recovering from a crash."""
    assert not database.is_starting_up, f"{database}"


@diagnostic(cause="no-connections-left", step=1)
def test_the_server_has_connections_left(database: Database) -> None:
    """Ordinary roles still get a connection, and not only superusers."""
    assert not database.has_no_slots_left, f"{database}"


@diagnostic(cause="password-refused", step=1)
def test_the_server_lets_the_suite_in(database: Database) -> None:
    """The server takes the password."""
    assert not database.refuses_the_password, f"{database}"


@diagnostic(cause="database-missing", step=3)
def test_the_database_exists(database: Database) -> None:
    """The server has a database of the configured name."""
    assert not database.is_missing, f"{database}"


@diagnostic(cause="tables-missing", step=3)
def test_the_tables_exist(database: Database) -> None:
    """Ordinaut's tables are all there."""
    assert not database.missing_tables, f"{database}"


@diagnostic(cause="data-corrupted", step=3)
def test_no_page_failed_its_checksum(database: Database) -> None:
    """PostgreSQL counted no page with a wrong checksum since its statistics were reset."""
    assert not database.checksum_failures, f"{database.checksum_failures} pages failed their checksum"


@diagnostic(cause="disk-full", step=4)
def test_the_disks_have_space_left(host_disks: Disks, limits: SimpleNamespace) -> None:
    """No file system of the stack is full."""
    full = host_disks.below(limits.disk_free)
    assert not full, f"{listed(full)}, limit {limits.disk_free}"


@diagnostic(cause="host-memory-exhausted", step=4)
def test_the_host_has_memory_left(host_memory: Memory, limits: SimpleNamespace) -> None:
    """The host has memory left for PostgreSQL."""
    assert host_memory.available_share >= limits.memory_available, f"{host_memory}, limit {limits.memory_available}"


@diagnostic(cause="container-unhealthy", step=2)
def test_the_database_container_is_healthy(containers: Containers) -> None:
    """The own health check of PostgreSQL's container does not fail."""
    unhealthy = containers.unhealthy("postgres")
    assert not unhealthy, listed(unhealthy)


@diagnostic(cause="errors-in-log", step=2)
def test_the_database_logged_no_panic(postgres_log: LogTail, limits: SimpleNamespace) -> None:
    """PostgreSQL wrote no PANIC, and nothing of corruption, of late."""
    lines = postgres_log.saying(limits.recent_errors, "PANIC", "corrupt", "invalid page", "could not read block")
    assert not lines, f"{len(lines)} lines within {limits.recent_errors}, the last: {lines[-1].text}"
