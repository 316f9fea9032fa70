"""DatabaseSlowQueries: a client's statement runs for too long."""

from types import SimpleNamespace

from fixtures.database.sessions import Activity, Statements
from playbook.alert import Alert, diagnostic, minutes, percent, seconds, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="DatabaseSlowQueries",
    severity=1,
    trigger="a statement has been running for more than 10 seconds",
    impact="performance degraded, other statements may be blocked",
    limits={
        "statement_age": seconds(10),
        "idle_in_transaction": seconds(10),
        "mean_statement_time": seconds(1),
        "used_slots": percent(80),
    },
    expression="ordinaut_database_statement_age_seconds > $statement_age",
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "postgres"},
)


@trigger(step=1, measures="activity.longest", against="statement_age")
def test_no_statement_runs_for_long(activity: Activity, limits: SimpleNamespace) -> None:
    """No client's statement has been active for longer than the limit."""
    slow = activity.running_longer_than(limits.statement_age)
    assert not slow, f"{listed(slow, 3)}, limit {limits.statement_age}"


@diagnostic(cause="blocked-by-a-lock", step=2, fills={"pid": "activity.first_blocker"})
def test_no_statement_waits_for_a_lock(activity: Activity, limits: SimpleNamespace) -> None:
    """No slow statement waits for a lock that another session holds."""
    blockers = activity.root_blockers(activity.running_longer_than(limits.statement_age))
    assert not blockers, listed(blockers, 3)


@diagnostic(cause="long-running-query", step=1, fills={"pid": "activity.longest_at_work"})
def test_no_statement_works_for_long(activity: Activity, limits: SimpleNamespace) -> None:
    """No slow statement is at work itself, rather than waiting for another session."""
    working = [session for session in activity.running_longer_than(limits.statement_age) if not session.blocked_by]
    assert not working, listed(working, 3)


@diagnostic(cause="idle-in-transaction", step=2, fills={"pid": "activity.longest_idle"})
def test_no_transaction_is_left_open(activity: Activity, limits: SimpleNamespace) -> None:
    """No session holds a transaction open, with its locks, and does nothing in it."""
    idle = activity.idle_in_transaction(limits.idle_in_transaction)
    assert not idle, f"{listed(idle, 3)}, limit {limits.idle_in_transaction}"


@diagnostic(cause="connections-running-out", step=1)
def test_connections_are_left(activity: Activity, limits: SimpleNamespace) -> None:
    """Most of the connection slots are not in use at once."""
    used = f"{activity.connections} of {activity.slots} ordinary slots are in use ({activity.used_slots})"
    assert activity.used_slots <= limits.used_slots, f"{used}, limit {limits.used_slots}"


@diagnostic(cause="statements-slow-on-average", step=3)
def test_statements_are_fast_on_average(statements: Statements, limits: SimpleNamespace) -> None:
    """No statement takes long on average, since PostgreSQL's statistics were reset."""
    slow = statements.slower_on_average_than(limits.mean_statement_time)
    assert not slow, f"since {statements.since}: {listed(slow, 3)}"
