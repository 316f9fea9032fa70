from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from checks.sev3 import test_backup_failed as backup
from checks.sev3 import test_low_task_throughput as low
from fixtures.platform.backups import BackupFile, Backups, failures, rdb_flaw
from fixtures.queue.runs import COMPARED_WITHIN, OldestItem, RunQuality, Throughput, _done_since
from playbook.quantities import Count, Size, Span
from tests.literal_facts import Case, faulty, healthy, parametrized, prove, unknown
from tests.test_literal_facts_sev0 import FRESH, HOUR, SILENT, heartbeat, heartbeats

if TYPE_CHECKING:
    from fixtures.platform.backups import Kind

MIB = 1024**2
MINUTE = 60.0
DAY = 24 * HOUR
NO_END = "it does not end with the line '-- PostgreSQL database dump complete'"

# -- backups


def dump(age: float, flaw: str = "", **more: Any) -> BackupFile:
    facts = BackupFile(f"/b/pg_{age / HOUR:g}h.sql.gz", Size(100 * MIB), Span(age), Span(age + MINUTE), flaw)
    return replace(facts, **more)


def rdb(age: float, flaw: str = "") -> BackupFile:
    return BackupFile(f"/b/redis_{age / HOUR:g}h.rdb.gz", Size(MIB), Span(age), Span(age), flaw)


def backups(*dumps: BackupFile, redis: tuple[BackupFile, ...] | None = None, **more: Any) -> Backups:
    files: dict[Kind, tuple[BackupFile, ...]] = {
        "postgres": dumps,
        "redis": (rdb(8 * HOUR), rdb(32 * HOUR)) if redis is None else redis,
    }
    facts = Backups(files, {"postgres": "/b/postgres", "redis": "/b/redis"}, (), "2026-03-04.log", Size(9 * 1024 * MIB))
    return replace(facts, **more)


LAST_NIGHT = dump(8 * HOUR)
NIGHT_BEFORE = dump(32 * HOUR)
BEING_WRITTEN = dump(5, NO_END, begun=Span(90 * MINUTE))
NEVER_ENDS = dump(5, NO_END, begun=Span(3 * HOUR))
LEFT_UNFINISHED = dump(20 * MINUTE, NO_END)
DAMAGED = dump(8 * HOUR, "its gzip is damaged: unexpected end of file")
EMPTY = dump(8 * HOUR, "it is empty", size=Size(0))
NOT_READ = dump(8 * HOUR, verified=False)
DENIED = "the suite may not look at the backups: cannot open directory"
CLOSED = ("cannot open directory '/b/redis': Permission denied",)
CLOSED_LOG = ("cannot open directory '/b/log': Permission denied",)
YOUNG = Span(3 * HOUR)
OLD = Span(90 * DAY)

NIGHTLY = backups(LAST_NIGHT, NIGHT_BEFORE)
HEALTHY_BACKUPS = [
    NIGHTLY,
    backups(NOT_READ),
    backups(dump(26 * HOUR)),
    backups(BEING_WRITTEN, LAST_NIGHT),
    backups(BEING_WRITTEN, replace(NIGHT_BEFORE, age=Span(25 * HOUR))),
    backups(BEING_WRITTEN),  # the first of all
    backups(replace(BEING_WRITTEN, begun=None), LAST_NIGHT),  # its name says no time
    backups(replace(EMPTY, age=Span(1), begun=Span(1)), LAST_NIGHT),  # begun a moment ago
    backups(redis=(), system_age=YOUNG),
    backups(LAST_NIGHT, redis=(), system_age=YOUNG),
    backups(LAST_NIGHT, DAMAGED),  # an older one
]

# -- throughput


def throughput(*hours: int, overdue: float | None = None, age: float | None = 90 * DAY, **more: Any) -> Throughput:
    return Throughput(
        tuple(map(Count, hours)),
        None if age is None else Span(age),
        None if overdue is None else Span(overdue),
        **more,
    )


def compared(done: int, recorded: int) -> dict[str, Any]:
    return {"done": Count(done), "recorded": Count(recorded), "compared_since": Span(HOUR)}


IDLE = throughput(0, 0)
WAITS = throughput(12, 3, overdue=25 * MINUTE)
UNRECORDED = throughput(0, 3, **compared(40, 3))


def quality(runs: int, failed: int = 0, retried: int = 0) -> RunQuality:
    return RunQuality(Count(runs), Count(failed), Count(retried))


CASES: list[Case] = [
    # BackupFailed
    *(healthy(backup.test_backups_are_young_and_whole, backups=facts) for facts in HEALTHY_BACKUPS),
    faulty(
        backup.test_backups_are_young_and_whole,
        "no postgres backup in /b/postgres; limit 1 d 2 h",
        backups=backups(system_age=OLD),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "no postgres backup in /b/postgres, no redis backup in /b/redis",
        backups=backups(redis=()),  # the system's age is not known
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest postgres backup is 1 d 8 h old: /b/pg_32h.sql.gz; limit 1 d 2 h",
        backups=backups(NIGHT_BEFORE),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest redis backup is 1 d 8 h old: /b/redis_32h.rdb.gz",
        backups=backups(LAST_NIGHT, redis=(rdb(32 * HOUR),)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest postgres backup is 1 d 8 h old",  # another is being written, none too soon
        backups=backups(BEING_WRITTEN, NIGHT_BEFORE),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest postgres backup is broken: /b/pg_0.00138889h.sql.gz (100.0 MiB, 5 s old): it does not end with",
        backups=backups(NEVER_ENDS, LAST_NIGHT),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "(100.0 MiB, 20 min old): it does not end with the line '-- PostgreSQL database dump complete'",
        backups=backups(LEFT_UNFINISHED, LAST_NIGHT),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "(100.0 MiB, 8 h old): its gzip is damaged: unexpected end of file",
        backups=backups(DAMAGED, NIGHT_BEFORE),
    ),
    faulty(backup.test_backups_are_young_and_whole, "(0 B, 8 h old): it is empty", backups=backups(EMPTY)),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest redis backup is broken: /b/redis_8h.rdb.gz (1.0 MiB, 8 h old): it does not begin as an RDB file",
        backups=backups(LAST_NIGHT, redis=(rdb(8 * HOUR, "it does not begin as an RDB file does"),)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "Redis backup copy FAILED!; limit",
        backups=replace(NIGHTLY, failures=("Redis backup copy FAILED!",)),
    ),
    *(
        healthy(backup.test_there_are_backups, backups=facts)
        for facts in (NIGHTLY, backups(BEING_WRITTEN), backups(DAMAGED), backups(redis=(), system_age=YOUNG))
    ),
    faulty(
        backup.test_there_are_backups,
        "no backup in /b/postgres, /b/redis",
        backups=backups(redis=(), system_age=OLD),
    ),
    faulty(backup.test_there_are_backups, "no backup in /b/redis", backups=backups(LAST_NIGHT, redis=())),
    unknown(backup.test_there_are_backups, DENIED, backups=backups(LAST_NIGHT, redis=(), closed=CLOSED)),
    faulty(backup.test_there_are_backups, "no backup in /b/postgres", backups=backups(redis=(), closed=CLOSED)),
    healthy(backup.test_there_are_backups, backups=backups(LAST_NIGHT, closed=CLOSED_LOG, log_folder="/b/log")),
    unknown(backup.test_backups_are_young_and_whole, DENIED, backups=backups(LAST_NIGHT, redis=(), closed=CLOSED)),
    unknown(backup.test_backups_are_young_and_whole, DENIED, backups=backups(LAST_NIGHT, closed=CLOSED_LOG)),
    faulty(  # what could be seen decides
        backup.test_backups_are_young_and_whole, "no postgres backup in", backups=backups(redis=(), closed=CLOSED)
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "no redis backup in",
        backups=backups(LAST_NIGHT, redis=(), closed=CLOSED_LOG),
    ),
    unknown(
        backup.test_the_log_tells_of_no_failure,
        DENIED,
        backups=backups(LAST_NIGHT, closed=CLOSED_LOG, log_folder="/b/log"),
    ),
    healthy(backup.test_the_log_tells_of_no_failure, backups=backups(closed=CLOSED, log_folder="/b/log")),
    *(healthy(backup.test_the_dump_is_whole, backups=facts) for facts in HEALTHY_BACKUPS),
    *(
        faulty(backup.test_the_dump_is_whole, says, backups=backups(broken, LAST_NIGHT))
        for broken, says in (
            (NEVER_ENDS, f"(100.0 MiB, 5 s old): {NO_END}"),
            (LEFT_UNFINISHED, f"(100.0 MiB, 20 min old): {NO_END}"),
            (DAMAGED, "/b/pg_8h.sql.gz (100.0 MiB, 8 h old): its gzip is damaged: unexpected end of file"),
            (EMPTY, "/b/pg_8h.sql.gz (0 B, 8 h old): it is empty"),
        )
    ),
    healthy(backup.test_the_redis_backup_is_whole, backups=backups(DAMAGED)),
    faulty(
        backup.test_the_redis_backup_is_whole,
        "/b/redis_8h.rdb.gz (1.0 MiB, 8 h old): it does not end with a checksum",
        backups=backups(LAST_NIGHT, redis=(rdb(8 * HOUR, "it does not end with a checksum"),)),
    ),
    *(healthy(backup.test_the_backups_are_young, backups=facts) for facts in (*HEALTHY_BACKUPS, backups(DAMAGED))),
    faulty(
        backup.test_the_backups_are_young,
        "stale: postgres; newest complete backups: postgres 1 d 8 h old, redis 8 h old",
        backups=backups(NIGHT_BEFORE),
    ),
    healthy(backup.test_the_log_tells_of_no_failure, backups=NIGHTLY),
    faulty(
        backup.test_the_log_tells_of_no_failure,
        "2026-03-04.log: Redis BGSAVE FAILED!",
        backups=replace(NIGHTLY, failures=("Redis BGSAVE FAILED!",)),
    ),
    healthy(backup.test_a_backup_could_be_made_now, backups=NIGHTLY),
    healthy(backup.test_a_backup_could_be_made_now, backups=replace(NIGHTLY, room=Size(100 * MIB))),
    healthy(backup.test_a_backup_could_be_made_now, backups=replace(NIGHTLY, room=None)),  # there is no such folder
    healthy(backup.test_a_backup_could_be_made_now, backups=backups(DAMAGED, room=Size(0))),
    faulty(
        backup.test_a_backup_could_be_made_now,
        "99.0 MiB left in /b/postgres, less than the newest dump",
        backups=replace(NIGHTLY, room=Size(99 * MIB)),
    ),
    healthy(
        backup.test_the_backups_kept_their_size, backups=backups(dump(8 * HOUR, size=Size(50 * MIB)), NIGHT_BEFORE)
    ),
    healthy(backup.test_the_backups_kept_their_size, backups=backups(EMPTY, LAST_NIGHT)),
    healthy(backup.test_the_backups_kept_their_size, backups=backups(redis=())),
    faulty(
        backup.test_the_backups_kept_their_size,
        "/b/pg_8h.sql.gz has 49.0 MiB, the one before had 100.0 MiB",
        backups=backups(BEING_WRITTEN, dump(8 * HOUR, size=Size(49 * MIB)), NIGHT_BEFORE),
    ),
    # LowTaskThroughput
    *(
        healthy(low.test_work_gets_done, throughput=facts)
        for facts in (
            throughput(50, 0, overdue=HOUR),
            throughput(0, 50, **compared(90, 10)),
            IDLE,
            throughput(5, 7),  # little to do, and done
            throughput(0, 0, overdue=10 * MINUTE),
            throughput(5, 7, **compared(19, 10)),
            throughput(0, 0, overdue=HOUR, age=1.9 * HOUR),
            throughput(0, 0, age=1.9 * HOUR, **compared(40, 0)),
        )
    ),
    faulty(
        low.test_work_gets_done,
        "12 and 3 runs in the last two whole hours, though an item has been due for 25 min, limit 50 an hour",
        throughput=WAITS,
    ),
    faulty(
        low.test_work_gets_done,
        "0 and 3 runs in the last two whole hours, though the workers did 40 items in 1 h and 3 are recorded",
        throughput=UNRECORDED,
    ),
    faulty(
        low.test_work_gets_done,
        "49 and 49 runs in the last two whole hours, though an item has been due for 1 h and the workers did 40 items",
        throughput=throughput(49, 49, overdue=HOUR, age=2 * HOUR, **compared(40, 0)),
    ),
    faulty(
        low.test_work_gets_done,
        "0 and 0 runs in the last two whole hours, though an item has been due for 2 h",
        throughput=throughput(0, 0, overdue=2 * HOUR, age=None),  # no seed agent tells the system's age
    ),
    healthy(low.test_some_worker_is_there, heartbeats=heartbeats(FRESH, SILENT)),
    healthy(low.test_some_worker_is_there, heartbeats=heartbeats(system_age=60)),
    faulty(low.test_some_worker_is_there, "newest heartbeat 7 min 12 s old", heartbeats=heartbeats(SILENT)),
    unknown(
        low.test_some_worker_is_there,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600)),
    ),
    *(
        healthy(low.test_done_work_is_recorded, throughput=facts)
        for facts in (IDLE, WAITS, throughput(90, 90, **compared(19, 10)), throughput(0, 0, **compared(0, 0)))
    ),
    faulty(
        low.test_done_work_is_recorded,
        "50 and 50 runs in the last two whole hours, though the workers did 20 items in 1 h and 10 are recorded",
        throughput=throughput(50, 50, **compared(20, 10)),
    ),
    healthy(low.test_no_worker_fell_silent, heartbeats=heartbeats(FRESH, heartbeat("forgotten", 2.1 * HOUR))),
    faulty(
        low.test_no_worker_fell_silent,
        "silent: worker-2 1 h 30 min ago",
        heartbeats=heartbeats(heartbeat("worker-1", 10, born=DAY), heartbeat("worker-2", 1.5 * HOUR, born=DAY)),
    ),
    healthy(low.test_due_work_is_taken, oldest_item=OldestItem(None)),
    healthy(low.test_due_work_is_taken, oldest_item=OldestItem(Span(10 * MINUTE))),
    faulty(
        low.test_due_work_is_taken,
        "an item has been due for 25 min, limit 10 min",
        oldest_item=OldestItem(Span(25 * MINUTE)),
    ),
    *(healthy(low.test_runs_succeed, run_quality=facts) for facts in (quality(0), quality(10, failed=2))),
    faulty(
        low.test_runs_succeed,
        "3 of the newest 10 runs failed, limit 20 %",
        run_quality=quality(10, failed=3, retried=9),
    ),
    *(healthy(low.test_runs_succeed_at_once, run_quality=facts) for facts in (quality(0), quality(10, retried=2))),
    faulty(
        low.test_runs_succeed_at_once,
        "3 of the newest 10 runs were retries, limit 20 %",
        run_quality=quality(10, failed=9, retried=3),
    ),
]


@parametrized(CASES)
def test_a_check_judges_literal_facts(case: Case) -> None:
    prove(case)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (NIGHTLY, "newest complete backups: postgres 8 h old, redis 8 h old"),
        (backups(DAMAGED, NIGHT_BEFORE), "newest complete backups: postgres 1 d 8 h old, redis 8 h old"),
        (backups(NOT_READ), "newest complete backups: postgres 8 h old, redis 8 h old; not verified in full"),
        (
            backups(redis=(), system_age=YOUNG),
            "newest complete backups: postgres none, redis none; the system is 3 h old",
        ),
        (
            backups(LAST_NIGHT, redis=(), system_age=YOUNG),
            "newest complete backups: postgres 8 h old, redis none; the system is 3 h old",
        ),
        (backups(BEING_WRITTEN), "newest complete backups: postgres none, redis 8 h old"),
    ],
)
def test_the_backups_say_how_old_each_kind_is(facts: Backups, words: str) -> None:
    assert str(facts.measurement) == words


@pytest.mark.parametrize(
    ("facts", "age"), [(NIGHTLY, 8 * HOUR), (backups(NIGHT_BEFORE), 32 * HOUR), (backups(LAST_NIGHT, redis=()), None)]
)
def test_the_backups_are_as_old_as_the_kind_that_is_worse_off(facts: Backups, age: float | None) -> None:
    assert facts.measurement.quantity == (None if age is None else Span(age))


MAGIC = b"REDIS0011"
LAST = b"\xff" + bytes(range(8))


@pytest.mark.parametrize(
    ("ends", "flaw"),
    [
        (MAGIC + LAST, ""),
        (b"VALKEY080" + LAST, ""),
        (MAGIC + b"\xff" + bytes(8), ""),  # rdbchecksum no: eight zeros
        (b"", "it does not begin as an RDB file does"),
        (b"REDIS", "it does not begin as an RDB file does"),
        (b"-- Postgr" + LAST, "it does not begin as an RDB file does"),
        (b"REDISxxxx" + LAST, "it does not begin as an RDB file does"),
        (MAGIC + MAGIC, "it does not end with a checksum"),  # cut off after its first bytes
        (MAGIC + b"\x00" + LAST[1:], "it does not end with a checksum"),
        (MAGIC + LAST[:4], "it does not end with a checksum"),
        (MAGIC, "it does not end with a checksum"),
    ],
)
def test_an_rdb_file_is_known_by_both_its_ends(ends: bytes, flaw: str) -> None:
    assert rdb_flaw(ends) == flaw


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ([], []),
        (["pg_dump: reading schemas", "PostgreSQL backup completed"], []),
        (["PostgreSQL backup FAILED: no such host"], ["PostgreSQL backup FAILED: no such host"]),
        (["Redis backup FAILED", "PostgreSQL backup completed"], ["Redis backup FAILED"]),
        (["PostgreSQL backup FAILED", "PostgreSQL backup completed"], []),
        (["PostgreSQL backup completed", "PostgreSQL backup FAILED"], ["PostgreSQL backup FAILED"]),
        (
            ["✅ PostgreSQL backup completed: /b/x.sql", "❌ PostgreSQL backup corruption detected!"],
            ["PostgreSQL backup corruption detected!"],
        ),
        (["❌ PostgreSQL backup FAILED!", "✅ PostgreSQL backup completed: /b/x.sql"], []),
        (["❌ Redis BGSAVE FAILED!", "✅ Redis backup completed: /b/x.rdb"], []),
        (["❌ Redis backup copy FAILED!", "✅ Redis backup completed: /b/x.rdb"], []),
        (["❌ Redis BGSAVE FAILED!", "Off-site sync completed"], ["Redis BGSAVE FAILED!"]),
        (["[2026-03-04 02:00:01] Tables FAILED", "[2026-03-04 02:09:00] Redis backup completed"], ["Tables FAILED"]),
        (["[2026-03-04 02:00:01] Redis backup FAILED", "[2026-03-04 02:09:00] Redis backup completed"], []),
        (["2026-03-04T02:00:01Z ERROR: Redis backup FAILED", "2026-03-04T02:09:00Z INFO: Redis backup completed"], []),
        (["2026-03-04 02:00:01,250 +02:00 - Zones FAILED"], ["Zones FAILED"]),
    ],
)
def test_a_failure_in_the_log_stands_until_it_is_made_good(lines: list[str], left: list[str]) -> None:
    assert list(failures("\n".join(lines))) == left


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (throughput(80, 70, overdue=1), "80 and 70 runs in the last two whole hours"),
        (IDLE, "0 and 0 runs in the last two whole hours; idle: nothing is due"),
        (
            throughput(0, 0, age=90 * MINUTE),
            "0 and 0 runs in the last two whole hours; the system is 1 h 30 min old, younger than that",
        ),
        (WAITS, "12 and 3 runs in the last two whole hours"),
    ],
)
def test_the_throughput_says_why_few_runs_are_no_finding(facts: Throughput, words: str) -> None:
    assert str(facts.measurement) == words


NOW = 1_000_000.0
WITHIN = COMPARED_WITHIN.total_seconds()
LONG_AGO = NOW - 30 * DAY


def earlier(ago: float, **counts: int) -> dict[str, Any]:
    return {"processed": {"at": NOW - ago, "counts": counts}}


@pytest.mark.parametrize(
    ("memory", "counts", "known"),
    [
        ({}, {}, (NOW, None)),
        ({}, {"a": (500, LONG_AGO)}, (NOW, None)),  # the first run of the suite
        ({}, {"a": (30, NOW - HOUR)}, (NOW - HOUR, 30)),  # all it ever did is of the last hours
        ({}, {"a": (30, NOW - HOUR), "b": (12, NOW - 60)}, (NOW - HOUR, 42)),
        ({}, {"a": (30, NOW - HOUR), "b": (500, LONG_AGO)}, (NOW, None)),
        (earlier(HOUR, a=480), {"a": (500, LONG_AGO)}, (NOW - HOUR, 20)),
        (earlier(HOUR, a=480, b=5), {"a": (500, LONG_AGO)}, (NOW - HOUR, 20)),  # one is gone
        (earlier(HOUR, a=480), {"a": (500, LONG_AGO), "b": (9, NOW - 60)}, (NOW, None)),  # one is new
        (earlier(2 * WITHIN, a=480), {"a": (500, LONG_AGO)}, (NOW - 2 * WITHIN, 20)),
        (earlier(2 * WITHIN + 1, a=480), {"a": (500, LONG_AGO)}, (NOW, None)),  # too long ago to say anything
        (earlier(-HOUR, a=480), {"a": (500, LONG_AGO)}, (NOW, None)),  # the clock was set back
        (earlier(HOUR, a=480), {}, (NOW - HOUR, 0)),
    ],
)
def test_work_done_is_counted_from_an_earlier_run_or_from_the_workers_birth(
    memory: dict[str, Any], counts: dict[str, tuple[int, float]], known: tuple[float, int | None]
) -> None:
    assert _done_since(memory, counts, NOW) == known


@pytest.mark.parametrize(
    ("memory", "kept"),
    [
        ({}, NOW),
        (earlier(HOUR, a=480), NOW - HOUR),  # kept until it is old enough to compare with
        (earlier(WITHIN + 1, a=480), NOW),
        (earlier(9 * WITHIN, a=480), NOW),
        (earlier(-HOUR, a=480), NOW),
    ],
)
def test_a_count_is_remembered_for_as_long_as_it_can_be_compared_with(memory: dict[str, Any], kept: float) -> None:
    _done_since(memory, {"a": (500, LONG_AGO)}, NOW)
    assert memory["processed"] == {"at": kept, "counts": {"a": 500 if kept == NOW else 480}}
