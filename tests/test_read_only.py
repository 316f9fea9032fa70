from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fixtures.clients.postgres import APPLICATION, MOST_CONNECTIONS
from sandbox.breaking import break_stack
from sandbox.faults import FAULTS
from sandbox.polling import require, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

# As log_line_prefix of sandbox/servers.py has it: time, pid, user@database, application.
LINE = re.compile(
    rf"^\S+ \S+ \S+ \[(?P<pid>\d+)\] \S+@\S+ {APPLICATION} LOG:  (?:statement|execute [^:]*): (?P<sql>.*)"
)
BOUNDS = re.compile(r"SET LOCAL (statement_timeout|lock_timeout) = \d+", re.IGNORECASE)
WRITES = re.compile(
    r"\b(insert|update|delete|merge|truncate|create|alter|drop|grant|revoke|copy|call|do|lock|vacuum|analyze|reindex"
    r"|notify|listen|nextval|setval|set_config|pg_terminate_backend|pg_cancel_backend|pg_(try_)?advisory_\w+|into"
    r"|for\s+(no\s+key\s+)?update|for\s+(key\s+)?share)\b",
    re.IGNORECASE,
)
STATES = [[], ["workers-stopped"], ["errors-in-the-log", "one-worker-stopped"]]


@pytest.fixture
def logged(sandbox: EmbeddedStack, judge: Judge) -> Callable[[], list[tuple[str, str]]]:
    """Run the suite; give the statements that the database logged of it: the backend's pid and the SQL."""

    def run() -> list[tuple[str, str]]:
        log = sandbox.log("postgres")
        before = log.stat().st_size
        judge()
        with log.open(errors="replace") as file:
            file.seek(before)
            lines = re.sub(r"\n\t", " ", file.read()).splitlines()  # a statement's further lines begin with a tab
        return [(found["pid"], found["sql"].strip()) for line in lines if (found := LINE.match(line))]

    return run


@pytest.fixture(params=STATES, ids=lambda faults: "-".join(faults) or "healthy")
def statements(
    request: pytest.FixtureRequest, sandbox: EmbeddedStack, logged: Callable[[], list[tuple[str, str]]]
) -> list[tuple[str, str]]:
    for fault in request.param:
        break_stack(sandbox, FAULTS[fault])
    return logged()


def test_the_database_is_only_read(statements: list[tuple[str, str]]) -> None:
    assert statements
    for _, sql in statements:
        first, *rest = (part.strip() for part in sql.split(";") if part.strip())
        assert first.upper() in ("BEGIN READ ONLY", "ROLLBACK") or first.upper().startswith(("SELECT", "WITH")), sql
        assert all(BOUNDS.fullmatch(part) for part in rest), sql
        assert not WRITES.search(re.sub(r"'[^']*'", "''", sql)), sql


def test_the_database_is_asked_over_two_connections_at_most(statements: list[tuple[str, str]]) -> None:
    assert 1 <= len({pid for pid, _ in statements}) <= MOST_CONNECTIONS


def test_every_question_stands_in_a_bounded_transaction_of_its_own(statements: list[tuple[str, str]]) -> None:
    for pid in {pid for pid, _ in statements}:
        inside = False
        for _, sql in (each for each in statements if each[0] == pid):
            begins, ends = sql.upper().startswith("BEGIN READ ONLY"), sql.upper() == "ROLLBACK"
            assert begins != inside, sql
            assert not begins or len(BOUNDS.findall(sql)) == 2, sql
            inside = not ends
        assert not inside


def test_the_suite_leaves_no_session_behind(sandbox: EmbeddedStack, judge: Judge) -> None:
    judge()

    def require_none() -> None:
        left = sandbox.sql("SELECT pid, state FROM pg_stat_activity WHERE application_name = %s", (APPLICATION,))
        require(not left, f"still there: {left}")

    until(require_none, 5)  # PostgreSQL ends a session a moment after its client has closed it


def test_the_server_itself_refuses_a_write_in_such_a_transaction(sandbox: EmbeddedStack) -> None:
    import psycopg

    with sandbox.connect() as connection:
        connection.execute("BEGIN READ ONLY")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM worker_heartbeat")
