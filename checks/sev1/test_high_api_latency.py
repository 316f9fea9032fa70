"""HighAPILatency: the API answers, and takes too long for it."""

from types import SimpleNamespace

from fixtures.api.access import ApiAccess, DatabaseAccess
from fixtures.clients.http import HttpAnswer, Latency
from fixtures.database.sessions import Activity, Statements
from fixtures.platform.containers import Usages
from fixtures.platform.host import Memory
from playbook.alert import Alert, diagnostic, minutes, percent, seconds, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="HighAPILatency",
    severity=1,
    trigger="95th percentile of the response time above 2 seconds for 5 minutes",
    impact="poor user experience, possible timeouts",
    lasts=minutes(5),
    limits={
        "p95": seconds(2),
        "slow_statement": seconds(2),
        "mean_statement_time": seconds(1),
        "container_memory": percent(90),
        "memory_available": percent(5),
    },
    expression=(
        "histogram_quantile(0.95, sum by (le) (rate(orchestrator_http_request_duration_seconds_bucket"
        '{endpoint!~"/health.*|/metrics"}[5m]))) > $p95_bucket'
    ),
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "api"},
)


@trigger(step=1, measures="latency.measurement", against="p95")
def test_the_api_answers_fast_enough(latency: Latency, limits: SimpleNamespace) -> None:
    """The 95th percentile of the API's response time is within the limit."""
    assert not latency.is_above(limits.p95), f"{latency}, limit {limits.p95}"


@diagnostic(cause="database-down", step=4, explained_by="OrchestratorDatabaseDown")
def test_the_database_serves_the_api(database_access: DatabaseAccess) -> None:
    """PostgreSQL serves Ordinaut: an API that waits for it in vain is slow as a consequence."""
    assert not database_access.is_down, f"{database_access}"


@diagnostic(cause="api-unhealthy", step=1, explained_by="OrchestratorAPIDown")
def test_the_api_is_healthy(api_access: ApiAccess) -> None:
    """The API is healthy, and so is what it needs: it waits for nothing in vain."""
    assert api_access.is_healthy, f"{api_access}"


@diagnostic(cause="slow-queries", step=4, explained_by="DatabaseSlowQueries")
def test_no_statement_holds_the_api_up(activity: Activity, limits: SimpleNamespace) -> None:
    """No statement in PostgreSQL has been running for longer than the API may take."""
    slow = activity.running_longer_than(limits.slow_statement)
    assert not slow, listed(slow, 3)


@diagnostic(cause="statements-slow-on-average", step=3)
def test_statements_are_fast_on_average(statements: Statements, limits: SimpleNamespace) -> None:
    """No statement takes long on average, since PostgreSQL's statistics were reset."""
    slow = statements.slower_on_average_than(limits.mean_statement_time)
    assert not slow, f"since {statements.since}: {listed(slow, 3)}"


@diagnostic(cause="api-container-near-its-limit", step=2)
def test_the_api_container_has_memory_left(container_usage: Usages, limits: SimpleNamespace) -> None:
    """The api's container uses less than most of its memory limit."""
    near = container_usage.near_limit(limits.container_memory, "api")
    assert not near, listed(near)


@diagnostic(cause="host-memory-exhausted", step=2)
def test_the_host_has_memory_left(host_memory: Memory, limits: SimpleNamespace) -> None:
    """The host has memory left for the api."""
    assert host_memory.available_share >= limits.memory_available, f"{host_memory}, limit {limits.memory_available}"


@diagnostic(cause="api-slow", step=1)
def test_the_api_itself_answers_fast(liveness: HttpAnswer, limits: SimpleNamespace) -> None:
    """An answer that needs neither database nor Redis comes fast: what is slow is behind the API, not the API."""
    assert not liveness.slower_than(limits.p95), f"{liveness}: the API itself is slow, not what is behind it"
