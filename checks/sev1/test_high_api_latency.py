"""HighAPILatency: the API answers too slowly."""

from fixtures.api.access import ApiAccess, DatabaseAccess
from fixtures.api.latency import Latency, Liveness
from fixtures.database.sessions import Activity
from fixtures.database.statistics import Statements
from fixtures.platform.containers import ContainerLimits, Usages
from fixtures.platform.host import HostMemoryLimits, Memory
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import minutes, seconds
from playbook.quantities import Span, listed


class Limits(ContainerLimits, HostMemoryLimits):
    """The limits of the alert."""

    p95: Span = seconds(2)
    slow_statement: Span = seconds(2)
    mean_statement_time: Span = seconds(1)


ALERT = Alert(
    name="HighAPILatency",
    severity=1,
    trigger="the 95th percentile of the API's response time is above {p95} for {for_}",
    impact="poor user experience, possible timeouts",
    for_=minutes(5),
    limits=Limits,
    expression=(
        "histogram_quantile(0.95, sum by (le) (rate(orchestrator_http_request_duration_seconds_bucket"
        '{endpoint!~"/health.*|/metrics"}[5m]))) > $p95_bucket'
    ),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "api"},
)


@trigger(step=1, measures="latency.measurement", against="p95")
def test_the_api_answers_fast_enough(latency: Latency, limits: Limits) -> None:
    """The 95th percentile of the API's response time is within the limit."""
    assert not latency.is_above(limits.p95), f"{latency} (limit {limits.p95})"


@diagnostic(cause="database-down", step=4, explained_by="OrchestratorDatabaseDown")
def test_the_database_serves_the_api(database_access: DatabaseAccess) -> None:
    """PostgreSQL serves Ordinaut: without it the API is slow as a consequence."""
    assert not database_access.is_down, f"{database_access}"


@diagnostic(cause="api-unhealthy", step=1, explained_by="OrchestratorAPIDown")
def test_the_api_is_healthy(api_access: ApiAccess) -> None:
    """The API is healthy, and so is what it needs."""
    assert api_access.is_healthy, f"{api_access}"


@diagnostic(cause="slow-queries", step=4, explained_by="DatabaseSlowQueries")
def test_no_statement_holds_the_api_up(activity: Activity, limits: Limits) -> None:
    """No statement in PostgreSQL has been running for longer than the API may take."""
    slow = activity.running_longer_than(limits.slow_statement)
    assert not slow, listed(slow, 3)


@diagnostic(cause="statements-slow-on-average", step=3)
def test_statements_are_fast_on_average(statements: Statements, limits: Limits) -> None:
    """No statement takes long on average, since PostgreSQL's statistics were reset."""
    slow = statements.slower_on_average_than(limits.mean_statement_time)
    assert not slow, f"since {statements.since}: {listed(slow, 3)}"


@diagnostic(cause="api-container-near-its-limit", step=2)
def test_the_api_container_has_memory_left(container_usage: Usages, limits: Limits) -> None:
    """The api container is well below its memory limit."""
    near = container_usage.near_limit(limits.container_memory, "api")
    assert not near, listed(near)


@diagnostic(cause="host-memory-exhausted", step=2)
def test_the_host_has_memory_left(host_memory: Memory, limits: Limits) -> None:
    """The host has memory left for the api."""
    assert host_memory.available_share >= limits.memory_available, f"{host_memory}, limit {limits.memory_available}"


@diagnostic(cause="api-slow", step=1)
def test_the_api_itself_answers_fast(liveness: Liveness, limits: Limits) -> None:
    """The API answers fast where it needs neither the database nor Redis."""
    assert not liveness.is_slow(limits.p95), f"{liveness}: the API itself is slow, not what it depends on"
