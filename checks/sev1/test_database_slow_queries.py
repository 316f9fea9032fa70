"""DatabaseSlowQueries: a client's statement runs too long."""

from fixtures.database.sessions import Activity
from fixtures.database.statistics import Statements
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AlertLimits, minutes, percent, seconds
from playbook.quantities import Share, Span, listed


class Limits(AlertLimits):
    """The limits of the alert."""

    statement_age: Span = seconds(10)
    idle_in_transaction: Span = seconds(10)
    mean_statement_time: Span = seconds(1)
    used_slots: Share = percent(80)


ALERT = Alert(
    name="DatabaseSlowQueries",
    severity=1,
    trigger="a statement has been running for more than {statement_age}",
    impact="performance degraded, other statements may be blocked",
    limits=Limits,
    expression="ordinaut_database_statement_age_seconds > $statement_age",
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "postgres"},
)


@trigger(step=1, measures="activity.longest", against="statement_age")
def test_no_statement_runs_for_long(activity: Activity, limits: Limits) -> None:
    """No client's statement has been running for longer than the limit."""
    slow = activity.running_longer_than(limits.statement_age)
    assert not slow, f"{listed(slow, 3)} (limit {limits.statement_age})"


@diagnostic(cause="blocked-by-a-lock", step=2, fills={"pid": "activity.first_blocker"})
def test_no_statement_waits_for_a_lock(activity: Activity, limits: Limits) -> None:
    """No slow statement waits for a lock that another session holds."""
    blockers = activity.root_blockers(activity.running_longer_than(limits.statement_age))
    assert not blockers, listed(blockers, 3)


@diagnostic(cause="long-running-query", step=1, fills={"pid": "activity.longest_at_work"})
def test_no_statement_works_for_long(activity: Activity, limits: Limits) -> None:
    """No slow statement is executing, rather than waiting for another session."""
    working = [session for session in activity.running_longer_than(limits.statement_age) if not session.blocked_by]
    assert not working, listed(working, 3)


@diagnostic(cause="idle-in-transaction", step=2, fills={"pid": "activity.longest_idle"})
def test_no_transaction_is_left_open(activity: Activity, limits: Limits) -> None:
    """No session is idle in an open transaction, which keeps its locks."""
    idle = activity.idle_in_transaction(limits.idle_in_transaction)
    assert not idle, f"{listed(idle, 3)} (limit {limits.idle_in_transaction})"


@diagnostic(cause="connections-running-out", step=1)
def test_connections_are_left(activity: Activity, limits: Limits) -> None:
    """PostgreSQL has enough connection slots left."""
    used = f"{activity.connections} of {activity.slots} ordinary slots are in use ({activity.used_slots})"
    assert activity.used_slots <= limits.used_slots, f"{used} (limit {limits.used_slots})"


@diagnostic(cause="statements-slow-on-average", step=3)
def test_statements_are_fast_on_average(statements: Statements, limits: Limits) -> None:
    """No statement takes long on average, since PostgreSQL's statistics were reset."""
    slow = statements.slower_on_average_than(limits.mean_statement_time)
    assert not slow, f"since {statements.since}: {listed(slow, 3)}"
