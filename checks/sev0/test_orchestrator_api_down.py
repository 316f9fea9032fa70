"""OrchestratorAPIDown: the API does not answer, or reports that it or what it needs is unhealthy."""

from fixtures.api.access import ApiAccess, ApiDatabase
from fixtures.api.health import Health
from fixtures.platform.containers import ContainerLimits, Containers, Usages
from fixtures.platform.host import DiskLimits, Disks, HostMemoryLimits, Memory
from fixtures.platform.logs import LogTail, described
from fixtures.queue.redis import RedisAnswer
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import minutes
from playbook.quantities import Span, listed


class Limits(DiskLimits, HostMemoryLimits, ContainerLimits):
    """The limits of the alert."""

    recent_errors: Span = minutes(10)


ALERT = Alert(
    name="OrchestratorAPIDown",
    severity=0,
    trigger="the API's health check fails for more than {for_}",
    impact="complete service unavailability",
    for_=minutes(2),
    limits=Limits,
    expression='up{job="orchestrator-api"} == 0',
    respond_within=minutes(5),
    escalate_after=minutes(15),
    escalate_when=("several services fail", "data may be damaged"),
    labels={"service": "api"},
    explains=("api", "redis"),
)


@trigger(step=1, measures="api_access.measurement")
def test_the_api_is_healthy(api_access: ApiAccess) -> None:
    """GET /health answers 200, and reports api, database and redis as not unhealthy."""
    assert api_access.is_healthy, f"{api_access}"


@diagnostic(cause="container-missing", step=(1, 2))
def test_the_api_has_a_container(containers: Containers) -> None:
    """The project has an api container, and it was started."""
    absent = containers.missing("api") or listed(containers.not_started("api"))
    assert not absent, absent


@diagnostic(cause="port-conflict", step=2)
def test_the_api_got_its_port(containers: Containers) -> None:
    """The engine could publish the api container's port."""
    without = containers.without_port("api")
    assert not without, listed([*without, *containers.port_holders])


@diagnostic(cause="out-of-memory", step=(2, 4))
def test_the_api_was_not_oom_killed(containers: Containers) -> None:
    """The api container was not OOM-killed."""
    killed = containers.killed_for_memory("api")
    assert not killed, listed(killed)


@diagnostic(cause="configuration-error", step=2)
def test_the_api_survives_its_start(containers: Containers) -> None:
    """The api container does not exit again and again at its start."""
    failing = containers.failing_at_start("api")
    assert not failing, listed(failing)


@diagnostic(cause="container-paused", step=2)
def test_the_api_container_is_not_paused(containers: Containers) -> None:
    """The api container is not paused."""
    paused = containers.paused("api")
    assert not paused, listed(paused)


@diagnostic(cause="container-crashed", step=2)
def test_the_api_container_did_not_exit(containers: Containers) -> None:
    """The api container did not exit after its start."""
    crashed = containers.crashed("api")
    assert not crashed, listed(crashed)


@diagnostic(cause="api-not-listening", step=1)
def test_the_api_listens(api_health: Health) -> None:
    """Something accepts connections at the API's address."""
    assert not api_health.refused, f"{api_health}"


@diagnostic(cause="database-connection-lost", step=3, explained_by="OrchestratorDatabaseDown")
def test_the_api_has_its_database(api_database: ApiDatabase) -> None:
    """PostgreSQL serves, and the API does not report its database as unhealthy."""
    assert not api_database.is_lost, f"{api_database}"


@diagnostic(cause="redis-container-not-running", step=3)
def test_redis_has_a_container_that_runs(containers: Containers) -> None:
    """Every Redis container of the project runs."""
    trouble = containers.trouble("redis")
    assert not trouble, trouble


@diagnostic(cause="redis-unreachable", step=3)
def test_redis_answers(redis_answer: RedisAnswer) -> None:
    """Redis answers."""
    assert not redis_answer.is_gone, f"{redis_answer}"


@diagnostic(cause="redis-password-refused", step=3)
def test_redis_lets_ordinaut_in(redis_answer: RedisAnswer) -> None:
    """Redis accepts the password that Ordinaut is configured with."""
    assert not redis_answer.refuses_the_password, f"{redis_answer}"


@diagnostic(cause="redis-loading", step=3)
def test_redis_has_loaded_its_data(redis_answer: RedisAnswer) -> None:
    """Redis has loaded its data since its start."""
    assert not redis_answer.is_loading, f"{redis_answer}"


@diagnostic(cause="redis-cannot-persist", step=3)
def test_redis_persists_its_data(redis_answer: RedisAnswer) -> None:
    """Redis could save its data to the disk, so that it takes writes."""
    assert not redis_answer.cannot_persist, f"{redis_answer}"


@diagnostic(cause="redis-refuses-commands", step=3)
def test_redis_carries_out_commands(redis_answer: RedisAnswer) -> None:
    """Redis answers a PING without an error."""
    assert not redis_answer.refuses_commands, f"{redis_answer}"


@diagnostic(cause="redis-read-only", step=3)
def test_redis_is_no_replica(redis_answer: RedisAnswer) -> None:
    """Redis is not a read-only replica, so that it takes writes."""
    assert not redis_answer.is_read_only, f"{redis_answer}, but as a read-only replica of another server"


@diagnostic(cause="redis-without-replicas", step=3)
def test_redis_has_the_replicas_that_writes_need(redis_answer: RedisAnswer) -> None:
    """Redis has as many replicas in sync as it is configured to need for writes."""
    assert not redis_answer.lacks_replicas, f"{redis_answer}, but refuses writes: {redis_answer.replication}"


@diagnostic(cause="redis-out-of-memory", step=3)
def test_redis_takes_writes(redis_answer: RedisAnswer) -> None:
    """Redis has memory left, or may evict keys, so that writes do not fail."""
    assert not redis_answer.refuses_writes, f"{redis_answer}: {redis_answer.memory}"


@diagnostic(cause="api-hung", step=1)
def test_the_api_answers_in_time(api_health: Health) -> None:
    """The API answers within the deadline."""
    assert not api_health.hangs, f"{api_health}"


@diagnostic(cause="api-error", step=1)
def test_the_api_answers_without_error(api_health: Health) -> None:
    """The health check answers with status 200."""
    assert not api_health.is_error_status, f"{api_health}"


@diagnostic(cause="not-a-health-document", step=1)
def test_the_answer_is_a_health_document(api_health: Health) -> None:
    """Ordinaut's API answers at the API's address, not another program."""
    assert not api_health.is_no_document, f"{api_health}"


@diagnostic(cause="container-unhealthy", step=2)
def test_the_api_container_is_healthy(containers: Containers) -> None:
    """The api container's health check passes."""
    unhealthy = containers.unhealthy("api")
    assert not unhealthy, listed(unhealthy)


@diagnostic(cause="container-near-its-limit", step=4)
def test_the_api_container_has_memory_left(container_usage: Usages, limits: Limits) -> None:
    """The api container is well below its memory limit."""
    near = container_usage.near_limit(limits.container_memory, "api")
    assert not near, listed(near)


@diagnostic(cause="host-memory-exhausted", step=4)
def test_the_host_has_memory_left(host_memory: Memory, limits: Limits) -> None:
    """The host has memory left for the api."""
    assert host_memory.available_share >= limits.memory_available, f"{host_memory}, limit {limits.memory_available}"


@diagnostic(cause="disk-full", step=4)
def test_the_disks_have_space_left(host_disks: Disks, limits: Limits) -> None:
    """Every file system that the stack uses has space left."""
    full = host_disks.below(limits.disk_free)
    assert not full, f"{listed(full)}, limit {limits.disk_free}"


@diagnostic(cause="errors-in-log", step=2)
def test_the_api_logged_no_error(api_log: LogTail, limits: Limits) -> None:
    """The api logged no error recently."""
    errors = api_log.errors(limits.recent_errors)
    assert not errors, described(errors, limits.recent_errors)
