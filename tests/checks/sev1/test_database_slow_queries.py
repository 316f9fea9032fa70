from __future__ import annotations

from msgspec.structs import replace

from checks.sev1 import test_database_slow_queries as queries
from fixtures.database.sessions import Activity, Session
from fixtures.database.statistics import Statements, StatementStatistics
from playbook.quantities import Count, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved


def active(pid: int, age: float, *blocked_by: int, application: str = "") -> Session:
    """Return a session whose statement began so many seconds ago, waiting for these others."""
    return Session(
        pid, "orchestrator", application, "active", Span(age), Span(age), Span(0), blocked_by, f"SELECT {pid}"
    )


def idle(pid: int, seconds: float, state: str = "idle in transaction") -> Session:
    return replace(active(pid, seconds + 1), state=state, idle_for=Span(seconds))


def hidden(pid: int, application: str = "") -> Session:
    """Return a session as PostgreSQL lists it where track_activities is off."""
    return Session(pid, "orchestrator", application, "disabled", Span(0), None, Span(0), (), "")


def sessions(*found: Session) -> Activity:
    return Activity(found, ("pg_dump", "vacuumdb"), Count(12), Count(97))


def in_use(connections: int) -> Activity:
    return Activity((active(1, 0.2),), (), Count(connections), Count(97))


def averages(*means: float, calls: int = 40) -> Statements:
    rows = [StatementStatistics(Count(calls), Span(mean), Span(3 * mean), "SELECT * FROM task_run") for mean in means]
    return Statements(tuple(rows), "2026-03-01 00:00:00+00")


CASES = [
    # The trigger
    healthy(queries.test_no_statement_runs_for_long, activity=sessions()),
    healthy(
        queries.test_no_statement_runs_for_long,
        activity=sessions(active(1, 0.2), active(2, 2000, application="pg_dump"), idle(4, 90)),
    ),
    healthy(queries.test_no_statement_runs_for_long, activity=sessions(active(5, 10))),
    healthy(queries.test_no_statement_runs_for_long, activity=sessions(active(1, 0.2), hidden(2, "pg_dump"))),
    faulty(
        queries.test_no_statement_runs_for_long,
        "pid 3 (orchestrator, reporting) active for 40 s: SELECT 3, "
        "pid 5 (orchestrator) active for 11 s: SELECT 5 (limit 10 s)",
        activity=sessions(
            active(1, 0.2),
            active(2, 2000, application="pg_dump"),
            active(5, 11),
            active(3, 40, application="reporting"),
        ),
    ),
    faulty(
        queries.test_no_statement_runs_for_long,
        "pid 8 (orchestrator) active for 48 s: SELECT 8, pid 7 (orchestrator) active for 47 s: SELECT 7, "
        "pid 6 (orchestrator) active for 46 s: SELECT 6 and 2 more (limit 10 s)",
        activity=sessions(active(4, 44), active(5, 45), active(6, 46), active(7, 47), active(8, 48)),
    ),
    faulty(
        queries.test_no_statement_runs_for_long,  # what is seen counts, whatever another session hides
        "pid 5 (orchestrator) active for 11 s: SELECT 5 (limit 10 s)",
        activity=sessions(hidden(4), active(5, 11)),
    ),
    unobserved(queries.test_no_statement_runs_for_long),
    unobserved(
        queries.test_no_statement_runs_for_long,
        "PostgreSQL hides the statements of pid 4: track_activities is off",
        activity=sessions(active(1, 0.2), hidden(4)),
    ),
    # What holds statements up
    healthy(queries.test_no_statement_waits_for_a_lock, activity=sessions(active(3, 40, application="reporting"))),
    healthy(
        queries.test_no_statement_waits_for_a_lock,  # not for long
        activity=sessions(idle(10, 90), active(11, 3, 10)),
    ),
    healthy(
        queries.test_no_statement_waits_for_a_lock,  # of two that wait for each other none is at the end of the chain
        activity=sessions(active(1, 30, 2), active(2, 30, 1)),
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,  # 12 waits for 11, which waits for 10
        "pids 11, 12 wait for pid 10 (orchestrator) idle in transaction for 1 min 30 s, last: SELECT 10",
        activity=sessions(idle(10, 90), active(11, 60, 10), active(12, 30, 11)),
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pids 21, 22 wait for pid 20 (orchestrator, reporting) active for 25 s: SELECT 20",
        activity=sessions(active(20, 25, application="reporting"), active(21, 20, 20), active(22, 15, 20)),
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pid 12 waits for pid 2 (orchestrator, pg_dump) active for 33 min 20 s: SELECT 2",
        activity=sessions(active(2, 2000, application="pg_dump"), active(12, 30, 2)),
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,  # an advisory lock of the session
        "pid 12 waits for pid 10 (orchestrator) idle for 1 min 30 s, last: SELECT 10",
        activity=sessions(idle(10, 90, "idle"), active(12, 30, 10)),
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pid 12 waits for pid 99, which is no client session",
        activity=sessions(active(12, 30, 99)),
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pid 12 waits for pid 11 (orchestrator) active for 0 ms: SELECT 11, "
        "pid 12 waits for pid 10 (orchestrator) active for 1 s",
        activity=sessions(active(10, 1), active(11, 0), active(12, 30, 10, 11)),
    ),
    unobserved(queries.test_no_statement_waits_for_a_lock),
    unobserved(
        queries.test_no_statement_waits_for_a_lock, "track_activities is off", activity=sessions(hidden(4), hidden(5))
    ),
    healthy(
        queries.test_no_statement_works_for_long,
        activity=sessions(active(1, 0.2), active(2, 2000, application="pg_dump"), active(12, 30, 1)),
    ),
    faulty(
        queries.test_no_statement_works_for_long,
        "pid 20 (orchestrator, reporting) active for 25 s: SELECT 20",
        activity=sessions(active(20, 25, application="reporting"), active(21, 20, 20), active(22, 15, 20)),
    ),
    unobserved(queries.test_no_statement_works_for_long),
    unobserved(queries.test_no_statement_works_for_long, "track_activities is off", activity=sessions(hidden(4))),
    healthy(
        queries.test_no_transaction_is_left_open,
        activity=sessions(active(3, 40), idle(4, 10), idle(5, 900, "idle")),
    ),
    faulty(
        queries.test_no_transaction_is_left_open,
        "pid 4 (orchestrator) idle in transaction for 11 s, last: SELECT 4 (limit 10 s)",
        activity=sessions(idle(4, 11)),
    ),
    faulty(
        queries.test_no_transaction_is_left_open,
        "pid 4 (orchestrator) idle in transaction (aborted) for 15 min, last: SELECT 4",
        activity=sessions(idle(4, 900, "idle in transaction (aborted)")),
    ),
    unobserved(queries.test_no_transaction_is_left_open),
    unobserved(queries.test_no_transaction_is_left_open, "track_activities is off", activity=sessions(hidden(4))),
    # What the server counts
    healthy(queries.test_connections_are_left, activity=in_use(12)),
    healthy(queries.test_connections_are_left, activity=in_use(77)),
    faulty(
        queries.test_connections_are_left,
        "78 of 97 ordinary slots are in use (80.4 %) (limit 80 %)",
        activity=in_use(78),
    ),
    unobserved(queries.test_connections_are_left),
    healthy(queries.test_statements_are_fast_on_average, statements=averages(1)),
    faulty(
        queries.test_statements_are_fast_on_average,
        "since 2026-03-01 00:00:00+00: 1.1 s on average over 40 calls (longest 3.3 s): SELECT * FROM task_run",
        statements=averages(1.1),
    ),
    faulty(
        queries.test_statements_are_fast_on_average,
        "2 s on average over 1 call (longest 6 s): SELECT * FROM task_run",
        statements=averages(2, 0.2, calls=1),
    ),
    unobserved(queries.test_statements_are_fast_on_average),
    unobserved(
        queries.test_statements_are_fast_on_average,
        "pg_stat_statements has counted no statement since 2026-03-01 00:00:00+00",
        statements=averages(),
    ),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
