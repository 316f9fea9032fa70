"""OrchestratorAPIDown: nothing can be asked of Ordinaut, or what it needs to answer is gone."""

from types import SimpleNamespace

from checks.alerting import Alert, diagnostic, minutes, percent, trigger
from fixtures.api import Health
from fixtures.docker import Containers
from fixtures.host import Disks, Memory
from fixtures.logs import LogTail
from fixtures.postgres import Database
from fixtures.redis import RedisAnswer
from fixtures.words import listed

ALERT = Alert(
    name="OrchestratorAPIDown",
    severity=0,
    trigger="the health check of the API fails for more than 2 minutes",
    impact="complete service unavailability",
    lasts=minutes(2),
    limits={"recent_errors": minutes(10), "disk_free": percent(5), "memory_available": percent(5)},
    respond_within=minutes(5),
    escalate_after=minutes(15),
    escalate_when=("several services fail", "the integrity of data is in doubt"),
    labels={"service": "api"},
    explains="api",
)


@trigger(step=1, measures="api_health.answer.took")
def test_the_api_is_healthy(api_health: Health) -> None:
    """GET /health answers 200 with a health document in which api, database and redis are not unhealthy."""
    assert api_health.is_healthy, f"{api_health}"


@diagnostic(cause="api-not-listening", step=1)
def test_the_api_listens(api_health: Health) -> None:
    """Something accepts connections at the API's address."""
    assert not api_health.refused, f"{api_health}"


@diagnostic(cause="container-not-running", step=(1, 2))
def test_the_api_container_runs(containers: Containers) -> None:
    """The container of the api is there and runs."""
    assert not containers.trouble("api"), containers.trouble("api")


@diagnostic(cause="out-of-memory", step=(2, 4))
def test_the_api_was_not_killed_for_want_of_memory(containers: Containers) -> None:
    """The kernel did not kill the api's container to get memory back."""
    killed = containers.killed_for_memory("api")
    assert not killed, listed(killed)


@diagnostic(cause="database-connection-lost", step=3, explained_by="OrchestratorDatabaseDown")
def test_the_api_has_its_database(api_health: Health, database: Database) -> None:
    """PostgreSQL serves, and the API does not say otherwise."""
    assert not database.is_down, f"{database}"
    assert not api_health.says_unhealthy("database"), f"{api_health}"


@diagnostic(cause="redis-unreachable", step=3)
def test_redis_answers(redis_answer: RedisAnswer) -> None:
    """Redis answers a PING."""
    assert not redis_answer.is_gone, f"{redis_answer}"


@diagnostic(cause="redis-password-refused", step=3)
def test_redis_lets_ordinaut_in(redis_answer: RedisAnswer) -> None:
    """Redis takes the password that Ordinaut is configured with."""
    assert not redis_answer.refuses_the_password, f"{redis_answer}"


@diagnostic(cause="api-hung", step=1)
def test_the_api_answers_in_time(api_health: Health) -> None:
    """A request that was accepted is answered."""
    assert not api_health.hangs, f"{api_health}"


@diagnostic(cause="api-error", step=1)
def test_the_api_answers_without_error(api_health: Health) -> None:
    """The health check answers with status 200."""
    assert not api_health.is_error_status, f"{api_health}"


@diagnostic(cause="not-a-health-document", step=1)
def test_the_answer_is_a_health_document(api_health: Health) -> None:
    """What answers at the API's address is Ordinaut's API."""
    assert not api_health.is_no_document, f"{api_health}"


@diagnostic(cause="host-memory-exhausted", step=4)
def test_the_host_has_memory_left(host_memory: Memory, limits: SimpleNamespace) -> None:
    """The host has memory left for the api."""
    assert host_memory.available_share >= limits.memory_available, f"{host_memory}, limit {limits.memory_available}"


@diagnostic(cause="disk-full", step=4)
def test_the_disks_have_space_left(host_disks: Disks, limits: SimpleNamespace) -> None:
    """No file system of the stack is full."""
    full = host_disks.below(limits.disk_free)
    assert not full, f"{listed(full)}, limit {limits.disk_free}"


@diagnostic(cause="errors-in-log", step=2)
def test_the_api_logged_no_error(api_log: LogTail, limits: SimpleNamespace) -> None:
    """The api wrote no error of late."""
    errors = api_log.errors(limits.recent_errors)
    assert not errors, f"{len(errors)} error lines within {limits.recent_errors}, the last: {errors[-1].text}"
