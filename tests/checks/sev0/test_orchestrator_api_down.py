from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from checks.sev0 import test_orchestrator_api_down as api
from fixtures.api.access import ApiAccess, ApiDatabase
from fixtures.api.health import Health, read_health
from fixtures.clients.http import HttpAnswer, Transport
from fixtures.clients.postgres import DatabaseState
from fixtures.clients.redis import RedisState
from fixtures.database.server import Database, ServerStatus
from fixtures.platform.containers import Container, Containers, EngineAnswer, Usage, Usages
from fixtures.platform.host import Disk, Disks, Memory
from fixtures.platform.logs import LogTail, read_log
from fixtures.queue.redis import RedisAnswer, RedisMemory, RedisReplication
from playbook.quantities import Count, Share, Size, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

GIB = 1024**3


def answered(status: int, body: str = "") -> Health:
    return read_health(HttpAnswer("http://api/health", Transport.ANSWERED, Span(0.02), status, body))


def unanswered(transport: Transport) -> Health:
    return Health(HttpAnswer("http://api/health", transport, Span(3)), None)


def document(**statuses: str) -> Health:
    """Return the health of a document in which all is healthy but for these."""
    reported = {"api": "healthy", "database": "healthy", "redis": "healthy", "workers": "healthy"} | statuses
    checks = [{"name": name, "status": status, "message": f"{name} message"} for name, status in reported.items()]
    return answered(200, json.dumps({"status": "healthy", "checks": checks}))


def written(timestamp: str) -> Health:
    """Return the health of a document with this timestamp, read at noon in UTC."""
    checks = [{"name": name, "status": "healthy"} for name in ("api", "database", "redis")]
    body = json.dumps({"timestamp": timestamp, "checks": checks})
    answer = HttpAnswer("http://api/health", Transport.ANSWERED, Span(0.02), 200, body)
    return read_health(answer, datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC))


STALE = written("2025-03-04T12:00:00Z")
ENCODED = read_health(HttpAnswer("http://api/health", Transport.ANSWERED, Span(0.02), 200, encoding="gzip"))
REDIRECTED = read_health(
    HttpAnswer("http://api/health", Transport.ANSWERED, Span(0.02), 301, sends_to="https://api/health")
)


def without_engine(health: Health) -> ApiAccess:
    return ApiAccess(health, EngineAnswer(None, absent="this target has no Docker engine"))


def serving(*, in_recovery: bool = False) -> Database:
    at = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
    status = ServerStatus(at, at, "16.4", in_recovery, Count(12), Count(97), (), Count(0), Size(GIB))
    return Database(DatabaseState.SERVES, "db:5432/orchestrator", status)


def not_serving(state: DatabaseState) -> Database:
    return Database(state, "db:5432/orchestrator")


def redis(state: RedisState, detail: str = "") -> RedisAnswer:
    return RedisAnswer(state, "redis:6379", detail)


def replicated(**replication: Any) -> RedisAnswer:
    return RedisAnswer(RedisState.SERVES, "redis:6379", replication=RedisReplication(**replication))


REDIS_STATES = {
    api.test_redis_has_loaded_its_data: RedisState.LOADING,
    api.test_redis_persists_its_data: RedisState.CANNOT_PERSIST,
    api.test_redis_carries_out_commands: RedisState.REFUSES_COMMANDS,
}


def redis_using(used: int, limit: int | None, policy: str) -> RedisAnswer:
    memory = RedisMemory(Size(used), None if limit is None else Size(limit), policy)
    return RedisAnswer(RedisState.SERVES, "redis:6379", "", memory)


def container(service: str, status: str = "running", **more: Any) -> Container:
    exit_code = 137 if status in ("exited", "restarting") else 0
    return Container(f"ordinaut-{service}-1", service, status, exit_code, **more)


def containers(*found: Container, **more: Any) -> Containers:
    return Containers("ordinaut", found, **more)


NO_CONTAINER = containers(container("postgres"))
OUTSIDE = containers(container("postgres"), elsewhere=frozenset({"api", "redis"}))


def usage(service: str, share: float) -> Usages:
    return Usages((Usage(f"ordinaut-{service}-1", service, Size(share * GIB), Size(GIB)),))


def log(*lines: str) -> LogTail:
    return read_log("api", "\n".join(lines), datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC), ZoneInfo("UTC"))


CASES = [
    # The trigger
    healthy(api.test_the_api_is_healthy, api_access=without_engine(document())),
    healthy(api.test_the_api_is_healthy, api_access=without_engine(document(workers="unhealthy", redis="degraded"))),
    healthy(
        api.test_the_api_is_healthy,  # it answers, whatever the engine says
        api_access=ApiAccess(document(), EngineAnswer(containers(container("api", "paused")))),
    ),
    healthy(
        api.test_the_api_is_healthy,
        api_access=ApiAccess(document(), EngineAnswer(None, trouble="the Docker engine did not answer in time")),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "http://api/health refused the connection after 3 s",
        api_access=without_engine(unanswered(Transport.REFUSED)),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "http://api/health cannot be reached",
        api_access=without_engine(unanswered(Transport.UNREACHABLE)),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "http://api/health did not answer in time after 3 s",
        api_access=without_engine(unanswered(Transport.TIMED_OUT)),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "http://api/health broke the connection off",
        api_access=without_engine(unanswered(Transport.BROKE_OFF)),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "answered 500 after 20 ms",
        api_access=without_engine(answered(500, "Internal Server Error")),
    ),
    faulty(api.test_the_api_is_healthy, "answered 503", api_access=without_engine(answered(503, "{}"))),
    faulty(
        api.test_the_api_is_healthy,
        "answered 200, but not with a health document: not JSON: it begins with '<html>'",
        api_access=without_engine(answered(200, "<html>")),
    ),
    faulty(api.test_the_api_is_healthy, "the body is empty", api_access=without_engine(answered(200, " "))),
    faulty(
        api.test_the_api_is_healthy,
        "JSON without the list `checks`",
        api_access=without_engine(answered(200, '{"status": "healthy"}')),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "JSON without the list `checks`",
        api_access=without_engine(answered(200, '"healthy"')),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "no entry for api, database, redis",
        api_access=without_engine(answered(200, '{"checks": []}')),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "unexpected status: redis is fine (redis message)",
        api_access=without_engine(document(redis="fine")),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "http://api/health answered 200, but reports: database is unhealthy (database message)",
        api_access=without_engine(document(database="unhealthy")),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "reports: redis is unhealthy (redis message)",
        api_access=without_engine(document(redis="unhealthy")),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "reports: api is unhealthy (api message)",
        api_access=without_engine(document(api="unhealthy")),
    ),
    faulty(
        api.test_the_api_is_healthy,  # no address is known: its container decides
        "ordinaut-api-1 is exited with exit code 137",
        api_access=ApiAccess(unanswered(Transport.NOT_ASKED), EngineAnswer(containers(container("api", "exited")))),
    ),
    faulty(
        api.test_the_api_is_healthy,
        "project ordinaut has no container of the service api",
        api_access=ApiAccess(unanswered(Transport.NOT_ASKED), EngineAnswer(NO_CONTAINER)),
    ),
    unobserved(api.test_the_api_is_healthy),
    unobserved(
        api.test_the_api_is_healthy,
        "the API answered 429: its rate limit is used up",
        api_access=without_engine(answered(429)),
    ),
    *(
        unobserved(
            api.test_the_api_is_healthy,
            f"the suite may not ask the API: http://api/health answered {status}",
            api_access=without_engine(answered(status)),
        )
        for status in (301, 302, 307, 400, 401, 403, 407, 421)
    ),
    *(
        unobserved(api.test_the_api_is_healthy, says, api_access=without_engine(seen))
        for says, seen in (
            ("answered 301 after 20 ms, a redirect to https://api/health", REDIRECTED),
            ("made no TLS connection that is trusted here after 3 s", unanswered(Transport.UNTRUSTED)),
            ("answered 200 after 20 ms, encoded as gzip, which was not asked for", ENCODED),
            ("its document is 365 d old by its timestamp: a cache answers, or a clock is wrong", STALE),
            ("its document lies 1 h ahead by its timestamp", written("2026-03-04T13:00:00Z")),
            ("its document is 1 d old by its timestamp", written("2026-03-03T12:00:00")),
        )
    ),
    faulty(
        api.test_the_api_is_healthy,  # where the way to it is barred its container decides
        "ordinaut-api-1 is exited with exit code 137",
        api_access=ApiAccess(answered(401), EngineAnswer(containers(container("api", "exited")))),
    ),
    healthy(api.test_the_api_is_healthy, api_access=without_engine(written("2026-03-04T12:04:59Z"))),
    healthy(api.test_the_api_is_healthy, api_access=without_engine(written("2026-03-04T02:00:00"))),  # some zone's noon
    healthy(api.test_the_api_is_healthy, api_access=without_engine(written("not at all"))),
    faulty(
        api.test_the_api_is_healthy,  # the status says enough
        "answered 500",
        api_access=without_engine(
            read_health(HttpAnswer("http://api/health", Transport.ANSWERED, Span(0.02), 500, encoding="gzip"))
        ),
    ),
    unobserved(
        api.test_the_api_is_healthy,
        "was not asked: its address is not known",
        api_access=without_engine(unanswered(Transport.NOT_ASKED)),
    ),
    unobserved(
        api.test_the_api_is_healthy,  # that its container runs does not show that it is healthy
        "was not asked: its address is not known",
        api_access=ApiAccess(unanswered(Transport.NOT_ASKED), EngineAnswer(containers(container("api")))),
    ),
    unobserved(
        api.test_the_api_is_healthy,
        "was not asked: its address is not known",
        api_access=ApiAccess(unanswered(Transport.NOT_ASKED), EngineAnswer(OUTSIDE)),
    ),
    unobserved(
        api.test_the_api_is_healthy,
        "was not asked: its address is not known",
        api_access=ApiAccess(
            unanswered(Transport.NOT_ASKED), EngineAnswer(None, trouble="the Docker engine did not answer in time")
        ),
    ),
    # What its container shows
    healthy(api.test_the_api_has_a_container, containers=containers(container("api", "exited"))),
    faulty(
        api.test_the_api_has_a_container,
        "project ordinaut has no container of the service api",
        containers=NO_CONTAINER,
    ),
    faulty(
        api.test_the_api_has_a_container,
        "project ordinaut has no container of the service api",
        containers=containers(),
    ),
    faulty(
        api.test_the_api_has_a_container,
        "ordinaut-api-1 is created",
        containers=containers(container("api", "created")),
    ),
    unobserved(api.test_the_api_has_a_container),
    unobserved(api.test_the_api_has_a_container, "api runs outside of project ordinaut", containers=OUTSIDE),
    healthy(api.test_the_api_got_its_port, containers=containers(container("api", "created"))),
    faulty(
        api.test_the_api_got_its_port,
        "ordinaut-api-1 is created (Bind for 0.0.0.0:8080 failed: port is already allocated), "
        "port 8080 is held by the container other",
        containers=containers(
            container("api", "created", error="Bind for 0.0.0.0:8080 failed: port is already allocated"),
            port_holders=("port 8080 is held by the container other",),
        ),
    ),
    faulty(
        api.test_the_api_got_its_port,  # by now nothing holds it any more
        "ordinaut-api-1 is created (listen tcp 0.0.0.0:8080: bind: address already in use)",
        containers=containers(
            container("api", "created", error="listen tcp 0.0.0.0:8080: bind: address already in use")
        ),
    ),
    unobserved(api.test_the_api_got_its_port),
    unobserved(api.test_the_api_got_its_port, "no container of the service api", containers=NO_CONTAINER),
    unobserved(api.test_the_api_got_its_port, "api runs outside of project ordinaut", containers=OUTSIDE),
    healthy(
        api.test_the_api_was_not_oom_killed,
        containers=containers(container("api", "exited"), container("redis", "exited", oom_killed=True)),
    ),
    healthy(
        api.test_the_api_was_not_oom_killed,  # a child of it was, at some time
        containers=containers(container("api", oom_killed=True)),
    ),
    faulty(
        api.test_the_api_was_not_oom_killed,
        "ordinaut-api-1 is exited with exit code 137, OOM-killed",
        containers=containers(container("api", "exited", oom_killed=True)),
    ),
    unobserved(api.test_the_api_was_not_oom_killed),
    unobserved(api.test_the_api_was_not_oom_killed, "no container of the service api", containers=NO_CONTAINER),
    unobserved(api.test_the_api_was_not_oom_killed, "api runs outside of project ordinaut", containers=OUTSIDE),
    healthy(api.test_the_api_survives_its_start, containers=containers(container("api", "exited"))),
    healthy(
        api.test_the_api_survives_its_start,
        containers=containers(container("api", restarts=Count(7), ran_for=Span(3600))),
    ),
    healthy(
        api.test_the_api_survives_its_start, containers=containers(container("api", restarts=Count(1), ran_for=Span(1)))
    ),
    faulty(
        api.test_the_api_survives_its_start,
        "ordinaut-api-1 is restarting with exit code 137, restarted 7 times",
        containers=containers(container("api", "restarting", restarts=Count(7), ran_for=Span(1))),
    ),
    faulty(
        api.test_the_api_survives_its_start,
        "ordinaut-api-1 is exited with exit code 137, restarted 1 time",
        containers=containers(container("api", "exited", restarts=Count(1), ran_for=Span(1))),
    ),
    faulty(
        api.test_the_api_survives_its_start,  # seen between two ends
        "ordinaut-api-1 is running, restarted 7 times",
        containers=containers(container("api", restarts=Count(7), ran_for=Span(1))),
    ),
    unobserved(api.test_the_api_survives_its_start),
    unobserved(api.test_the_api_survives_its_start, "no container of the service api", containers=NO_CONTAINER),
    unobserved(api.test_the_api_survives_its_start, "api runs outside of project ordinaut", containers=OUTSIDE),
    healthy(
        api.test_the_api_container_is_not_paused,
        containers=containers(container("api"), container("redis", "paused")),
    ),
    faulty(
        api.test_the_api_container_is_not_paused,
        "ordinaut-api-1 is paused",
        containers=containers(container("api", "paused")),
    ),
    unobserved(api.test_the_api_container_is_not_paused),
    unobserved(api.test_the_api_container_is_not_paused, "no container of the service api", containers=NO_CONTAINER),
    unobserved(api.test_the_api_container_is_not_paused, "api runs outside of project ordinaut", containers=OUTSIDE),
    healthy(
        api.test_the_api_container_did_not_exit,
        containers=containers(container("api"), container("redis", "exited")),
    ),
    healthy(
        api.test_the_api_container_did_not_exit,  # that is another cause
        containers=containers(container("api", "exited", oom_killed=True)),
    ),
    healthy(
        api.test_the_api_container_did_not_exit,  # and so is this
        containers=containers(container("api", "restarting", restarts=Count(7), ran_for=Span(1))),
    ),
    faulty(
        api.test_the_api_container_did_not_exit,
        "ordinaut-api-1 is exited with exit code 137",
        containers=containers(container("api", "exited")),
    ),
    unobserved(api.test_the_api_container_did_not_exit),
    unobserved(api.test_the_api_container_did_not_exit, "no container of the service api", containers=NO_CONTAINER),
    unobserved(api.test_the_api_container_did_not_exit, "api runs outside of project ordinaut", containers=OUTSIDE),
    healthy(api.test_the_api_container_is_healthy, containers=containers(container("api", health="healthy"))),
    faulty(
        api.test_the_api_container_is_healthy,
        "ordinaut-api-1 is running, unhealthy by its own health check",
        containers=containers(container("api", health="unhealthy")),
    ),
    unobserved(api.test_the_api_container_is_healthy),
    unobserved(
        api.test_the_api_container_is_healthy,
        "the containers of api have no health check",
        containers=containers(container("api")),
    ),
    unobserved(
        api.test_the_api_container_is_healthy,  # the engine keeps the last result of one that has ended
        "no container of api runs",
        containers=containers(container("api", "exited", health="unhealthy")),
    ),
    unobserved(api.test_the_api_container_is_healthy, "no container of the service api", containers=NO_CONTAINER),
    healthy(api.test_the_api_container_has_memory_left, container_usage=usage("api", 0.9)),
    faulty(
        api.test_the_api_container_has_memory_left,
        "ordinaut-api-1 uses 972.8 MiB of 1.0 GiB (95 %)",
        container_usage=usage("api", 0.95),
    ),
    unobserved(api.test_the_api_container_has_memory_left),
    unobserved(
        api.test_the_api_container_has_memory_left, "no container of api runs", container_usage=usage("worker", 0.95)
    ),
    unobserved(api.test_the_api_container_has_memory_left, "no container of api runs", container_usage=Usages(())),
    # What its answer shows
    healthy(api.test_the_api_listens, api_health=document()),
    healthy(api.test_the_api_listens, api_health=answered(429)),
    healthy(api.test_the_api_listens, api_health=answered(401)),
    healthy(api.test_the_api_listens, api_health=unanswered(Transport.BROKE_OFF)),
    faulty(
        api.test_the_api_listens,
        "http://api/health refused the connection",
        api_health=unanswered(Transport.REFUSED),
    ),
    faulty(
        api.test_the_api_listens, "http://api/health cannot be reached", api_health=unanswered(Transport.UNREACHABLE)
    ),
    unobserved(api.test_the_api_listens),
    unobserved(api.test_the_api_listens, "did not answer in time", api_health=unanswered(Transport.TIMED_OUT)),
    unobserved(api.test_the_api_listens, "its address is not known", api_health=unanswered(Transport.NOT_ASKED)),
    healthy(api.test_the_api_answers_in_time, api_health=document(database="unhealthy")),
    healthy(api.test_the_api_answers_in_time, api_health=answered(500)),
    healthy(api.test_the_api_answers_in_time, api_health=answered(429)),
    faulty(
        api.test_the_api_answers_in_time,
        "http://api/health did not answer in time after 3 s",
        api_health=unanswered(Transport.TIMED_OUT),
    ),
    faulty(
        api.test_the_api_answers_in_time,
        "http://api/health broke the connection off after 3 s",
        api_health=unanswered(Transport.BROKE_OFF),
    ),
    unobserved(api.test_the_api_answers_in_time),
    unobserved(api.test_the_api_answers_in_time, "refused the connection", api_health=unanswered(Transport.REFUSED)),
    unobserved(api.test_the_api_answers_in_time, "cannot be reached", api_health=unanswered(Transport.UNREACHABLE)),
    unobserved(
        api.test_the_api_answers_in_time, "its address is not known", api_health=unanswered(Transport.NOT_ASKED)
    ),
    healthy(api.test_the_api_answers_without_error, api_health=document(redis="unhealthy")),
    healthy(api.test_the_api_answers_without_error, api_health=answered(200, "<html>")),
    faulty(
        api.test_the_api_answers_without_error,
        "http://api/health answered 500 after 20 ms",
        api_health=answered(500),
    ),
    unobserved(api.test_the_api_answers_without_error),
    unobserved(api.test_the_api_answers_without_error, "the API answered 429", api_health=answered(429)),
    unobserved(api.test_the_api_answers_without_error, "the suite may not ask the API", api_health=answered(403)),
    unobserved(
        api.test_the_api_answers_without_error, "did not answer in time", api_health=unanswered(Transport.TIMED_OUT)
    ),
    unobserved(
        api.test_the_api_answers_without_error, "refused the connection", api_health=unanswered(Transport.REFUSED)
    ),
    healthy(api.test_the_answer_is_a_health_document, api_health=document(api="unhealthy")),
    faulty(
        api.test_the_answer_is_a_health_document,
        "http://api/health answered 200, but not with a health document: not JSON: it begins with '<html>'",
        api_health=answered(200, "<html>"),
    ),
    unobserved(api.test_the_answer_is_a_health_document),
    unobserved(api.test_the_answer_is_a_health_document, "answered 500", api_health=answered(500, "<html>")),
    unobserved(api.test_the_answer_is_a_health_document, "the API answered 429", api_health=answered(429)),
    unobserved(
        api.test_the_answer_is_a_health_document, "refused the connection", api_health=unanswered(Transport.REFUSED)
    ),
    unobserved(
        api.test_the_answer_is_a_health_document, "did not answer in time", api_health=unanswered(Transport.TIMED_OUT)
    ),
    # What it needs: PostgreSQL
    healthy(api.test_the_api_has_its_database, api_database=ApiDatabase(serving(), document())),
    healthy(api.test_the_api_has_its_database, api_database=ApiDatabase(serving(), document(redis="unhealthy"))),
    faulty(
        api.test_the_api_has_its_database,
        "PostgreSQL at db:5432/orchestrator refused the connection: no server listens",
        api_database=ApiDatabase(not_serving(DatabaseState.REFUSED), document()),
    ),
    faulty(
        api.test_the_api_has_its_database,  # the API hangs because of it
        "PostgreSQL at db:5432/orchestrator did not answer in time",
        api_database=ApiDatabase(not_serving(DatabaseState.TIMED_OUT), unanswered(Transport.TIMED_OUT)),
    ),
    faulty(
        api.test_the_api_has_its_database,
        "reports: database is unhealthy (database message)",
        api_database=ApiDatabase(serving(), document(database="unhealthy")),
    ),
    *(
        faulty(
            api.test_the_api_has_its_database,  # what the API reports counts although the suite saw nothing
            "reports: database is unhealthy (database message)",
            api_database=ApiDatabase(not_serving(state), document(database="unhealthy")),
        )
        for state in (DatabaseState.NOT_ASKED, DatabaseState.PASSWORD_REFUSED)
    ),
    unobserved(api.test_the_api_has_its_database),
    unobserved(
        api.test_the_api_has_its_database,
        "http://api/health refused the connection",
        api_database=ApiDatabase(serving(), unanswered(Transport.REFUSED)),
    ),
    unobserved(
        api.test_the_api_has_its_database,
        "not with a health document",
        api_database=ApiDatabase(serving(), answered(200, "<html>")),
    ),
    healthy(  # the API's report decides
        api.test_the_api_has_its_database,
        api_database=ApiDatabase(not_serving(DatabaseState.NOT_ASKED), document()),
    ),
    healthy(
        api.test_the_api_has_its_database,
        api_database=ApiDatabase(not_serving(DatabaseState.PASSWORD_REFUSED), document()),
    ),
    unobserved(
        api.test_the_api_has_its_database,
        "a server in recovery (a standby)",
        api_database=ApiDatabase(serving(in_recovery=True), document()),
    ),
    # What it needs: Redis
    healthy(
        api.test_redis_has_a_container_that_runs, containers=containers(container("redis"), container("api", "paused"))
    ),
    faulty(
        api.test_redis_has_a_container_that_runs,
        "project ordinaut has no container of the service redis",
        containers=containers(container("api")),
    ),
    faulty(
        api.test_redis_has_a_container_that_runs,
        "ordinaut-redis-1 is paused",
        containers=containers(container("redis", "paused")),
    ),
    unobserved(api.test_redis_has_a_container_that_runs),
    unobserved(api.test_redis_has_a_container_that_runs, "redis runs outside of project ordinaut", containers=OUTSIDE),
    healthy(api.test_redis_answers, redis_answer=redis_using(1024, None, "noeviction")),
    healthy(api.test_redis_answers, redis_answer=redis(RedisState.REFUSES_PASSWORD)),
    faulty(api.test_redis_answers, "redis at redis:6379 cannot be reached", redis_answer=redis(RedisState.UNREACHABLE)),
    faulty(
        api.test_redis_answers, "redis at redis:6379 did not answer in time", redis_answer=redis(RedisState.TIMED_OUT)
    ),
    unobserved(api.test_redis_answers),
    unobserved(
        api.test_redis_answers,
        "redis at redis:6379 made no TLS connection that is trusted here",
        redis_answer=redis(RedisState.UNTRUSTED),
    ),
    healthy(api.test_redis_lets_ordinaut_in, redis_answer=redis_using(1024, None, "noeviction")),
    faulty(
        api.test_redis_lets_ordinaut_in,
        "redis at redis:6379 refuses the password",
        redis_answer=redis(RedisState.REFUSES_PASSWORD),
    ),
    unobserved(api.test_redis_lets_ordinaut_in),
    unobserved(
        api.test_redis_lets_ordinaut_in,
        "redis at redis:6379 cannot be reached",
        redis_answer=redis(RedisState.UNREACHABLE),
    ),
    unobserved(
        api.test_redis_lets_ordinaut_in, "redis:6379 did not answer in time", redis_answer=redis(RedisState.TIMED_OUT)
    ),
    healthy(api.test_redis_lets_ordinaut_in, redis_answer=redis(RedisState.LOADING)),
    unobserved(
        api.test_redis_lets_ordinaut_in,
        "redis at redis:6379 refuses commands (DENIED protected mode)",
        redis_answer=RedisAnswer(RedisState.REFUSES_COMMANDS, "redis:6379", "DENIED protected mode"),
    ),
    healthy(api.test_redis_takes_writes, redis_answer=redis_using(GIB - 1, GIB, "noeviction")),
    healthy(api.test_redis_takes_writes, redis_answer=redis_using(GIB, GIB, "allkeys-lru")),
    healthy(api.test_redis_takes_writes, redis_answer=redis_using(GIB, None, "noeviction")),
    faulty(
        api.test_redis_takes_writes,
        "redis at redis:6379 answers: 1.0 GiB of 1.0 GiB used, eviction noeviction",
        redis_answer=redis_using(GIB, GIB, "noeviction"),
    ),
    unobserved(api.test_redis_takes_writes),
    *(
        unobserved(
            api.test_redis_takes_writes,
            f"redis at redis:6379 {state.value}",
            redis_answer=RedisAnswer(state, "redis:6379"),
        )
        for state in RedisState
        if state is not RedisState.SERVES
    ),
    *(
        case
        for check, state in REDIS_STATES.items()
        for case in (
            healthy(check, redis_answer=redis(RedisState.SERVES)),
            faulty(check, f"redis at redis:6379 {state.value} (why)", redis_answer=redis(state, "why")),
            unobserved(check),
            *(
                unobserved(check, f"redis at redis:6379 {other.value}", redis_answer=redis(other))
                for other in RedisState
                if other not in (RedisState.SERVES, state)
            ),
        )
    ),
    healthy(api.test_redis_is_no_replica, redis_answer=replicated(is_read_only=False)),
    faulty(
        api.test_redis_is_no_replica,
        "redis at redis:6379 answers, but as a read-only replica of another server",
        redis_answer=replicated(is_read_only=True),
    ),
    healthy(api.test_redis_has_the_replicas_that_writes_need, redis_answer=replicated(is_read_only=False)),
    healthy(
        api.test_redis_has_the_replicas_that_writes_need,
        redis_answer=replicated(is_read_only=False, good=Count(2), needed=Count(2)),
    ),
    faulty(
        api.test_redis_has_the_replicas_that_writes_need,
        "redis at redis:6379 answers, but refuses writes: 1 of the 2 replicas that they need are in sync",
        redis_answer=replicated(is_read_only=False, good=Count(1), needed=Count(2)),
    ),
    unobserved(
        api.test_redis_has_the_replicas_that_writes_need,
        "does not show how many replicas its writes need",
        redis_answer=replicated(is_read_only=False, good=Count(1)),
    ),
    *(
        case
        for check in (api.test_redis_is_no_replica, api.test_redis_has_the_replicas_that_writes_need)
        for case in (
            unobserved(check),
            *(
                unobserved(check, f"redis at redis:6379 {state.value}", redis_answer=redis(state))
                for state in RedisState
            ),
        )
    ),
    # What the host and the log show
    healthy(api.test_the_host_has_memory_left, host_memory=Memory(Size(16 * GIB), Size(4 * GIB))),
    faulty(
        api.test_the_host_has_memory_left,
        "512.0 MiB of 16.0 GiB memory available (3.1 %), limit 5 %",
        host_memory=Memory(Size(16 * GIB), Size(GIB // 2)),
    ),
    unobserved(api.test_the_host_has_memory_left),
    healthy(
        api.test_the_disks_have_space_left,
        host_disks=Disks((Disk("/", Size(5 * GIB), Size(95 * GIB), Share(0.01)),)),
    ),
    faulty(
        api.test_the_disks_have_space_left,
        "/var/lib/docker 2 % free (2.0 GiB), limit 5 %",
        host_disks=Disks(
            (Disk("/", Size(50 * GIB), Size(50 * GIB)), Disk("/var/lib/docker", Size(2 * GIB), Size(98 * GIB)))
        ),
    ),
    unobserved(api.test_the_disks_have_space_left),
    healthy(
        api.test_the_api_logged_no_error,
        api_log=log("2026-03-04 11:00:00 ERROR an hour ago", "2026-03-04 11:59:58 INFO all is well"),
    ),
    faulty(
        api.test_the_api_logged_no_error,
        "1 error line within 10 min, the last: 2026-03-04 11:59:59 ERROR connection lost",
        api_log=log("2026-03-04 11:00:00 ERROR an hour ago", "2026-03-04 11:59:59 ERROR connection lost"),
    ),
    faulty(
        api.test_the_api_logged_no_error,
        "2 error lines within 10 min, the last: 2026-03-04 11:59:59 FATAL gone",
        api_log=log("2026-03-04 11:59:58 ERROR connection lost", "2026-03-04 11:59:59 FATAL gone"),
    ),
    unobserved(api.test_the_api_logged_no_error),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
