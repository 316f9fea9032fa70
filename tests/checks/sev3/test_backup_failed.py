from __future__ import annotations

from typing import TYPE_CHECKING

from checks.sev3 import test_backup_failed as backup
from fixtures.platform.backups import BackupFile, Backups
from playbook.quantities import Size, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved

if TYPE_CHECKING:
    from fixtures.platform.backups import Kind

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
MIB = 1024**2
NO_END = "it does not end with the line '-- PostgreSQL database dump complete'"
DAMAGED = "its gzip is damaged: unexpected end of file"


def dump(
    age: float, flaw: str = "", *, begun: float | None = 0.0, size: float = 100, verified: bool = True
) -> BackupFile:
    """Return a dump of so many MiB, last written and begun so many seconds ago; begun a minute before, unless told."""
    since = None if begun is None else Span(begun or age + MINUTE)
    return BackupFile(f"/b/pg_{age / HOUR:g}h.sql.gz", Size(size * MIB), Span(age), since, flaw, verified)


def rdb(age: float, flaw: str = "") -> BackupFile:
    return BackupFile(f"/b/redis_{age / HOUR:g}h.rdb.gz", Size(MIB), Span(age), Span(age), flaw)


def backups(
    *dumps: BackupFile,
    redis: tuple[BackupFile, ...] = (rdb(8 * HOUR), rdb(32 * HOUR)),
    failures: tuple[str, ...] = (),
    log: str = "2026-03-04.log",
    room: float | None = 9000,  # MiB
    system_age: float | None = None,
    closed: tuple[str, ...] = (),
) -> Backups:
    files: dict[Kind, tuple[BackupFile, ...]] = {"postgres": dumps, "redis": redis}
    return Backups(
        files,
        {"postgres": "/b/postgres", "redis": "/b/redis"},
        failures,
        log,
        None if room is None else Size(room * MIB),
        None if system_age is None else Span(system_age),
        "/b/log",
        closed,
    )


# -- what was not observed

DENIED = "the suite may not read the backups: cannot open"
REDIS_CLOSED = backups(dump(8 * HOUR), redis=(), closed=("cannot open directory '/b/redis': Permission denied",))
BOTH_CLOSED = backups(
    redis=(),
    closed=(
        "cannot open directory '/b/postgres': Permission denied",
        "cannot open directory '/b/redis': Permission denied",
    ),
)
LOG_FOLDER_CLOSED = backups(dump(8 * HOUR), log="", closed=("cannot open directory '/b/log': Permission denied",))
LOG_CLOSED = backups(dump(8 * HOUR), closed=("cannot open '/b/log/2026-03-04.log': Permission denied",))
DUMP_CLOSED = backups(dump(8 * HOUR, verified=False), closed=("cannot open '/b/pg_8h.sql.gz': Permission denied",))

AHEAD = dump(-3 * DAY, begun=None)  # its name has no time
NAMED = dump(-3 * DAY, begun=40 * HOUR)
CUT_OFF_AHEAD = dump(-3 * DAY, NO_END, begun=None)
NOT_KNOWN = "the age of the postgres backups is not known: /b/pg_-72h.sql.gz (100.0 MiB, dated 3 d ahead)"

CASES: list[Case] = [
    healthy(backup.test_backups_are_young_and_whole, backups=backups(AHEAD, dump(8 * HOUR))),
    healthy(backup.test_backups_are_young_and_whole, backups=backups(dump(-3 * DAY, begun=8 * HOUR))),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest postgres backup is 1 d 16 h old",
        backups=backups(NAMED, dump(90 * HOUR)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        f"the newest postgres backup is broken: /b/pg_-72h.sql.gz (100.0 MiB, dated 3 d ahead): {NO_END}",
        backups=backups(CUT_OFF_AHEAD, dump(8 * HOUR)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest postgres backup is 1 d 8 h old",
        backups=backups(AHEAD, dump(32 * HOUR)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest redis backup is 1 d 8 h old",
        backups=backups(AHEAD, redis=(rdb(32 * HOUR),)),
    ),
    unobserved(backup.test_backups_are_young_and_whole, NOT_KNOWN, backups=backups(AHEAD)),
    unobserved(backup.test_the_backups_are_young, NOT_KNOWN, backups=backups(AHEAD)),
    faulty(
        backup.test_the_backups_are_young,
        "stale: postgres; newest complete backups: postgres 1 d 16 h old, redis 8 h old",
        backups=backups(NAMED),
    ),
    faulty(backup.test_the_dump_is_whole, NO_END, backups=backups(AHEAD, CUT_OFF_AHEAD, dump(8 * HOUR))),
    healthy(backup.test_no_backup_is_dated_ahead, backups=backups(dump(8 * HOUR), dump(-2))),
    faulty(
        backup.test_no_backup_is_dated_ahead,
        "/b/pg_-72h.sql.gz (100.0 MiB, dated 3 d ahead)",
        backups=backups(NAMED, dump(8 * HOUR)),
    ),
    unobserved(
        backup.test_no_backup_is_dated_ahead,
        "there is no backup to look at",
        backups=backups(redis=(), system_age=3 * HOUR),
    ),
    unobserved(backup.test_no_backup_is_dated_ahead, DENIED, backups=REDIS_CLOSED),
    unobserved(backup.test_no_backup_is_dated_ahead),
    #
    healthy(backup.test_backups_are_young_and_whole, backups=backups(dump(8 * HOUR), dump(32 * HOUR))),
    healthy(backup.test_backups_are_young_and_whole, backups=backups(dump(26 * HOUR))),
    healthy(backup.test_backups_are_young_and_whole, backups=backups(dump(8 * HOUR, verified=False))),
    healthy(backup.test_backups_are_young_and_whole, backups=backups(dump(8 * HOUR), dump(32 * HOUR, DAMAGED))),
    healthy(
        backup.test_backups_are_young_and_whole,  # one that grew five seconds ago is being written
        backups=backups(dump(5, NO_END, begun=90 * MINUTE), dump(25 * HOUR)),
    ),
    healthy(
        backup.test_backups_are_young_and_whole,  # its name has no time
        backups=backups(dump(5, NO_END, begun=None), dump(8 * HOUR)),
    ),
    healthy(
        backup.test_backups_are_young_and_whole,  # begun a moment ago
        backups=backups(dump(1, "it is empty", begun=1, size=0), dump(8 * HOUR)),
    ),
    healthy(backup.test_backups_are_young_and_whole, backups=backups(dump(5, NO_END, begun=90 * MINUTE))),  # the first
    healthy(backup.test_backups_are_young_and_whole, backups=backups(redis=(), system_age=3 * HOUR)),
    healthy(backup.test_backups_are_young_and_whole, backups=backups(dump(8 * HOUR), redis=(), system_age=3 * HOUR)),
    faulty(
        backup.test_backups_are_young_and_whole,
        "no postgres backup in /b/postgres (limit 1 d 2 h)",
        backups=backups(system_age=90 * DAY),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "no postgres backup in /b/postgres, no redis backup in /b/redis",
        backups=backups(redis=(), system_age=None),  # no agent shows how old the system is
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest postgres backup is 1 d 8 h old: /b/pg_32h.sql.gz (limit 1 d 2 h)",
        backups=backups(dump(32 * HOUR)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest redis backup is 1 d 8 h old: /b/redis_32h.rdb.gz",
        backups=backups(dump(8 * HOUR), redis=(rdb(32 * HOUR),)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest postgres backup is 1 d 8 h old",  # another one is being written, too late
        backups=backups(dump(5, NO_END, begun=90 * MINUTE), dump(32 * HOUR)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,  # it never ends
        f"the newest postgres backup is broken: /b/pg_0.00138889h.sql.gz (100.0 MiB, 5 s old): {NO_END}",
        backups=backups(dump(5, NO_END, begun=3 * HOUR), dump(8 * HOUR)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,  # it was left unfinished
        f"(100.0 MiB, 20 min old): {NO_END}",
        backups=backups(dump(20 * MINUTE, NO_END), dump(8 * HOUR)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "(100.0 MiB, 8 h old): its gzip is damaged: unexpected end of file",
        backups=backups(dump(8 * HOUR, DAMAGED), dump(32 * HOUR)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "(0 B, 8 h old): it is empty",
        backups=backups(dump(8 * HOUR, "it is empty", size=0)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "the newest redis backup is broken: /b/redis_8h.rdb.gz (1.0 MiB, 8 h old): it does not begin as an RDB file",
        backups=backups(dump(8 * HOUR), redis=(rdb(8 * HOUR, "it does not begin as an RDB file does"),)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "Redis backup copy FAILED! (limit 1 d 2 h)",
        backups=backups(dump(8 * HOUR), failures=("Redis backup copy FAILED!",)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,  # the folder that was read decides
        "no postgres backup in /b/postgres",
        backups=backups(redis=(), closed=("cannot open directory '/b/redis': Permission denied",)),
    ),
    faulty(
        backup.test_backups_are_young_and_whole,
        "no redis backup in /b/redis",
        backups=backups(dump(8 * HOUR), redis=(), closed=("cannot open directory '/b/log': Permission denied",)),
    ),
    unobserved(backup.test_backups_are_young_and_whole, DENIED, backups=REDIS_CLOSED),
    unobserved(backup.test_backups_are_young_and_whole, DENIED, backups=BOTH_CLOSED),
    unobserved(backup.test_backups_are_young_and_whole, DENIED, backups=LOG_FOLDER_CLOSED),
    unobserved(backup.test_backups_are_young_and_whole, DENIED, backups=LOG_CLOSED),
    unobserved(backup.test_backups_are_young_and_whole, DENIED, backups=DUMP_CLOSED),
    unobserved(backup.test_backups_are_young_and_whole),
    #
    healthy(backup.test_there_are_backups, backups=backups(dump(8 * HOUR))),
    healthy(backup.test_there_are_backups, backups=backups(dump(5, NO_END))),
    healthy(backup.test_there_are_backups, backups=backups(dump(8 * HOUR, DAMAGED))),
    healthy(backup.test_there_are_backups, backups=backups(redis=(), system_age=3 * HOUR)),
    healthy(backup.test_there_are_backups, backups=LOG_FOLDER_CLOSED),
    faulty(
        backup.test_there_are_backups,
        "no backup in /b/postgres, /b/redis",
        backups=backups(redis=(), system_age=90 * DAY),
    ),
    faulty(backup.test_there_are_backups, "no backup in /b/redis", backups=backups(dump(8 * HOUR), redis=())),
    faulty(
        backup.test_there_are_backups,
        "no backup in /b/postgres",
        backups=backups(redis=(), closed=("cannot open directory '/b/redis': Permission denied",)),
    ),
    unobserved(backup.test_there_are_backups, DENIED, backups=REDIS_CLOSED),
    unobserved(backup.test_there_are_backups),
    #
    healthy(backup.test_the_dump_is_whole, backups=backups(dump(8 * HOUR), dump(32 * HOUR))),
    healthy(backup.test_the_dump_is_whole, backups=backups(dump(5, NO_END, begun=90 * MINUTE), dump(8 * HOUR))),
    healthy(backup.test_the_dump_is_whole, backups=REDIS_CLOSED),
    faulty(
        backup.test_the_dump_is_whole,
        f"/b/pg_0.00138889h.sql.gz (100.0 MiB, 5 s old): {NO_END}",
        backups=backups(dump(5, NO_END, begun=3 * HOUR), dump(8 * HOUR)),
    ),
    faulty(
        backup.test_the_dump_is_whole,
        f"(100.0 MiB, 20 min old): {NO_END}",
        backups=backups(dump(20 * MINUTE, NO_END), dump(8 * HOUR)),
    ),
    faulty(
        backup.test_the_dump_is_whole,
        "/b/pg_8h.sql.gz (100.0 MiB, 8 h old): its gzip is damaged: unexpected end of file",
        backups=backups(dump(8 * HOUR, DAMAGED), dump(32 * HOUR)),
    ),
    faulty(
        backup.test_the_dump_is_whole,
        "/b/pg_8h.sql.gz (0 B, 8 h old): it is empty",
        backups=backups(dump(8 * HOUR, "it is empty", size=0)),
    ),
    unobserved(
        backup.test_the_dump_is_whole,
        "/b/pg_8h.sql.gz (100.0 MiB, 8 h old): not verified in full",
        backups=backups(dump(8 * HOUR, verified=False)),
    ),
    unobserved(
        backup.test_the_dump_is_whole,
        "there is no postgres backup to look at in /b/postgres",
        backups=backups(system_age=3 * HOUR),
    ),
    unobserved(
        backup.test_the_dump_is_whole,
        "there is no postgres backup to look at",  # the first of all is being written
        backups=backups(dump(5, NO_END, begun=90 * MINUTE)),
    ),
    unobserved(backup.test_the_dump_is_whole, DENIED, backups=BOTH_CLOSED),
    unobserved(backup.test_the_dump_is_whole, f"{DENIED} '/b/pg_8h.sql.gz'", backups=DUMP_CLOSED),
    unobserved(backup.test_the_dump_is_whole),
    #
    healthy(backup.test_the_redis_backup_is_whole, backups=backups(dump(8 * HOUR, DAMAGED))),
    faulty(
        backup.test_the_redis_backup_is_whole,
        "/b/redis_8h.rdb.gz (1.0 MiB, 8 h old): it does not end with a checksum",
        backups=backups(dump(8 * HOUR), redis=(rdb(8 * HOUR, "it does not end with a checksum"),)),
    ),
    unobserved(
        backup.test_the_redis_backup_is_whole,
        "there is no redis backup to look at in /b/redis",
        backups=backups(dump(8 * HOUR), redis=(), system_age=3 * HOUR),
    ),
    unobserved(backup.test_the_redis_backup_is_whole, DENIED, backups=REDIS_CLOSED),
    unobserved(backup.test_the_redis_backup_is_whole),
    #
    healthy(backup.test_the_backups_are_young, backups=backups(dump(26 * HOUR))),
    healthy(backup.test_the_backups_are_young, backups=backups(dump(8 * HOUR, DAMAGED))),
    healthy(backup.test_the_backups_are_young, backups=backups(dump(8 * HOUR), redis=(), system_age=3 * HOUR)),
    faulty(
        backup.test_the_backups_are_young,
        "stale: postgres; newest complete backups: postgres 1 d 8 h old, redis 8 h old (limit 1 d 2 h)",
        backups=backups(dump(32 * HOUR)),
    ),
    faulty(
        backup.test_the_backups_are_young,
        "stale: postgres; newest complete backups: postgres 1 d 8 h old, redis unknown (limit 1 d 2 h)",
        backups=backups(dump(32 * HOUR), redis=(), closed=("cannot open directory '/b/redis': Permission denied",)),
    ),
    unobserved(
        backup.test_the_backups_are_young,
        "there is no backup to look at",
        backups=backups(redis=(), system_age=3 * HOUR),
    ),
    unobserved(backup.test_the_backups_are_young, DENIED, backups=REDIS_CLOSED),
    unobserved(backup.test_the_backups_are_young, DENIED, backups=BOTH_CLOSED),
    unobserved(backup.test_the_backups_are_young),
    #
    healthy(backup.test_the_log_reports_no_failure, backups=backups(dump(8 * HOUR))),
    healthy(backup.test_the_log_reports_no_failure, backups=REDIS_CLOSED),
    faulty(
        backup.test_the_log_reports_no_failure,
        "2026-03-04.log: Redis BGSAVE FAILED!",
        backups=backups(dump(8 * HOUR), failures=("Redis BGSAVE FAILED!",)),
    ),
    unobserved(
        backup.test_the_log_reports_no_failure, "there is no log in /b/log", backups=backups(dump(8 * HOUR), log="")
    ),
    unobserved(backup.test_the_log_reports_no_failure, DENIED, backups=LOG_FOLDER_CLOSED),
    unobserved(backup.test_the_log_reports_no_failure, DENIED, backups=LOG_CLOSED),
    unobserved(backup.test_the_log_reports_no_failure),
    #
    healthy(backup.test_a_backup_could_be_made_now, backups=backups(dump(8 * HOUR), room=100)),
    faulty(
        backup.test_a_backup_could_be_made_now,
        "99.0 MiB left in /b/postgres, less than the newest dump",
        backups=backups(dump(8 * HOUR), room=99),
    ),
    unobserved(
        backup.test_a_backup_could_be_made_now,
        "there is no complete postgres backup in /b/postgres",  # there is no such folder
        backups=backups(room=None),
    ),
    unobserved(
        backup.test_a_backup_could_be_made_now,
        "there is no complete postgres backup in /b/postgres",
        backups=backups(dump(8 * HOUR, DAMAGED), room=0),
    ),
    unobserved(backup.test_a_backup_could_be_made_now, DENIED, backups=BOTH_CLOSED),
    unobserved(backup.test_a_backup_could_be_made_now),
    #
    healthy(backup.test_the_backups_kept_their_size, backups=backups(dump(8 * HOUR, size=50), dump(32 * HOUR))),
    healthy(
        backup.test_the_backups_kept_their_size,
        backups=backups(dump(8 * HOUR, "it is empty", size=0), dump(32 * HOUR)),
    ),
    faulty(
        backup.test_the_backups_kept_their_size,
        "/b/pg_8h.sql.gz has 49.0 MiB, the one before had 100.0 MiB",
        backups=backups(dump(5, NO_END), dump(8 * HOUR, size=49), dump(32 * HOUR)),
    ),
    unobserved(
        backup.test_the_backups_kept_their_size,
        "there are no two complete backups of a kind to compare",
        backups=backups(dump(8 * HOUR), redis=()),
    ),
    unobserved(backup.test_the_backups_kept_their_size, DENIED, backups=REDIS_CLOSED),
    unobserved(backup.test_the_backups_kept_their_size, DENIED, backups=BOTH_CLOSED),
    unobserved(backup.test_the_backups_kept_their_size),
    #
    healthy(backup.test_the_backups_were_read_whole, backups=backups(dump(8 * HOUR), dump(32 * HOUR))),
    faulty(
        backup.test_the_backups_were_read_whole,
        "/b/pg_8h.sql.gz (100.0 MiB, 8 h old): not verified in full",
        backups=backups(dump(8 * HOUR, verified=False)),
    ),
    unobserved(
        backup.test_the_backups_were_read_whole,
        "there is no complete backup",
        backups=backups(dump(8 * HOUR, DAMAGED), redis=()),
    ),
    unobserved(backup.test_the_backups_were_read_whole, DENIED, backups=REDIS_CLOSED),
    unobserved(backup.test_the_backups_were_read_whole, DENIED, backups=BOTH_CLOSED),
    unobserved(backup.test_the_backups_were_read_whole, DENIED, backups=DUMP_CLOSED),
    unobserved(backup.test_the_backups_were_read_whole),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
