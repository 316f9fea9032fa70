"""Faults of the database's clients. A statement cannot be backdated: they wait until it exceeds the limit."""

from __future__ import annotations

from sandbox.fault import Expect, Fault, Stack
from sandbox.polling import require, until
from sandbox.roles import ROLE, drop_role, make_role

ALERT = "DatabaseSlowQueries"
LIMIT_SECONDS = 10.0  # the playbook's
LOCK_AN_AGENT = "UPDATE agent SET name = name WHERE name = 'system'"
REPORT, BLOCKER, BLOCKED, FORGETFUL = "monthly-report", "forgotten-console", "agent-import", "forgetful-console"

INSTALLED = "SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'"
REMOVED = "extension-removed"  # a note
ACTIVE = f"state = 'active' AND query_start < now() - interval '{LIMIT_SECONDS} s'"


def _session(stack: Stack, name: str, *statements: str) -> None:
    stack.client(name, "session", name, *statements).start()


def _seen(stack: Stack, name: str, condition: str) -> None:
    found = stack.sql(f"SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND {condition}", (name,))
    require(found, f"no session of {name} with {condition}")


def _end(stack: Stack, *names: str) -> None:
    for name in names:
        stack.client(name).stop()
    stack.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY(%s)", (list(names),)
    )  # a statement keeps running for a while after its client has ended


def _block(stack: Stack) -> None:
    _session(stack, BLOCKER, "BEGIN", LOCK_AN_AGENT)
    # Wait until the lock is held: a transaction that has written has an id.
    until(lambda: _seen(stack, BLOCKER, "state = 'idle in transaction' AND backend_xid IS NOT NULL"))
    _session(stack, BLOCKED, LOCK_AN_AGENT)


def _blocked(stack: Stack) -> None:
    _seen(stack, BLOCKED, ACTIVE)
    _seen(stack, BLOCKED, "cardinality(pg_blocking_pids(pid)) = 1")


def _forget(stack: Stack) -> None:
    _session(stack, BLOCKER, "BEGIN", LOCK_AN_AGENT)
    _session(stack, FORGETFUL, "BEGIN", "SELECT 1 / 0")


def _forgotten(stack: Stack) -> None:
    _seen(stack, BLOCKER, f"state = 'idle in transaction' AND state_change < now() - interval '{LIMIT_SECONDS} s'")
    _seen(stack, FORGETFUL, "state = 'idle in transaction (aborted)'")


LONG = Fault(
    name="query-long",
    does="runs a statement that takes an hour",
    expect=Expect(ALERT, "firing", "long-running-query"),
    break_=lambda stack: _session(stack, REPORT, "SELECT pg_sleep(3600)"),
    took_hold=lambda stack: _seen(stack, REPORT, ACTIVE),
    heal=lambda stack: _end(stack, REPORT),
)
BLOCKED_QUERY = Fault(
    name="query-blocked",
    does="blocks a statement: another session holds its lock in a transaction that does not end",
    expect=Expect(ALERT, "firing", "blocked-by-a-lock"),
    break_=_block,
    took_hold=_blocked,
    heal=lambda stack: _end(stack, BLOCKED, BLOCKER),
)
IDLE = Fault(
    name="transaction-idle",
    does="leaves two transactions idle, one of them aborted",
    expect=Expect(ALERT, "noted", "idle-in-transaction"),
    break_=_forget,
    took_hold=_forgotten,
    heal=lambda stack: _end(stack, BLOCKER, FORGETFUL),
)
DUMP = Fault(
    name="dump-running",
    does="runs a statement that takes an hour as the application pg_dump, which is exempt",
    expect=Expect(ALERT, "ok"),
    break_=lambda stack: _session(stack, "pg_dump", "SELECT pg_sleep(3600)"),
    took_hold=lambda stack: _seen(stack, "pg_dump", ACTIVE),
    heal=lambda stack: _end(stack, "pg_dump"),
)


def _take_rights(stack: Stack) -> None:
    stack.write_target(database_url=make_role(stack, monitor=False))


def _give_rights(stack: Stack) -> None:
    stack.write_target()
    drop_role(stack)


def _without_rights(stack: Stack) -> None:
    rights = "SELECT pg_has_role(%s, 'pg_read_all_stats', 'usage')"
    require(stack.sql(rights, (ROLE,)) == [(False,)], "the role can see other sessions")


def _remove_extension(stack: Stack) -> None:
    if stack.sql(INSTALLED):
        stack.note(REMOVED, "yes")
        stack.sql("DROP EXTENSION pg_stat_statements")


def _bring_extension_back(stack: Stack) -> None:
    if stack.noted(REMOVED):
        stack.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        stack.note(REMOVED, None)


def _without_extension(stack: Stack) -> None:
    require(not stack.sql(INSTALLED), "pg_stat_statements is installed")


WITHOUT_RIGHTS = Fault(
    name="role-without-monitor-rights",
    does="gives the checker a role that can read the tables but not see other sessions",
    expect=Expect(ALERT, "unknown", may_follow=("HighAPILatency",)),
    break_=_take_rights,
    took_hold=_without_rights,
    heal=_give_rights,
)
WITHOUT_EXTENSION = Fault(
    name="statements-extension-missing",
    does="removes pg_stat_statements where it is installed; the PostgreSQL of the wheel does not have it",
    expect=Expect(ALERT, "skipped", "statements-slow-on-average"),
    break_=_remove_extension,
    took_hold=_without_extension,
    heal=_bring_extension_back,
)
