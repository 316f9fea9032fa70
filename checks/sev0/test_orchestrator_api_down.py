"""OrchestratorAPIDown: nothing can be asked of Ordinaut, or what it needs to answer is gone."""

from types import SimpleNamespace

from fixtures.api.access import ApiAccess
from fixtures.clients.http import Health
from fixtures.clients.postgres import Database
from fixtures.clients.redis import RedisAnswer
from fixtures.platform.containers import Containers, Usages
from fixtures.platform.host import Disks, Memory
from fixtures.platform.logs import LogTail
from playbook.alert import Alert, diagnostic, minutes, percent, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="OrchestratorAPIDown",
    severity=0,
    trigger="the health check of the API fails for more than 2 minutes",
    impact="complete service unavailability",
    lasts=minutes(2),
    limits={
        "recent_errors": minutes(10),
        "disk_free": percent(5),
        "memory_available": percent(5),
        "container_memory": percent(90),
    },
    expression='up{job="orchestrator-api"} == 0',
    respond_within=minutes(5),
    escalate_after=minutes(15),
    escalate_when=("several services fail", "the integrity of data is in doubt"),
    labels={"service": "api"},
    explains="api",
)


@trigger(step=1, measures="api_access.measurement")
def test_the_api_is_healthy(api_access: ApiAccess) -> None:
    """GET /health answers 200 with a health document in which api, database and redis are not unhealthy."""
    assert api_access.is_healthy, f"{api_access}"


@diagnostic(cause="container-missing", step=(1, 2))
def test_the_api_has_a_container(containers: Containers) -> None:
    """The project has a container of the api, and it was started."""
    absent = containers.missing("api") or listed(containers.not_started("api"))
    assert not absent, absent


@diagnostic(cause="port-conflict", step=2)
def test_the_api_got_its_port(containers: Containers) -> None:
    """The engine could publish the port of the api's container."""
    without = containers.without_port("api")
    assert not without, f"{listed(without)}; {listed(containers.port_holders)}"


@diagnostic(cause="out-of-memory", step=(2, 4))
def test_the_api_was_not_killed_for_want_of_memory(containers: Containers) -> None:
    """The kernel did not kill the api's container to get memory back."""
    killed = containers.killed_for_memory("api")
    assert not killed, listed(killed)


@diagnostic(cause="configuration-error", step=2)
def test_the_api_survives_its_start(containers: Containers) -> None:
    """The api's container does not end, again and again, as soon as it is started."""
    failing = containers.failing_at_start("api")
    assert not failing, listed(failing)


@diagnostic(cause="container-paused", step=2)
def test_the_api_container_is_not_paused(containers: Containers) -> None:
    """The processes of the api's container are not frozen."""
    paused = containers.paused("api")
    assert not paused, listed(paused)


@diagnostic(cause="container-crashed", step=2)
def test_the_api_container_has_not_ended(containers: Containers) -> None:
    """The api's container, once at work, did not end."""
    crashed = containers.crashed("api")
    assert not crashed, listed(crashed)


@diagnostic(cause="api-not-listening", step=1)
def test_the_api_listens(api_health: Health) -> None:
    """Something accepts connections at the API's address."""
    assert not api_health.refused, f"{api_health}"


@diagnostic(cause="database-connection-lost", step=3, explained_by="OrchestratorDatabaseDown")
def test_the_api_has_its_database(api_health: Health, database: Database) -> None:
    """PostgreSQL serves, and the API does not say otherwise."""
    assert not database.is_down, f"{database}"
    assert not api_health.says_unhealthy("database"), f"{api_health}"


@diagnostic(cause="redis-container-not-running", step=3)
def test_redis_has_a_container_that_runs(containers: Containers) -> None:
    """The container of Redis is there and runs; where it does not, no address of Redis may be known."""
    trouble = containers.trouble("redis")
    assert not trouble, trouble


@diagnostic(cause="redis-unreachable", step=3)
def test_redis_answers(redis_answer: RedisAnswer) -> None:
    """Redis answers a PING."""
    assert not redis_answer.is_gone, f"{redis_answer}"


@diagnostic(cause="redis-password-refused", step=3)
def test_redis_lets_ordinaut_in(redis_answer: RedisAnswer) -> None:
    """Redis takes the password that Ordinaut is configured with."""
    assert not redis_answer.refuses_the_password, f"{redis_answer}"


@diagnostic(cause="redis-out-of-memory", step=3)
def test_redis_takes_writes(redis_answer: RedisAnswer) -> None:
    """Redis has memory left, or may evict: its writes do not fail."""
    assert not redis_answer.refuses_writes, f"{redis_answer}: {redis_answer.memory}"


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


@diagnostic(cause="container-unhealthy", step=2)
def test_the_api_container_is_healthy(containers: Containers) -> None:
    """The own health check of the api's container does not fail."""
    unhealthy = containers.unhealthy("api")
    assert not unhealthy, listed(unhealthy)


@diagnostic(cause="container-near-its-limit", step=4)
def test_the_api_container_has_memory_left(container_usage: Usages, limits: SimpleNamespace) -> None:
    """The api's container uses less than most of its memory limit."""
    near = container_usage.near_limit(limits.container_memory, "api")
    assert not near, listed(near)


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
