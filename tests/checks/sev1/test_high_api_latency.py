from __future__ import annotations

import json
from datetime import UTC, datetime

from checks.sev1 import test_high_api_latency as latency
from fixtures.api.access import ApiAccess, DatabaseAccess
from fixtures.api.health import Health, read_health
from fixtures.api.latency import CountedLatency, Latency, LatencySample, Liveness, Percentile
from fixtures.clients.http import HttpAnswer, Transport
from fixtures.clients.postgres import DatabaseState
from fixtures.database.server import Database, ServerStatus
from fixtures.database.sessions import Activity, Session
from fixtures.database.statistics import Statements, StatementStatistics
from fixtures.platform.containers import EngineAnswer, Usage, Usages
from fixtures.platform.host import Memory
from playbook.quantities import Count, Size, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

GIB = 1024**3
WITHOUT_ENGINE = EngineAnswer(None, absent="this target has no Docker engine")


def answered(took: float, status: int = 200, body: str = "") -> HttpAnswer:
    return HttpAnswer("http://api/health", Transport.ANSWERED, Span(took), status, body)


def unanswered(transport: Transport, took: float = 3) -> HttpAnswer:
    return HttpAnswer("http://api/health", transport, Span(took))


def sampled(*answers: HttpAnswer) -> Latency:
    """Return the latency of a target without Prometheus."""
    return Latency(LatencySample(answers), CountedLatency(None))


def counted(requests: int, at_least: float = 0, at_most: float | None = None, *sample: HttpAnswer) -> Latency:
    """Return the latency by Prometheus, and by the sample that decides where those figures do not."""
    percentile = Percentile("Prometheus, 5 min", requests, Span(at_least), None if at_most is None else Span(at_most))
    return Latency(LatencySample(sample), CountedLatency(percentile))


def document(**statuses: str) -> Health:
    """Return the health of a document in which all is healthy but for these."""
    reported = {"api": "healthy", "database": "healthy", "redis": "healthy"} | statuses
    checks = [{"name": name, "status": status, "message": f"{name} message"} for name, status in reported.items()]
    return read_health(answered(0.02, 200, json.dumps({"checks": checks})))


def serving() -> Database:
    at = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
    status = ServerStatus(at, at, "16.4", False, Count(12), Count(97), (), Count(0), Size(GIB))
    return Database(DatabaseState.SERVES, "db:5432/orchestrator", status)


def session(pid: int, age: float, state: str = "active", application: str = "") -> Session:
    return Session(pid, "orchestrator", application, state, Span(age), Span(age), Span(age), (), f"SELECT {pid}")


def sessions(*found: Session) -> Activity:
    return Activity(found, ("pg_dump", "vacuumdb"), Count(12), Count(97))


def averages(*means: float) -> Statements:
    rows = [StatementStatistics(Count(40), Span(mean), Span(3 * mean), "SELECT * FROM task_run") for mean in means]
    return Statements(tuple(rows), "2026-03-01 00:00:00+00")


def usage(service: str, share: float) -> Usages:
    return Usages((Usage(f"ordinaut-{service}-1", service, Size(share * GIB), Size(GIB)),))


CASES = [
    # The trigger, by a sample
    healthy(latency.test_the_api_answers_fast_enough, latency=sampled(*[answered(0.02)] * 10)),
    healthy(
        latency.test_the_api_answers_fast_enough,  # one slow answer may be chance
        latency=sampled(*[answered(0.02)] * 9, answered(9)),
    ),
    healthy(
        latency.test_the_api_answers_fast_enough,
        latency=sampled(answered(0.02), unanswered(Transport.TIMED_OUT)),
    ),
    healthy(
        latency.test_the_api_answers_fast_enough,  # a Prometheus that does not answer does not decide
        latency=Latency(
            LatencySample((answered(0.02), answered(0.02))), CountedLatency(None, "Prometheus did not answer in time")
        ),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 2.1 s (a sample of 10 requests) (limit 2 s)",
        latency=sampled(*[answered(0.02)] * 8, answered(2.1), answered(2.3)),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 2.4 s (a sample of 1 request) (limit 2 s)",
        latency=sampled(answered(2.4)),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 3 s or more (a sample of 3 requests) (limit 2 s)",
        latency=sampled(answered(0.1), unanswered(Transport.TIMED_OUT), unanswered(Transport.TIMED_OUT)),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 2.4 s (a sample of 1 request); Prometheus did not answer in time (limit 2 s)",
        latency=Latency(LatencySample((answered(2.4),)), CountedLatency(None, "Prometheus did not answer in time")),
    ),
    unobserved(latency.test_the_api_answers_fast_enough),
    unobserved(
        latency.test_the_api_answers_fast_enough,
        "no request of the sample was answered: none in time",
        latency=sampled(),
    ),
    *(
        unobserved(
            latency.test_the_api_answers_fast_enough,
            f"no request of the sample was answered: http://api/health {transport.value}",
            latency=sampled(unanswered(transport)),
        )
        for transport in (Transport.REFUSED, Transport.UNREACHABLE, Transport.TIMED_OUT, Transport.BROKE_OFF)
    ),
    unobserved(
        latency.test_the_api_answers_fast_enough,
        "its address is not known",
        latency=sampled(unanswered(Transport.NOT_ASKED)),
    ),
    unobserved(
        latency.test_the_api_answers_fast_enough,
        "the API answered 429: its rate limit is used up, so its latency could not be measured",
        latency=sampled(answered(0.02), answered(0.01, 429)),
    ),
    unobserved(
        latency.test_the_api_answers_fast_enough,
        "the API answered 429",
        latency=sampled(answered(0.01, 429), *[answered(9)] * 9),
    ),
    unobserved(
        latency.test_the_api_answers_fast_enough,  # that is how fast a proxy refuses
        "the suite may not ask the API: http://api/health answered 401",
        latency=sampled(answered(0.01, 401), answered(0.01, 401)),
    ),
    unobserved(
        latency.test_the_api_answers_fast_enough,  # cut off by a deadline that is below the limit
        "p95 1.5 s or more (a sample of 2 requests): that does not show whether it is above 2 s",
        latency=sampled(unanswered(Transport.TIMED_OUT, 1.5), answered(1.6)),
    ),
    # The trigger, by Prometheus
    healthy(latency.test_the_api_answers_fast_enough, latency=counted(100, 0.5, 1)),
    healthy(latency.test_the_api_answers_fast_enough, latency=counted(100, 1, 2)),
    healthy(
        latency.test_the_api_answers_fast_enough,  # its requests are the users', the sample's are not
        latency=counted(100, 0.5, 1, answered(9), answered(9)),
    ),
    healthy(
        latency.test_the_api_answers_fast_enough,  # the limit lies between the bounds: the sample decides
        latency=counted(100, 1, 2.5, answered(0.02), answered(0.02)),
    ),
    healthy(
        latency.test_the_api_answers_fast_enough,  # no traffic: the sample decides
        latency=counted(0, 0, 0, answered(0.02), answered(0.02)),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 2.5 s to 5 s (Prometheus, 5 min)",
        latency=counted(100, 2.5, 5, answered(0.02), answered(0.02)),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 10 s or more (Prometheus, 5 min)",
        latency=counted(100, 10, None, answered(0.02), answered(0.02)),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,  # it decides, whatever became of the sample
        "p95 2.5 s to 5 s (Prometheus, 5 min); no request of the sample was answered",
        latency=counted(100, 2.5, 5, unanswered(Transport.TIMED_OUT)),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 2.4 s (a sample of 1 request); p95 1 s to 2.5 s (Prometheus, 5 min) (limit 2 s)",
        latency=counted(100, 1, 2.5, answered(2.4)),
    ),
    unobserved(
        latency.test_the_api_answers_fast_enough,
        "no request of the sample was answered",
        latency=counted(100, 1, 2.5, unanswered(Transport.TIMED_OUT)),
    ),
    unobserved(
        latency.test_the_api_answers_fast_enough,
        "the API answered 429",
        latency=counted(100, 1, None, answered(0.01, 429)),
    ),
    unobserved(
        latency.test_the_api_answers_fast_enough,
        "no request of the sample was answered",
        latency=counted(0, 0, 0, unanswered(Transport.REFUSED)),
    ),
    # What it depends on
    healthy(latency.test_the_database_serves_the_api, database_access=DatabaseAccess(serving(), WITHOUT_ENGINE)),
    faulty(
        latency.test_the_database_serves_the_api,
        "PostgreSQL at db:5432/orchestrator refused the connection: no server listens",
        database_access=DatabaseAccess(Database(DatabaseState.REFUSED, "db:5432/orchestrator"), WITHOUT_ENGINE),
    ),
    unobserved(latency.test_the_database_serves_the_api),
    unobserved(
        latency.test_the_database_serves_the_api,
        "PostgreSQL was not asked",
        database_access=DatabaseAccess(Database(DatabaseState.NOT_ASKED, ""), WITHOUT_ENGINE),
    ),
    unobserved(
        latency.test_the_database_serves_the_api,
        "refuses the password; the API does not report its database as unhealthy",
        database_access=DatabaseAccess(
            Database(DatabaseState.PASSWORD_REFUSED, "db:5432/orchestrator"), WITHOUT_ENGINE, document()
        ),
    ),
    healthy(latency.test_the_api_is_healthy, api_access=ApiAccess(document(), WITHOUT_ENGINE)),
    faulty(
        latency.test_the_api_is_healthy,
        "http://api/health answered 200, but reports: redis is unhealthy (redis message)",
        api_access=ApiAccess(document(redis="unhealthy"), WITHOUT_ENGINE),
    ),
    unobserved(latency.test_the_api_is_healthy),
    unobserved(
        latency.test_the_api_is_healthy,
        "the API answered 429",
        api_access=ApiAccess(read_health(answered(0.01, 429)), WITHOUT_ENGINE),
    ),
    unobserved(
        latency.test_the_api_is_healthy,
        "its address is not known",
        api_access=ApiAccess(
            Health(unanswered(Transport.NOT_ASKED), None),
            EngineAnswer(None, trouble="the Docker engine did not answer in time"),
        ),
    ),
    healthy(
        latency.test_no_statement_holds_the_api_up,
        activity=sessions(
            session(1, 0.2), session(2, 2000, application="pg_dump"), session(4, 90, "idle in transaction")
        ),
    ),
    faulty(
        latency.test_no_statement_holds_the_api_up,
        "pid 3 (orchestrator, reporting) active for 40 s: SELECT 3",
        activity=sessions(session(1, 0.2), session(3, 40, application="reporting")),
    ),
    unobserved(latency.test_no_statement_holds_the_api_up),
    unobserved(
        latency.test_no_statement_holds_the_api_up,
        "PostgreSQL hides the statements of pid 4: track_activities is off",
        activity=sessions(session(4, 0, "disabled")),
    ),
    healthy(latency.test_statements_are_fast_on_average, statements=averages(0.9, 0.001)),
    faulty(
        latency.test_statements_are_fast_on_average,
        "since 2026-03-01 00:00:00+00: 1.5 s on average over 40 calls (longest 4.5 s): SELECT * FROM task_run",
        statements=averages(1.5, 0.2),
    ),
    unobserved(latency.test_statements_are_fast_on_average),
    unobserved(
        latency.test_statements_are_fast_on_average,
        "pg_stat_statements has counted no statement",
        statements=averages(),
    ),
    # What it has to work with
    healthy(latency.test_the_api_container_has_memory_left, container_usage=usage("api", 0.9)),
    faulty(
        latency.test_the_api_container_has_memory_left,
        "ordinaut-api-1 uses 972.8 MiB of 1.0 GiB (95 %)",
        container_usage=usage("api", 0.95),
    ),
    unobserved(latency.test_the_api_container_has_memory_left),
    unobserved(
        latency.test_the_api_container_has_memory_left,
        "no container of api runs",
        container_usage=usage("worker", 0.95),
    ),
    unobserved(latency.test_the_api_container_has_memory_left, "no container of api runs", container_usage=Usages(())),
    healthy(latency.test_the_host_has_memory_left, host_memory=Memory(Size(16 * GIB), Size(4 * GIB))),
    faulty(
        latency.test_the_host_has_memory_left,
        "512.0 MiB of 16.0 GiB memory available (3.1 %), limit 5 %",
        host_memory=Memory(Size(16 * GIB), Size(GIB // 2)),
    ),
    unobserved(latency.test_the_host_has_memory_left),
    healthy(latency.test_the_api_itself_answers_fast, liveness=Liveness(answered(0.02))),
    faulty(
        latency.test_the_api_itself_answers_fast,
        "http://api/health answered 200 after 2.2 s: the API itself is slow, not what it depends on",
        liveness=Liveness(answered(2.2)),
    ),
    faulty(
        latency.test_the_api_itself_answers_fast,
        "did not answer in time after 3 s: the API itself is slow",
        liveness=Liveness(unanswered(Transport.TIMED_OUT)),
    ),
    unobserved(latency.test_the_api_itself_answers_fast),
    *(
        unobserved(
            latency.test_the_api_itself_answers_fast,
            f"http://api/health {transport.value}",
            liveness=Liveness(unanswered(transport)),
        )
        for transport in (Transport.REFUSED, Transport.UNREACHABLE, Transport.BROKE_OFF, Transport.NOT_ASKED)
    ),
    unobserved(
        latency.test_the_api_itself_answers_fast, "the API answered 429", liveness=Liveness(answered(0.01, 429))
    ),
    unobserved(
        latency.test_the_api_itself_answers_fast,
        "the suite may not ask the API",
        liveness=Liveness(answered(0.01, 403)),
    ),
    unobserved(
        latency.test_the_api_itself_answers_fast,  # cut off by a deadline that is below the limit
        "did not answer in time after 1.5 s",
        liveness=Liveness(unanswered(Transport.TIMED_OUT, 1.5)),
    ),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
