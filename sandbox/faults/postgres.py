"""Faults of the database server."""

from __future__ import annotations

from functools import partial

import psycopg

from sandbox.fault import Expect, Fault, Stack, Step, stopped, suspended
from sandbox.polling import NotYet, require

# The API and the workers need the database; whether their alerts fire depends on how it fails and for how long.
FOLLOWERS = ("OrchestratorAPIDown", "NoActiveWorkers", "HighAPILatency")
HIDDEN_SCHEMA = "hidden_by_the_sandbox"
HIDDEN_DATABASE = "orchestrator_hidden"
TENANT = "sandbox_tenant"
HOARDER = "hoarder"

_down = partial(Expect, "OrchestratorDatabaseDown", "firing", may_follow=FOLLOWERS)


def refused(words: str, user: str = "orchestrator") -> Step:
    """Return the step that raises NotYet unless a client gets a connection error with these words."""

    def check(stack: Stack) -> None:
        try:
            stack.connect(user).close()
        except psycopg.OperationalError as error:
            require(words in str(error), f"clients get: {error}")
            return
        raise NotYet("clients can still connect")

    return check


require_hung = refused("connection timeout expired")  # PostgreSQL accepts a connection and does not answer on it


def _end_sessions(stack: Stack) -> None:
    stack.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        database="postgres",
    )


# -- starting up


def _start_held_up(stack: Stack) -> None:
    stack.postgres.stop()
    stack.postgres.start_held_up()


# -- connections


def _take_ordinary_slots(stack: Stack) -> None:
    stack.sql(f"CREATE ROLE {TENANT} LOGIN PASSWORD '{stack.password}'")
    stack.client(HOARDER, "hoarder", TENANT).start()


def _only_superusers_get_in(stack: Stack) -> None:
    refused("remaining connection slots are reserved", TENANT)(stack)
    stack.connect().close()


def _give_slots_back(stack: Stack) -> None:
    stack.client(HOARDER).stop()
    stack.sql(f"DROP ROLE IF EXISTS {TENANT}")


# -- tables and database


def _tables(stack: Stack, schema: str) -> list[str]:
    rows = stack.sql("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,))
    return [name for (name,) in rows]


def _move_tables(stack: Stack, source: str, destination: str) -> None:
    for table in _tables(stack, source):
        stack.sql(f"ALTER TABLE {source}.{table} SET SCHEMA {destination}")


def _hide_tables(stack: Stack) -> None:
    stack.sql(f"CREATE SCHEMA {HIDDEN_SCHEMA}")
    _move_tables(stack, "public", HIDDEN_SCHEMA)


def _bring_tables_back(stack: Stack) -> None:
    for table in set(_tables(stack, "public")) & set(_tables(stack, HIDDEN_SCHEMA)):
        stack.sql(f"DROP TABLE public.{table}")  # made by a scheduler that was restarted in between
    _move_tables(stack, HIDDEN_SCHEMA, "public")
    stack.sql(f"DROP SCHEMA IF EXISTS {HIDDEN_SCHEMA}")


def _hide_database(stack: Stack) -> None:
    stack.sql("ALTER DATABASE orchestrator ALLOW_CONNECTIONS false", database="postgres")  # no client reconnects
    _end_sessions(stack)
    stack.sql(f"ALTER DATABASE orchestrator RENAME TO {HIDDEN_DATABASE}", database="postgres")


def _bring_database_back(stack: Stack) -> None:
    if stack.sql("SELECT 1 FROM pg_database WHERE datname = %s", (HIDDEN_DATABASE,), database="postgres"):
        stack.sql(f"ALTER DATABASE {HIDDEN_DATABASE} RENAME TO orchestrator", database="postgres")
    stack.sql("ALTER DATABASE orchestrator ALLOW_CONNECTIONS true", database="postgres")


# -- passwords


def _change_password(stack: Stack) -> None:
    stack.sql("ALTER ROLE orchestrator PASSWORD 'changed on the server'")
    _end_sessions(stack)  # connected clients would not notice


STOPPED = stopped(
    "postgres-stopped", "shuts PostgreSQL down", _down("server-not-running"), "postgres", refused("Connection refused")
)
HUNG = suspended(
    "postgres-hung",
    "suspends every process of PostgreSQL: connections are accepted, no query is answered",
    _down("server-hung"),
    service="postgres",
    took_hold=require_hung,
)
STARTING = Fault(
    name="postgres-starting",
    does="restarts PostgreSQL into a recovery that does not end: it rejects clients because it is starting up",
    expect=_down("starting-up"),
    break_=_start_held_up,
    took_hold=refused("starting up"),
    heal=lambda stack: stack.postgres.release(),
)
NO_CONNECTIONS_LEFT = Fault(
    name="postgres-no-connections-left",
    does="takes every connection slot of PostgreSQL, including those reserved for superusers",
    expect=_down("no-connections-left"),
    break_=lambda stack: stack.client(HOARDER, "hoarder", "orchestrator").start(),
    took_hold=refused("too many clients already"),
    heal=lambda stack: stack.client(HOARDER).stop(),
)
RESERVED_SLOTS_ONLY = Fault(
    name="postgres-reserved-slots-only",
    does="takes every ordinary connection slot: only superusers can connect",
    expect=_down("no-connections-left"),
    break_=_take_ordinary_slots,
    took_hold=_only_superusers_get_in,
    heal=_give_slots_back,
)
SCHEMA_MISSING = Fault(
    name="postgres-schema-missing",
    does="moves all tables to another schema",
    expect=_down("tables-missing"),
    break_=_hide_tables,
    took_hold=lambda stack: require(not _tables(stack, "public"), "the schema public still has tables"),
    heal=_bring_tables_back,
)
DATABASE_MISSING = Fault(
    name="postgres-database-missing",
    does="ends all sessions and renames the database",
    expect=_down("database-missing"),
    break_=_hide_database,
    took_hold=refused("does not exist"),
    heal=_bring_database_back,
)
PASSWORD = Fault(
    name="postgres-password",
    does="changes the role's password on the server and ends all sessions, so that the services fail",
    expect=_down("password-refused"),
    break_=_change_password,
    took_hold=refused("password authentication failed"),
    heal=lambda stack: stack.sql(f"ALTER ROLE orchestrator PASSWORD '{stack.password}'"),
)
CHECKER_PASSWORD = Fault(
    name="checker-password",
    does="writes a wrong password into the checker's settings; the system itself is healthy",
    expect=Expect("OrchestratorDatabaseDown", "unknown", may_follow=("NoActiveWorkers",)),
    break_=lambda stack: stack.write_target(database_url=stack.database_url(password="not-the-password")),
    took_hold=lambda stack: stack.require_healthy(),
    heal=lambda stack: stack.write_target(),
)
