"""Whole runs in worlds where anything may be bent: documented exit statuses, no traceback, no secret, no control."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from sandbox.target import FILE
from tests.fuzz.answers import SECRET
from tests.fuzz.worlds import World, serving, worlds
from tests.projects import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack

PARTS, EACH = range(8), 25  # 200 runs
DOCUMENTED = (0, 1, 4, 5, 6)  # neither interrupted nor an error of our own
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SECONDS = 60


def target_of(stack: EmbeddedStack, world: World, addresses: dict[str, str], folder: Path) -> Path:
    """Write the settings of a target whose servers are bent, but for PostgreSQL and Redis."""
    known = tomllib.loads((stack.folder / FILE).read_text())
    log, backups = folder / "a.log", folder / "backups"
    log.write_bytes(world.log)
    shutil.copytree(stack.folder / "backups", backups)
    for name in world.names:
        (backups / "postgres" / "daily" / name).write_bytes(world.log)
    tables = {
        "": {
            "name": "fuzzed", "database_url": known["database_url"], "redis_url": known["redis_url"],
            "project": "ordinaut",
            **{f"{part}_url": f"http://{address}" for part, address in addresses.items() if part != "docker"},
            "docker": f"tcp://{addresses['docker']}",
        },
        "logs": dict.fromkeys(("api", "worker", "scheduler", "postgres"), str(log)),
        "backups": {"postgres": f"{backups}/postgres/daily", "redis": f"{backups}/redis", "logs": f"{backups}/log"},
        "deadlines": {"connect": 1, "call": 1.5, "run": 5},
    }  # fmt: skip
    lines = [line for table, rows in tables.items() for line in _table(table, rows)]
    path = folder / "target.toml"
    path.write_text("\n".join(lines))
    return path


def _table(name: str, rows: dict[str, object]) -> list[str]:
    return [*([f"[{name}]"] if name else []), *(f"{key} = {json.dumps(value)}" for key, value in rows.items())]


def insert(stack: EmbeddedStack, world: World) -> None:
    """Add the rows of a world that PostgreSQL takes."""
    for number, (title, kind, schedule) in enumerate(world.rows):
        _try(
            stack,
            "INSERT INTO task (id, title, description, created_by, schedule_kind, schedule_expr, payload)"
            " SELECT gen_random_uuid(), %s, 'fuzz', id, %s, %s, %s::jsonb FROM agent LIMIT 1",
            (title, kind, schedule, json.dumps(world.payload if number else {"pipeline": []})),
        )
    for host in world.workers:
        _try(
            stack,
            "INSERT INTO worker_heartbeat (worker_id, last_seen, processed_count, pid, hostname)"
            " VALUES (%s, now(), 1, 1, %s)",
            (f"fuzz {host}", host),
        )


def _try(stack: EmbeddedStack, statement: str, parameters: tuple[object, ...]) -> None:
    try:
        stack.sql(statement, parameters)
    except (psycopg.Error, UnicodeError):
        return  # no client can write that


def remove(stack: EmbeddedStack) -> None:
    """Remove what was inserted."""
    stack.sql("DELETE FROM task WHERE description = 'fuzz'")
    stack.sql("DELETE FROM worker_heartbeat WHERE starts_with(worker_id, 'fuzz ')")


@pytest.mark.parametrize("part", PARTS)
def test_a_run_keeps_its_promises(part: int, sandbox: EmbeddedStack, tmp_path: Path) -> None:
    @seed(part)
    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds)
    def holds(world: World) -> None:
        folder = tmp_path / "world"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        insert(sandbox, world)
        try:
            with serving(world) as addresses:
                target = target_of(sandbox, world, addresses, folder)
                require_promises(sandbox, target, folder)
        finally:
            remove(sandbox)

    holds()


def require_promises(stack: EmbeddedStack, target: Path, folder: Path) -> None:
    """Judge, and look at all that came out."""
    command = [
        sys.executable, "-m", "pytest", f"--target={target}", f"--output={folder}/out",
        f"--metrics={folder}/metrics.prom", "--honor-silences", "-v", "-ra", "-p", "no:cacheprovider",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, timeout=SECONDS, check=False)
    said = done.stdout.decode() + done.stderr.decode()
    assert done.returncode in DOCUMENTED, said
    assert "Traceback (most recent" not in said, said
    assert not CONTROL.search(said), repr(CONTROL.findall(said)) + said
    outputs = {"terminal": said} | {
        path.name: path.read_text(errors="replace")
        for path in [*folder.joinpath("out").rglob("*"), folder / "metrics.prom"]
        if path.is_file() and path.suffix != ".sqlite"
    }
    for name, text in outputs.items():
        for secret in (SECRET, stack.password):
            assert secret not in text, f"{name}: …{text[max(0, text.find(secret) - 200) : text.find(secret) + 50]}…"
