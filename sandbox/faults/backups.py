"""Faults of the backups."""

from __future__ import annotations

import gzip
import os
import re
import time
import zlib
from functools import partial
from typing import TYPE_CHECKING

from sandbox import backups
from sandbox.fault import Expect, Fault, Stack, Step
from sandbox.polling import require

if TYPE_CHECKING:
    from collections.abc import Callable

ALERT = "BackupFailed"
HOUR = backups.HOUR
DAY = 24 * HOUR
GIGABYTES = 4
CLOSING = b"-- PostgreSQL database dump complete"


def _remove(stack: Stack) -> None:
    for path in backups.files(stack, "postgres", "redis"):
        path.unlink()


def _none_left(stack: Stack) -> None:
    require(not backups.files(stack, "postgres"), "there are still backups")


def _make_old(stack: Stack) -> None:
    moment = time.time() - 40 * HOUR
    for path in backups.files(stack, "postgres", "redis"):
        os.utime(path, (moment, moment))


def _old(stack: Stack) -> None:
    age = time.time() - backups.newest(stack, "postgres").stat().st_mtime
    require(age > 26 * HOUR, f"the newest backup is {age / HOUR:.0f} h old")


def _put_truncated(stack: Stack) -> None:
    dump = stack.dump()
    backups.put(stack, "postgres", gzip.compress(dump[: dump.rindex(CLOSING)], 1), HOUR)


def _put_half(stack: Stack, begun: float) -> None:
    whole = gzip.compress(stack.dump(), 1)
    backups.put(stack, "postgres", whole[: len(whole) // 2], begun, written=0)


def _damage(stack: Stack) -> None:
    content = bytearray(backups.newest(stack, "postgres").read_bytes())
    content[len(content) // 2] ^= 0xFF
    backups.put(stack, "postgres", bytes(content), HOUR)


def _put(stack: Stack, dump: bytes, *, written: float | None = None) -> None:
    backups.put(stack, "postgres", gzip.compress(dump, 1), HOUR, written=written)


def _rows_of(dump: bytes, *tables: bytes) -> bytes:
    """Return what a dump copies into these tables."""
    return b"".join(re.findall(rb"^COPY public\.(?:%s) .*?^\\\.\n" % b"|".join(tables), dump, re.DOTALL | re.MULTILINE))


def _of_another(dump: bytes) -> bytes:
    """Return a dump in which every task has another id."""
    tasks = _rows_of(dump, b"task")
    return dump.replace(tasks, re.sub(rb"^[0-9a-f]{8}-", b"ffffffff-", tasks, flags=re.MULTILINE))


def _damage_within(rdb: bytes) -> bytes:
    middle = len(rdb) // 2
    return rdb[:middle] + bytes([rdb[middle] ^ 1]) + rdb[middle + 1 :]


def put_too_large(stack: Stack, gigabytes: int = GIGABYTES) -> None:
    """Add a dump that is cut off, and so long that gzip, which packs it well, takes its time to unpack it."""
    dump = stack.dump()
    filling = gzip.compress(b"-- nothing but a remark, again and again, so that the file is long\n" * 1_000_000, 1)
    cut_off = gzip.compress(dump[: dump.rindex(CLOSING)], 1)
    backups.put(stack, "postgres", cut_off + filling * gigabytes * 15, HOUR)


def _remove_times(stack: Stack) -> None:
    """Let every backup be written three days from now, under a name without a time."""
    backups.date_ahead(stack, 3 * DAY)
    for number, path in enumerate(backups.files(stack, "postgres", "redis")):
        path.rename(path.with_name(f"backup{number}.{path.name.split('.', 1)[1]}"))


def _ahead(stack: Stack) -> None:
    require(backups.newest(stack, "postgres").stat().st_mtime > time.time() + DAY, "no backup is dated ahead")


def _newest_is(kind: str, judge: Callable[[bytes], bool], stack: Stack) -> None:
    path = backups.newest(stack, kind)
    require(judge(path.read_bytes()), f"{path.name} is not broken as intended")


def _unreadable(content: bytes) -> bool:
    try:
        gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return True
    return False


def _backup(name: str, does: str, cause: str | None, break_: Step, took_hold: Step, state: str = "firing") -> Fault:
    return Fault(name, does, Expect(ALERT, state, cause), break_, took_hold, backups.make)  # type: ignore[arg-type]


MISSING = _backup("backup-missing", "removes every backup", "backup-missing", _remove, _none_left)
STALE = _backup("backup-stale", "makes every backup 40 hours old", "backup-stale", _make_old, _old)
TRUNCATED = _backup(
    "backup-truncated", "adds a dump that is cut off before its closing line", "dump-broken", _put_truncated,
    partial(_newest_is, "postgres", lambda content: CLOSING not in gzip.decompress(content)),
)  # fmt: skip
BEING_WRITTEN = _backup(
    "backup-being-written", "adds a dump that is still being written", None, partial(_put_half, begun=120),
    partial(_newest_is, "postgres", _unreadable), "ok",
)  # fmt: skip
NEVER_ENDS = _backup(
    "backup-never-ends", "adds a dump that is still being written after three hours", "dump-broken",
    partial(_put_half, begun=3 * HOUR),
    partial(_newest_is, "postgres", _unreadable),
)  # fmt: skip
CORRUPT = _backup(
    "backup-corrupt-gzip", "adds a dump with damaged gzip data", "dump-broken", _damage,
    partial(_newest_is, "postgres", _unreadable),
)  # fmt: skip
EMPTY = _backup(
    "backup-empty", "adds an empty dump", "dump-broken",
    lambda stack: backups.put(stack, "postgres", b"", HOUR),
    partial(_newest_is, "postgres", lambda content: not content),
)  # fmt: skip
SHRUNKEN = _backup(
    "backup-shrunken", "adds a complete dump that lacks most of the data", "backup-shrunken",
    lambda stack: _put(stack, _rows_of(stack.dump(), b"agent", b"task") + b"--\n" + CLOSING + b"\n\n"),
    partial(_newest_is, "postgres", lambda content: len(content) < 2000), "noted",
)  # fmt: skip
EMPTY_DATABASE = _backup(
    "backup-of-an-empty-database", "adds the complete dump of a database without a table", "dump-broken",
    lambda stack: _put(stack, b"--\n-- PostgreSQL database dump\n--\n\n--\n" + CLOSING + b"\n--\n\n"),
    partial(_newest_is, "postgres", lambda content: len(content) < 200),
)  # fmt: skip
ANOTHER_DATABASE = _backup(
    "backup-of-another-database", "adds the complete dump of another Ordinaut", "dump-broken",
    lambda stack: _put(stack, _of_another(stack.dump())),
    partial(_newest_is, "postgres", lambda content: b"\nffffffff-" in gzip.decompress(content)),
)  # fmt: skip
TRUNCATED_AHEAD = _backup(
    "backup-truncated-ahead", "adds a dump that is cut off and dated three days ahead", "dump-broken",
    lambda stack: _put(stack, stack.dump()[:4000], written=-3 * DAY), _ahead,
)  # fmt: skip
DATED_AHEAD = _backup(
    "backup-dated-ahead", "dates every backup three days ahead; their names are right", "backup-dated-ahead",
    lambda stack: backups.date_ahead(stack, 3 * DAY), _ahead, "noted",
)  # fmt: skip
OF_UNKNOWN_AGE = _backup(
    "backup-of-unknown-age", "dates every backup three days ahead, and takes the time out of its name", None,
    _remove_times, _ahead, "unknown",
)  # fmt: skip
TOO_LARGE = _backup(
    "backup-too-large", f"adds a dump of {GIGABYTES} GB that is cut off", "backup-not-verified", put_too_large,
    partial(_newest_is, "postgres", lambda content: len(content) > 1_000_000), "noted",
)  # fmt: skip
LOG_FAILED = _backup(
    "backup-log-failed", "makes the backup script's log report a failure", "script-reported-failure",
    lambda stack: backups.write_log(stack, ["PostgreSQL backup completed", "Redis backup FAILED: connection refused"]),
    partial(_newest_is, "log", lambda content: b"FAILED" in content),
)  # fmt: skip
REDIS_CORRUPT = _backup(
    "redis-backup-corrupt", "adds an RDB file without its checksum", "redis-backup-broken",
    lambda stack: backups.put(stack, "redis", stack.rdb()[:-20], HOUR, suffix=""),
    partial(_newest_is, "redis", lambda content: content.startswith((b"REDIS", b"VALKEY"))),
)  # fmt: skip
REDIS_DAMAGED = _backup(
    "redis-backup-damaged", "adds an RDB file with a wrong bit in its middle", "redis-backup-broken",
    lambda stack: backups.put(stack, "redis", gzip.compress(_damage_within(stack.rdb()), 1), HOUR),
    partial(_newest_is, "redis", lambda content: not _unreadable(content)),
)  # fmt: skip
