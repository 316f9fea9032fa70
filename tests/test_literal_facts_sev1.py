from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from checks.sev1 import test_database_slow_queries as queries
from checks.sev1 import test_high_api_latency as latency
from checks.sev1 import test_scheduler_offline as scheduler
from fixtures.api.access import DatabaseAccess
from fixtures.clients.docker import EngineAnswer
from fixtures.clients.http import HttpAnswer, Latency, Transport, sampled
from fixtures.clients.postgres import DatabaseState
from fixtures.clients.prometheus import read_histogram
from fixtures.database.sessions import Activity, Session, Statements, StatementStatistics
from fixtures.platform.host import Process, Processes, ServiceProcess
from fixtures.queue.schedule import Schedule, Scheduling
from playbook.evidence import Unknown
from playbook.quantities import Count, Size, Span
from tests.literal_facts import Case, faulty, healthy, parametrized, prove, unknown
from tests.test_literal_facts_sev0 import (
    ERROR,
    MEMORY,
    NO_ENGINE,
    NO_MEMORY,
    NOW,
    QUIET,
    SERVES,
    STANDBY,
    WELL,
    container,
    containers,
    document,
    log,
    met,
    reached,
    told,
    usage,
)  # fmt: skip

if TYPE_CHECKING:
    from fixtures.platform.containers import Container

MINUTE = 60.0

# -- latency


def answer(took: float, status: int = 200) -> HttpAnswer:
    return HttpAnswer("http://api/health", Transport.ANSWERED, Span(took), status)


def unanswered(transport: Transport, took: float = 3) -> HttpAnswer:
    return HttpAnswer("http://api/health", transport, Span(took))


def sample(*seconds: float) -> Latency:
    return sampled([answer(took) for took in seconds])


def buckets(**counts: object) -> list[dict[str, Any]]:
    """Give what Prometheus answers, by the upper bound: `_2_5=96` is the bucket of 2.5 s, `_inf` the infinite one."""
    bounds = {"_inf": "+Inf"}
    return [
        {"metric": {"le": bounds.get(name, name[1:].replace("_", "."))}, "value": [0, str(count)]}
        for name, count in counts.items()
    ]


def measured(**counts: object) -> Latency:
    histogram = read_histogram(buckets(**counts))
    return Latency("Prometheus, 5 min", round(histogram.total), *histogram.percentile_within(0.95))


# -- sessions


def session(pid: int, age: float, *blocked_by: int, **more: Any) -> Session:
    facts = Session(pid, "orchestrator", "", "active", Span(age), Span(age), Span(0), blocked_by, f"SELECT {pid}")
    return replace(facts, **more)


def idle(pid: int, for_seconds: float, state: str = "idle in transaction") -> Session:
    return session(pid, for_seconds + 1, state=state, idle_for=Span(for_seconds))


def busy(*sessions: Session, connections: int = 12) -> Activity:
    return Activity(sessions, ("pg_dump", "vacuumdb"), Count(connections), Count(97))


QUICK = session(1, 0.2)
DUMP = session(2, 2000, application="pg_dump")
SLOW = session(3, 40, application="reporting")
CHAIN = busy(  # 12 waits for 11, which waits for 10
    idle(10, 90), session(11, 60, 10), session(12, 30, 11)
)
TWO_WAIT_ON_ONE = busy(session(20, 25, application="reporting"), session(21, 20, 20), session(22, 15, 20))


def averages(*means: float) -> Statements:
    rows = [StatementStatistics(Count(40), Span(mean), Span(3 * mean), "SELECT * FROM task_run") for mean in means]
    return Statements(tuple(rows), "2026-03-01 00:00:00+00")


# -- the schedule

BRIEFING = "Morning briefing"
REPORT = "Weekly report"
MOVES_ON = Schedule((BRIEFING, REPORT), (), has_job_table=True, jobs=Count(2), lateness=Span(0))
LATE = replace(MOVES_ON, lateness=Span(12 * MINUTE))
ALL_PAUSED = Schedule((), (), has_job_table=True, jobs=Count(0), lateness=Span(0))
NEVER_STARTED = Schedule((), (), has_job_table=False, jobs=Count(0), lateness=Span(0))
NO_JOBS = replace(MOVES_ON, without_job=(BRIEFING, REPORT), jobs=Count(0))
NO_JOB_TABLE = replace(NO_JOBS, has_job_table=False)
SOME_NOT_LOADED = replace(MOVES_ON, without_job=(REPORT,), jobs=Count(1))
OTHERS_JOBS = replace(NO_JOBS, jobs=Count(7))  # of tasks that are gone


def scheduling(schedule: Schedule, *found: Container) -> Scheduling:
    return Scheduling(schedule, told(*found) if found else NO_ENGINE)


RUNS = container("scheduler")
STOPPED = container("scheduler", "exited")
FAILS_AT_START = container("scheduler", "restarting", restarts=Count(7), ran_for=Span(1))
PROCESS = Process(4711, "S", Size(64 * 1024**2), "python")


def process(found: Process | None, *, frozen: bool = False) -> ServiceProcess:
    return ServiceProcess("scheduler", 4711, found, frozen)


def host_clock(behind: float | None) -> Processes:
    return Processes("host", (), None if behind is None else NOW - timedelta(seconds=behind))


CLOCKED = replace(SERVES, now=NOW)
OPERATIONAL_ERROR = "2026-03-04 11:59:59 ERROR (psycopg.OperationalError) the server is gone"

CASES: list[Case] = [
    # HighAPILatency
    healthy(latency.test_the_api_answers_fast_enough, latency=sample(*[0.02] * 10)),
    healthy(latency.test_the_api_answers_fast_enough, latency=sample(*[0.02] * 9, 9.0)),  # one may be chance
    healthy(latency.test_the_api_answers_fast_enough, latency=sampled([answer(0.02), unanswered(Transport.TIMED_OUT)])),
    healthy(latency.test_the_api_answers_fast_enough, latency=measured()),
    healthy(latency.test_the_api_answers_fast_enough, latency=measured(_1_0=0, _2_5=0, _inf=0)),
    healthy(latency.test_the_api_answers_fast_enough, latency=measured(_1_0="NaN", _inf="NaN")),
    healthy(latency.test_the_api_answers_fast_enough, latency=measured(_0_5=90, _1_0=95, _2_5=98, _inf=100)),
    healthy(latency.test_the_api_answers_fast_enough, latency=measured(_0_5=90, _2_0=95, _inf=100)),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 2.1 s (a sample of 10 requests), limit 2 s",
        latency=sample(*[0.02] * 8, 2.1, 2.3),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 2.4 s (a sample of 1 requests), limit 2 s",
        latency=sample(2.4),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 3 s or more (a sample of 3 requests), limit 2 s",
        latency=sampled([answer(0.1), unanswered(Transport.TIMED_OUT), unanswered(Transport.TIMED_OUT)]),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 2.5 s to 5 s (Prometheus, 5 min), limit 2 s",
        latency=measured(_1_0=50, _2_5=94, _5_0=99, _inf=100),
    ),
    faulty(
        latency.test_the_api_answers_fast_enough,
        "p95 10 s or more (Prometheus, 5 min), limit 2 s",
        latency=measured(_10_0=94, _inf=100),
    ),
    unknown(
        latency.test_the_api_answers_fast_enough,
        "p95 1 s to 2.5 s (Prometheus, 5 min): that does not tell whether it is above 2 s",
        latency=measured(_1_0=50, _2_5=100, _inf=100),
    ),
    unknown(
        latency.test_the_api_answers_fast_enough,
        "p95 1 s or more (Prometheus, 5 min): that does not tell",
        latency=measured(_1_0=50, _inf=100),
    ),
    unknown(
        latency.test_the_api_answers_fast_enough,  # cut off by a deadline that is below the limit
        "p95 1.5 s or more (a sample of 2 requests): that does not tell",
        latency=sampled([unanswered(Transport.TIMED_OUT, 1.5), answer(1.6)]),
    ),
    healthy(latency.test_the_database_serves_the_api, database_access=DatabaseAccess(SERVES, NO_ENGINE)),
    faulty(
        latency.test_the_database_serves_the_api,
        "no server listens",
        database_access=DatabaseAccess(met(DatabaseState.REFUSED), NO_ENGINE),
    ),
    healthy(latency.test_the_api_is_healthy, api_access=reached(WELL)),
    faulty(latency.test_the_api_is_healthy, "redis is unhealthy", api_access=reached(document(redis="unhealthy"))),
    healthy(latency.test_no_statement_holds_the_api_up, activity=busy(QUICK, DUMP, idle(4, 90))),
    faulty(
        latency.test_no_statement_holds_the_api_up,
        "pid 3 (orchestrator, reporting) for 40 s: SELECT 3",
        activity=busy(QUICK, SLOW),
    ),
    healthy(latency.test_statements_are_fast_on_average, statements=averages(0.9, 0.001)),
    faulty(
        latency.test_statements_are_fast_on_average,
        "since 2026-03-01 00:00:00+00: 1.5 s on average over 40 calls (longest 4.5 s): SELECT * FROM task_run",
        statements=averages(1.5, 0.2),
    ),
    healthy(latency.test_the_api_container_has_memory_left, container_usage=usage("api", 0.9)),
    healthy(latency.test_the_api_container_has_memory_left, container_usage=usage("worker", 0.95)),
    faulty(
        latency.test_the_api_container_has_memory_left,
        "ordinaut-api-1 uses 972.8 MiB of 1.0 GiB (95 %)",
        container_usage=usage("api", 0.95),
    ),
    healthy(latency.test_the_host_has_memory_left, host_memory=MEMORY),
    faulty(
        latency.test_the_host_has_memory_left,
        "512.0 MiB of 16.0 GiB memory available (3.1 %), limit 5 %",
        host_memory=NO_MEMORY,
    ),
    healthy(latency.test_the_api_itself_answers_fast, liveness=answer(0.02)),
    faulty(
        latency.test_the_api_itself_answers_fast,
        "http://api/health answered 200 after 2.2 s: the API itself is slow, not what is behind it",
        liveness=answer(2.2),
    ),
    faulty(
        latency.test_the_api_itself_answers_fast,
        "did not answer in time after 3 s: the API itself is slow",
        liveness=unanswered(Transport.TIMED_OUT),
    ),
    # DatabaseSlowQueries
    healthy(queries.test_no_statement_runs_for_long, activity=busy()),
    healthy(queries.test_no_statement_runs_for_long, activity=busy(QUICK, DUMP, idle(4, 90))),
    healthy(queries.test_no_statement_runs_for_long, activity=busy(session(5, 10))),
    faulty(
        queries.test_no_statement_runs_for_long,
        "pid 3 (orchestrator, reporting) for 40 s: SELECT 3, pid 5 (orchestrator) for 11 s: SELECT 5, limit 10 s",
        activity=busy(QUICK, DUMP, session(5, 11), SLOW),
    ),
    faulty(
        queries.test_no_statement_runs_for_long,
        "pid 8 (orchestrator) for 48 s: SELECT 8, pid 7 (orchestrator) for 47 s: SELECT 7, "
        "pid 6 (orchestrator) for 46 s: SELECT 6 and 2 more, limit 10 s",
        activity=busy(*(session(pid, 40 + pid) for pid in range(4, 9))),
    ),
    healthy(queries.test_no_statement_waits_for_a_lock, activity=busy(SLOW)),
    healthy(queries.test_no_statement_waits_for_a_lock, activity=busy(idle(10, 90), session(11, 3, 10))),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pid 11, 12 waits for pid 10 (orchestrator) idle in transaction for 1 min 30 s, last: SELECT 10",
        activity=CHAIN,
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pid 21, 22 waits for pid 20 (orchestrator, reporting) for 25 s: SELECT 20",
        activity=TWO_WAIT_ON_ONE,
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pid 12 waits for pid 2 (orchestrator, pg_dump) for 33 min 20 s: SELECT 2",
        activity=busy(DUMP, session(12, 30, 2)),
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pid 12 waits for pid 10 (orchestrator) idle for 1 min 30 s, last: SELECT 10",  # a session's advisory lock
        activity=busy(idle(10, 90, "idle"), session(12, 30, 10)),
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pid 12 waits for pid 99, which is no client session",
        activity=busy(session(12, 30, 99)),
    ),
    faulty(
        queries.test_no_statement_waits_for_a_lock,
        "pid 12 waits for pid 11 (orchestrator) for 0 ms: SELECT 11, pid 12 waits for pid 10 (orchestrator) for 1 s",
        activity=busy(session(10, 1), session(11, 0), session(12, 30, 10, 11)),
    ),
    healthy(queries.test_no_statement_works_for_long, activity=busy(QUICK, DUMP, session(12, 30, 1))),
    faulty(
        queries.test_no_statement_works_for_long,
        "pid 20 (orchestrator, reporting) for 25 s: SELECT 20",
        activity=TWO_WAIT_ON_ONE,
    ),
    healthy(queries.test_no_transaction_is_left_open, activity=busy(SLOW, idle(4, 10), idle(5, 900, "idle"))),
    faulty(
        queries.test_no_transaction_is_left_open,
        "pid 4 (orchestrator) idle in transaction for 11 s, last: SELECT 4, limit 10 s",
        activity=busy(idle(4, 11)),
    ),
    faulty(
        queries.test_no_transaction_is_left_open,
        "pid 4 (orchestrator) idle in transaction (aborted) for 15 min, last: SELECT 4",
        activity=busy(idle(4, 900, "idle in transaction (aborted)")),
    ),
    healthy(queries.test_connections_are_left, activity=busy()),
    healthy(queries.test_connections_are_left, activity=busy(QUICK, connections=77)),
    faulty(
        queries.test_connections_are_left,
        "78 of 97 ordinary slots are in use (80.4 %), limit 80 %",
        activity=busy(QUICK, connections=78),
    ),
    healthy(queries.test_statements_are_fast_on_average, statements=averages()),
    healthy(queries.test_statements_are_fast_on_average, statements=averages(1)),
    faulty(
        queries.test_statements_are_fast_on_average,
        "since 2026-03-01 00:00:00+00: 1.1 s on average over 40 calls (longest 3.3 s): SELECT * FROM task_run",
        statements=averages(1.1),
    ),
    # SchedulerOffline
    healthy(scheduler.test_the_scheduler_queues_what_is_due, scheduling=scheduling(MOVES_ON, RUNS)),
    healthy(scheduler.test_the_scheduler_queues_what_is_due, scheduling=scheduling(MOVES_ON)),
    healthy(
        scheduler.test_the_scheduler_queues_what_is_due,
        scheduling=scheduling(replace(MOVES_ON, lateness=Span(5 * MINUTE)), RUNS),
    ),
    healthy(scheduler.test_the_scheduler_queues_what_is_due, scheduling=scheduling(ALL_PAUSED, RUNS)),
    healthy(scheduler.test_the_scheduler_queues_what_is_due, scheduling=scheduling(NEVER_STARTED)),
    healthy(scheduler.test_the_scheduler_queues_what_is_due, scheduling=scheduling(SOME_NOT_LOADED, RUNS)),
    healthy(
        scheduler.test_the_scheduler_queues_what_is_due,  # an engine that does not answer holds nothing up
        scheduling=Scheduling(MOVES_ON, EngineAnswer(None, trouble="the Docker engine did not answer in time")),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "latest job 12 min late; limit 5 min",
        scheduling=scheduling(LATE, RUNS),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "none of the 2 scheduled tasks has a job: Morning briefing, Weekly report; limit 5 min",
        scheduling=scheduling(NO_JOBS),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "none of the 2 scheduled tasks has a job (the table apscheduler_jobs does not exist): Morning briefing",
        scheduling=scheduling(NO_JOB_TABLE, RUNS),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "none of the 2 scheduled tasks has a job: Morning",
        scheduling=scheduling(OTHERS_JOBS, RUNS),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "ordinaut-scheduler-1 is exited with exit code 137; no job is late",
        scheduling=scheduling(MOVES_ON, STOPPED),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "ordinaut-scheduler-1 is exited with exit code 137; latest job 12 min late; limit 5 min",
        scheduling=scheduling(LATE, STOPPED),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "ordinaut-scheduler-1 is exited with exit code 137; nothing is scheduled",
        scheduling=scheduling(ALL_PAUSED, STOPPED),
    ),
    faulty(
        scheduler.test_the_scheduler_queues_what_is_due,
        "project ordinaut has no container of the service scheduler",
        scheduling=scheduling(MOVES_ON, container("api")),
    ),
    healthy(scheduler.test_the_scheduler_has_a_container, containers=containers(STOPPED)),
    faulty(
        scheduler.test_the_scheduler_has_a_container,
        "project ordinaut has no container of the service scheduler",
        containers=containers(container("api")),
    ),
    faulty(
        scheduler.test_the_scheduler_has_a_container,
        "ordinaut-scheduler-1 is created",
        containers=containers(container("scheduler", "created")),
    ),
    healthy(scheduler.test_the_scheduler_survives_its_start, containers=containers(STOPPED)),
    faulty(
        scheduler.test_the_scheduler_survives_its_start,
        "ordinaut-scheduler-1 is restarting with exit code 137, restarted 7 times",
        containers=containers(FAILS_AT_START),
    ),
    healthy(scheduler.test_the_scheduler_container_is_not_paused, containers=containers(RUNS)),
    faulty(
        scheduler.test_the_scheduler_container_is_not_paused,
        "ordinaut-scheduler-1 is paused",
        containers=containers(container("scheduler", "paused")),
    ),
    healthy(scheduler.test_the_scheduler_container_has_not_ended, containers=containers(RUNS)),
    healthy(scheduler.test_the_scheduler_container_has_not_ended, containers=containers(FAILS_AT_START)),
    faulty(
        scheduler.test_the_scheduler_container_has_not_ended,
        "ordinaut-scheduler-1 is exited with exit code 137",
        containers=containers(STOPPED),
    ),
    faulty(
        scheduler.test_the_scheduler_container_has_not_ended,
        "exit code 137, killed for want of memory",
        containers=containers(container("scheduler", "exited", oom_killed=True)),
    ),
    *(healthy(scheduler.test_tasks_have_jobs, schedule=facts) for facts in (LATE, ALL_PAUSED, SOME_NOT_LOADED)),
    faulty(
        scheduler.test_tasks_have_jobs,
        "none of the 2 scheduled tasks has a job: Morning briefing, Weekly report",
        schedule=NO_JOBS,
    ),
    faulty(scheduler.test_tasks_have_jobs, "the table apscheduler_jobs does not exist", schedule=NO_JOB_TABLE),
    healthy(scheduler.test_the_scheduler_process_runs, scheduler_process=process(PROCESS)),
    faulty(
        scheduler.test_the_scheduler_process_runs,
        "no process of the scheduler runs (pid 4711)",
        scheduler_process=process(None),
    ),
    healthy(scheduler.test_the_scheduler_process_is_not_frozen, scheduler_process=process(PROCESS)),
    healthy(scheduler.test_the_scheduler_process_is_not_frozen, scheduler_process=process(None)),
    faulty(
        scheduler.test_the_scheduler_process_is_not_frozen,
        "frozen: python (pid 4711)",
        scheduler_process=process(PROCESS, frozen=True),
    ),
    healthy(scheduler.test_the_scheduler_has_its_database, database=SERVES, scheduler_log=log("scheduler", ERROR)),
    healthy(
        scheduler.test_the_scheduler_has_its_database,
        database=SERVES,
        scheduler_log=log("scheduler", OPERATIONAL_ERROR.replace("11:59:59", "11:44:59")),
    ),
    faulty(
        scheduler.test_the_scheduler_has_its_database,
        "PostgreSQL at db:5432/orchestrator refused the connection: no server listens",
        database=met(DatabaseState.REFUSED),
        scheduler_log=log("scheduler", OPERATIONAL_ERROR),
    ),
    faulty(
        scheduler.test_the_scheduler_has_its_database,
        "1 lines within 15 min, the last: 2026-03-04 11:59:59 ERROR (psycopg.OperationalError) the server is gone",
        database=SERVES,
        scheduler_log=log("scheduler", *QUIET, OPERATIONAL_ERROR),
    ),
    unknown(
        scheduler.test_the_scheduler_has_its_database,
        "a server in recovery (a standby)",
        database=STANDBY,
        scheduler_log=log("scheduler"),
    ),
    *(healthy(scheduler.test_every_task_has_its_job, schedule=facts) for facts in (MOVES_ON, NO_JOBS, ALL_PAUSED)),
    faulty(scheduler.test_every_task_has_its_job, "without a job: Weekly report", schedule=SOME_NOT_LOADED),
    healthy(scheduler.test_the_clocks_agree, database=CLOCKED, processes=host_clock(behind=30)),
    faulty(
        scheduler.test_the_clocks_agree,
        "the database's clock is 2 min ahead of the host's",
        database=CLOCKED,
        processes=host_clock(behind=120),
    ),
    faulty(
        scheduler.test_the_clocks_agree,
        "the database's clock is 2 min behind the host's",
        database=CLOCKED,
        processes=host_clock(behind=-120),
    ),
    unknown(
        scheduler.test_the_clocks_agree,
        "one of the two clocks could not be read",
        database=CLOCKED,
        processes=host_clock(behind=None),
    ),
    healthy(scheduler.test_the_scheduler_logged_no_error, scheduler_log=log("scheduler", *QUIET)),
    faulty(
        scheduler.test_the_scheduler_logged_no_error,
        "1 error lines within 15 min, the last: 2026-03-04 11:59:59 ERROR connection lost",
        scheduler_log=log("scheduler", *QUIET, ERROR),
    ),
]


@parametrized(CASES)
def test_a_check_judges_literal_facts(case: Case) -> None:
    prove(case)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([answer(0.02), answer(0.01, 429)], "answered 429: its rate limit is spent"),
        ([answer(0.01, 429), *[answer(9)] * 9], "answered 429: its rate limit is spent"),
        ([unanswered(Transport.TIMED_OUT)] * 2, "no request of the sample was answered: http://api/health did not"),
        ([unanswered(Transport.REFUSED)], "refused the connection"),
        ([unanswered(Transport.NOT_ASKED)], "its address is not known"),
        ([], "none ended in time"),
    ],
)
def test_a_sample_that_says_nothing_of_the_latency_is_no_latency(answers: list[HttpAnswer], says: str) -> None:
    with pytest.raises(Unknown, match=says):
        sampled(answers)


def test_a_request_that_got_no_answer_at_all_is_not_counted_as_slow() -> None:
    assert sampled([answer(0.02), unanswered(Transport.REFUSED), unanswered(Transport.BROKE_OFF)]).requests == 1


@pytest.mark.parametrize(
    ("counts", "bounds"),
    [
        ({"_0_5": 95, "_1_0": 99, "_inf": 100}, (0, 0.5)),
        ({"_0_5": 94, "_1_0": 95, "_inf": 100}, (0.5, 1)),
        ({"_inf": 100, "_1_0": 96, "_0_5": 3}, (0.5, 1)),  # Prometheus gives them in any order
        ({"_0_5": 3, "_1_0": 94.9, "_inf": 100}, (1, None)),
        ({"_inf": 7}, (0, None)),
    ],
)
def test_a_percentile_lies_within_its_bucket(counts: dict[str, float], bounds: tuple[float, float | None]) -> None:
    lower, upper = bounds
    within = read_histogram(buckets(**counts)).percentile_within(0.95)
    assert within == (Span(lower), None if upper is None else Span(upper))


@pytest.mark.parametrize(
    ("latency", "words"),
    [
        (measured(), "no traffic (Prometheus, 5 min)"),
        (measured(_1_0=95, _2_5=99, _inf=100), "p95 0 ms to 1 s (Prometheus, 5 min)"),
        (sample(*[0.02] * 10), "p95 20 ms (a sample of 10 requests)"),
    ],
)
def test_the_latency_says_who_judged_it(latency: Latency, words: str) -> None:
    assert str(latency.measurement) == words


@pytest.mark.parametrize(
    ("activity", "words"),
    [
        (busy(), "no statement runs"),
        (busy(DUMP, idle(4, 90)), "no statement runs"),
        (busy(QUICK, SLOW, DUMP), "40 s, pid 3"),
    ],
)
def test_the_longest_statement_is_that_of_a_judged_client(activity: Activity, words: str) -> None:
    assert str(activity.longest) == words


def test_sessions_that_wait_for_each_other_have_no_root() -> None:
    circle = [session(1, 30, 2), session(2, 30, 1)]
    assert busy(*circle).root_blockers(circle) == []


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (MOVES_ON, "no job is late"),
        (LATE, "latest job 12 min late"),
        (ALL_PAUSED, "nothing is scheduled"),
        (NEVER_STARTED, "nothing is scheduled"),
        (NO_JOBS, "none of 2 scheduled tasks has a job"),
    ],
)
def test_the_schedule_says_how_late_it_is(schedule: Schedule, words: str) -> None:
    assert str(schedule.measurement) == words
