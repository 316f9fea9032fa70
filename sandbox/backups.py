"""The backups of the last two nights, as the real system's daily script leaves them."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.stack import Stack

HOUR = 3600
NIGHTS = (8 * HOUR, 32 * HOUR)  # seconds ago
LOG = "log"


def folder_of(stack: Stack, kind: str) -> Path:
    """Return the folder of a kind: `postgres`, `redis` or `log`."""
    return stack.folder / "backups" / ("postgres/daily" if kind == "postgres" else kind)


def make(stack: Stack) -> None:
    """Replace all backups with complete ones, made with the real tools, and the script's log."""
    shutil.rmtree(stack.folder / "backups", ignore_errors=True)
    for kind in ("postgres", "redis", LOG):
        folder_of(stack, kind).mkdir(parents=True)
    dump, rdb = gzip.compress(stack.dump(), 1), gzip.compress(stack.rdb(), 1)
    for ago in NIGHTS:
        put(stack, "postgres", dump, ago)
        put(stack, "redis", rdb, ago)
    write_log(stack, ["PostgreSQL backup completed", "Redis backup completed", "Configuration backup completed"])


def put(
    stack: Stack, kind: str, content: bytes, ago: float, *, written: float | None = None, suffix: str = "gz"
) -> Path:
    """Write a backup begun `ago` seconds ago and last written `written` seconds ago, by default when it was begun."""
    begun = datetime.fromtimestamp(time.time() - ago)  # noqa: DTZ006  the host's own time, as the script names files
    stem = "orchestrator" if kind == "postgres" else "redis"
    ending = ("sql" if kind == "postgres" else "rdb") + (f".{suffix}" if suffix else "")
    path = folder_of(stack, kind) / f"{stem}_{begun:%Y%m%d_%H%M%S}.{ending}"
    path.write_bytes(content)
    moment = time.time() - (ago if written is None else written)
    os.utime(path, (moment, moment))
    return path


def date_ahead(stack: Stack, seconds: float) -> None:
    """Let every backup be written so many seconds from now."""
    moment = time.time() + seconds
    for path in files(stack, "postgres", "redis"):
        os.utime(path, (moment, moment))


def files(stack: Stack, *kinds: str) -> list[Path]:
    """Return the files of these kinds."""
    return [path for kind in kinds for path in folder_of(stack, kind).iterdir()]


def newest(stack: Stack, kind: str) -> Path:
    """Return the newest backup of a kind."""
    return max(files(stack, kind), key=lambda path: path.stat().st_mtime)


def write_log(stack: Stack, lines: list[str]) -> None:
    """Write the log of last night."""
    at = datetime.fromtimestamp(time.time() - NIGHTS[0])  # noqa: DTZ006
    text = "".join(f"[{at:%Y-%m-%d %H:%M:%S}] {line}\n" for line in lines)
    (folder_of(stack, LOG) / f"{at:%Y-%m-%d}.log").write_text(text)
