"""OrchestratorDatabaseDown: PostgreSQL does not serve Ordinaut."""

from fixtures.api.access import DatabaseAccess
from fixtures.database.server import Database
from fixtures.platform.containers import Containers
from fixtures.platform.host import DiskLimits, Disks, HostMemoryLimits, Memory
from fixtures.platform.logs import LogTail, described
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import minutes
from playbook.quantities import Span, counted, listed


class Limits(DiskLimits, HostMemoryLimits):
    """The limits of the alert."""

    recent_errors: Span = minutes(10)


ALERT = Alert(
    name="OrchestratorDatabaseDown",
    severity=0,
    trigger="PostgreSQL does not serve Ordinaut for more than {for_}",
    impact="the whole system is down, data may be lost",
    for_=minutes(1),
    limits=Limits,
    expression="pg_up == 0",
    respond_within=minutes(2),
    escalate_after=minutes(15),
    escalate_when=("the log shows PANIC or corruption", "the volume of the database is damaged or full"),
    labels={"service": "postgres"},
    explains=("postgres",),
)


@trigger(step=(1, 3), measures="database_access.measurement")
def test_the_database_serves_ordinaut(database_access: DatabaseAccess) -> None:
    """PostgreSQL accepts Ordinaut's connection, has slots left, and has Ordinaut's tables."""
    assert not database_access.is_down, f"{database_access}"


@diagnostic(cause="container-missing", step=2)
def test_the_database_has_a_container(containers: Containers) -> None:
    """The project has a PostgreSQL container, and it was started."""
    absent = containers.missing("postgres") or listed(
        [*containers.not_started("postgres"), *containers.without_port("postgres")]
    )
    assert not absent, absent


@diagnostic(cause="out-of-memory", step=(2, 4))
def test_the_database_was_not_oom_killed(containers: Containers) -> None:
    """The PostgreSQL container was not OOM-killed."""
    killed = containers.killed_for_memory("postgres")
    assert not killed, listed(killed)


@diagnostic(cause="disk-full", step=(2, 4))
def test_the_database_found_space_to_write(postgres_log: LogTail, limits: Limits) -> None:
    """PostgreSQL did not log recently that its volume is full."""
    lines = postgres_log.saying(limits.recent_errors, "No space left on device")
    assert not lines, described(lines, limits.recent_errors)


@diagnostic(cause="container-paused", step=2)
def test_the_database_container_is_not_paused(containers: Containers) -> None:
    """The PostgreSQL container is not paused."""
    paused = containers.paused("postgres")
    assert not paused, listed(paused)


@diagnostic(cause="container-crashed", step=2)
def test_the_database_container_did_not_exit(containers: Containers) -> None:
    """The PostgreSQL container did not exit, neither at its start nor later."""
    ended = [*containers.crashed("postgres"), *containers.failing_at_start("postgres")]
    assert not ended, listed(ended)


@diagnostic(cause="server-not-running", step=1)
def test_the_server_listens(database: Database) -> None:
    """A PostgreSQL server accepts connections at the configured address."""
    assert not database.not_running, f"{database}"


@diagnostic(cause="server-hung", step=1)
def test_the_server_answers_in_time(database: Database) -> None:
    """PostgreSQL answers a connection within the deadline."""
    assert not database.hangs, f"{database}"


@diagnostic(cause="starting-up", step=1)
def test_the_server_has_started(database: Database) -> None:
    """PostgreSQL has finished its start-up and crash recovery."""
    assert not database.is_starting_up, f"{database}"


@diagnostic(cause="no-connections-left", step=1)
def test_the_server_has_connections_left(database: Database) -> None:
    """PostgreSQL has connection slots left for ordinary roles."""
    assert not database.has_no_slots_left, f"{database}"


@diagnostic(cause="password-refused", step=1)
def test_the_server_lets_the_suite_in(database: Database) -> None:
    """PostgreSQL accepts the password."""
    assert not database.refuses_the_password, f"{database}"


@diagnostic(cause="database-missing", step=3)
def test_the_database_exists(database: Database) -> None:
    """PostgreSQL has the configured database."""
    assert not database.is_missing, f"{database}"


@diagnostic(cause="tables-missing", step=3)
def test_the_tables_exist(database: Database) -> None:
    """Every table of Ordinaut exists."""
    assert not database.missing_tables, f"{database}"


@diagnostic(cause="data-corrupted", step=3)
def test_no_page_failed_its_checksum(database: Database) -> None:
    """PostgreSQL has counted no page with a wrong checksum since its statistics were reset."""
    assert not database.checksum_failures, f"{counted(database.checksum_failures, 'page')} with a wrong checksum"


@diagnostic(cause="disk-full", step=4)
def test_the_disks_have_space_left(host_disks: Disks, limits: Limits) -> None:
    """Every file system that the stack uses has space left."""
    full = host_disks.below(limits.disk_free)
    assert not full, f"{listed(full)}, limit {limits.disk_free}"


@diagnostic(cause="host-memory-exhausted", step=4)
def test_the_host_has_memory_left(host_memory: Memory, limits: Limits) -> None:
    """The host has memory left for PostgreSQL."""
    assert host_memory.available_share >= limits.memory_available, f"{host_memory}, limit {limits.memory_available}"


@diagnostic(cause="container-unhealthy", step=2)
def test_the_database_container_is_healthy(containers: Containers) -> None:
    """The PostgreSQL container's health check passes."""
    unhealthy = containers.unhealthy("postgres")
    assert not unhealthy, listed(unhealthy)


@diagnostic(cause="errors-in-log", step=2)
def test_the_database_logged_no_panic(postgres_log: LogTail, limits: Limits) -> None:
    """PostgreSQL logged no PANIC and no corruption recently."""
    lines = postgres_log.saying(limits.recent_errors, "PANIC", "corrupt", "invalid page", "could not read block")
    assert not lines, described(lines, limits.recent_errors)
