"""A whole run ends within its deadline and little memory, whatever every part of the target answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.hostile import BEHAVIOURS, hostile
from tests.projects import ROOT, environment
from tests.reports.test_interruption import newest, results_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.server
RUN = 20.0  # seconds: on an idle machine it takes three
ENDS = RUN + 2 + 5  # seconds; the last ones are for a busy machine
MEMORY = 300 << 20  # bytes
HOLE = 600 << 20  # bytes


# A process starts out with the peak of the one that it was forked from: so a small one starts the run.
MEASURED = (
    "import resource, subprocess, sys; status = subprocess.call(sys.argv[2:]);"
    " open(sys.argv[1], 'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)); sys.exit(status)"
)


def judged(target: Path, output: Path, *arguments: str) -> tuple[int, str, float, int]:
    """Run the suite; return its exit status, what it printed, its seconds and the most bytes a process of it used."""
    used = output.with_suffix(".kib")
    command = [sys.executable, "-m", "pytest", f"--target={target}", f"--output={output}", *arguments]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, used, *command], cwd=ROOT, env=environment(), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    took = time.monotonic() - began
    return done.returncode, done.stdout + done.stderr, took, int(used.read_text()) << 10


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_run_ends_whatever_is_answered(behaviour: str, tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.touch()
    os.truncate(log, HOLE)
    with ExitStack() as servers:
        http, redis, postgres = (
            servers.enter_context(hostile(kind, behaviour)) for kind in ("http", "redis", "postgres")
        )
        where = f"http://127.0.0.1:{http}"
        target = tmp_path / "target.toml"
        target.write_text(
            f'name = "hostile"\napi_url = "{where}"\nprometheus_url = "{where}"\nalertmanager_url = "{where}"\n'
            f'grafana_url = "{where}"\nredis_url = "redis://127.0.0.1:{redis}/0"\n'
            f'database_url = "postgresql://o:o@127.0.0.1:{postgres}/o"\ndocker = "tcp://127.0.0.1:{http}"\n'
            f'project = "ordinaut"\n[logs]\napi = "{log}"\n[deadlines]\nconnect = 1.0\ncall = 1.0\nrun = {RUN}\n'
        )
        status, printed, seconds, used = judged(target, tmp_path / "output", f"--ping={where}", "--hosts=local://")
    assert status == 1, printed
    assert seconds < ENDS
    assert used < MEMORY
    states = {alert["name"]: alert["state"] for alert in results_of(newest(tmp_path / "output"))["alerts"]}
    assert states["OrchestratorAPIDown"] == "firing", printed
    assert "ok" not in {states[name] for name in ("OrchestratorDatabaseDown", "NoActiveWorkers", "SchedulerOffline")}


def test_an_endless_engine_ends_discovery(tmp_path: Path) -> None:
    """Containers without end, one after the other."""
    with hostile("http", "endless") as port:
        target = tmp_path / "target.toml"
        target.write_text(f'docker = "tcp://127.0.0.1:{port}"\n[deadlines]\nconnect = 1.0\ncall = 1.0\nrun = {RUN}\n')
        status, printed, seconds, used = judged(target, tmp_path / "output", "-m", "sev0")
    assert status in (4, 6), printed
    assert seconds < ENDS
    assert used < MEMORY
