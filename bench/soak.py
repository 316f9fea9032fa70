"""Many runs in random circumstances: none of a healthy stack raises anything, none of a broken one is green.

The circumstances are options of pytest, the environment, the order of the checks and the number of processes.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.processes import ROOT
from sandbox.breaking import break_stack, heal_stack
from sandbox.embedded import EmbeddedStack
from sandbox.faults import FAULTS
from sandbox.target import FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.fault import Fault
    from sandbox.stack import Stack

AT_ONCE = 2  # runs
EACH_FAULT = 5  # runs
SECONDS = 120  # of one run at most
NO_CACHE = "-pno:cacheprovider"
REFUSED = (4,)
OK, NOT_GREEN = (0,), (1, 2, 6)  # a run that is told to stop early may end before what fires
UNHURRIED = {"HighAPILatency": {"p95": 60.0}}  # seconds: a machine that is busy with many runs is not judged
LINES = 20  # of what a run said that ended otherwise than it had to

OPTIONS: tuple[tuple[str, ...], ...] = (
    ("-n0", "-n1", "-n2", "-n4"),
    ("--dist=load", "--dist=loadscope", "--dist=loadfile", "--dist=worksteal"),
    ("-x", "--maxfail=1", "--maxfail=3"),
    ("-v", "-vv", "-q", "-qq"),
    ("-ra", "-rA", "-rN"),
    ("--tb=short", "--tb=long", "--tb=native", "--tb=line", "--tb=no"),
    ("-s", "--capture=fd", "--capture=sys", "--capture=tee-sys", "--capture=no"),
    ("--color=yes", "--color=no"),
    ("--import-mode=prepend", "--import-mode=append", "--import-mode=importlib"),
    ("--lf", "--ff", "--nf", "--sw", "--cache-clear", NO_CACHE),
    ("--assert=plain", "--assert=rewrite"),
    ("--no-header", "--no-summary", "--durations=3", "--showlocals", "--setup-show", "--show-capture=no"),
    ("-pno:warnings", "-pno:faulthandler", "-pno:doctest"),
    ("--honor-silences", "--keep=1", "--strict", "--full-trace"),
)
ENVIRONMENT: tuple[dict[str, str], ...] = (
    {"PYTHONHASHSEED": "1"},
    {"PYTHONUTF8": "0", "LC_ALL": "C"},
    {"LC_ALL": "C", "LANG": ""},
    {"TZ": "Pacific/Auckland"},
    {"TZ": "America/St_Johns"},
    {"COLUMNS": "30", "LINES": "10"},
    {"NO_COLOR": "1"},
    {"FORCE_COLOR": "1"},
    {"TERM": "dumb"},
    {"CI": "true"},
    {"GITHUB_ACTIONS": "true"},
    {"PYTHONWARNINGS": "default"},
    {"PYTHONUNBUFFERED": "1"},
    {"PYTHONOPTIMIZE": "1"},  # refused: assertions do nothing there
    {"PYTHONDONTWRITEBYTECODE": "1"},
    {"HOME": "/nonexistent"},
    {"PYTEST_ADDOPTS": "-p no:randomly"},
    {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "socks5://127.0.0.1:1"},
    {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "API_URL": "http://127.0.0.1:1"},
    {"DOCKER_HOST": "tcp://127.0.0.1:1", "COMPOSE_PROJECT_NAME": "another"},
    {"PGHOSTADDR": "127.0.0.2", "PGPORT": "1", "PGUSER": "nobody", "PGOPTIONS": "-c search_path=nowhere"},
    {"PGSERVICE": "another", "PGSSLMODE": "require", "PGDATABASE": "another", "PGCONNECT_TIMEOUT": "1"},
)
FOLDERS = ("checks/sev0", "checks/sev1", "checks/sev2", "checks/sev3", "checks/monitoring")
FIRING = {name: fault for name, fault in FAULTS.items() if fault.expect.state == "firing"}


@dataclass(frozen=True)
class Circumstances:
    """The arguments of one run, and what its environment has beside the usual."""

    arguments: tuple[str, ...]
    environment: dict[str, str]

    def __str__(self) -> str:
        environment = [f"{name}={value}" for name, value in self.environment.items()]
        return shlex.join(["env", *environment, "pytest", *self.arguments])


def circumstances(chance: random.Random, selections: Sequence[Sequence[str]]) -> Circumstances:
    """Choose some options and some of the environment, and one of these selections; no selection is the whole suite."""
    kinds = chance.sample(OPTIONS, chance.randint(0, 5))
    environment: dict[str, str] = {}
    for part in chance.sample(ENVIRONMENT, chance.randint(0, 4)):
        environment |= part
    folders = chance.sample(FOLDERS, len(FOLDERS)) if chance.random() < 0.3 else []  # another order
    arguments = [chance.choice(kind) for kind in kinds]
    return Circumstances((*arguments, *chance.choice(selections), *folders), environment)


def run(stack: Stack, given: Circumstances) -> tuple[int, str]:
    """Judge a stack in these circumstances; return the exit status and what was said."""
    with tempfile.TemporaryDirectory() as folder:
        own = [f"--target={stack.folder / FILE}", f"--output={folder}/output"]
        if NO_CACHE not in given.arguments:
            own += ["-o", f"cache_dir={folder}/cache"]
        command = [sys.executable, "-m", "pytest", *own, *given.arguments]
        environment = os.environ | given.environment
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace", timeout=SECONDS,
            check=False,
        )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def healthy(stack: Stack, runs: int, seed: int) -> list[str]:
    """Judge a healthy stack so many times; return what was wrong with each run that was not ok."""
    chance = random.Random(seed)
    selections = ((), ("-m", "sev0"), ("-m", "sev0 or sev1"), ("-k", "workers"), ("-m", "not sev3"))
    stack.write_target(limits=UNHURRIED)
    try:
        return _wrong(stack, [circumstances(chance, selections) for _ in range(runs)], OK)
    finally:
        stack.write_target()


def broken(stack: Stack, runs: int, seed: int) -> list[str]:
    """Break a stack again and again and judge it so many times; return what was wrong with each run that was green."""
    chance = random.Random(seed)
    found = []
    for _ in range(0, runs, EACH_FAULT):
        fault = chance.choice(sorted(FIRING.values(), key=lambda one: one.name))
        break_stack(stack, fault)
        try:
            given = [circumstances(chance, ((), ("-k", module_of(fault)))) for _ in range(min(runs, EACH_FAULT))]
            found += [f"{fault.name}: {words}" for words in _wrong(stack, given, NOT_GREEN)]
        finally:
            heal_stack(stack)
    return found


def module_of(fault: Fault) -> str:
    """Return the name of the module of the alert that a fault makes fire."""
    assert fault.expect.alert
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", fault.expect.alert).lower()


def _wrong(stack: Stack, given: list[Circumstances], right: tuple[int, ...]) -> list[str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(lambda one: run(stack, one), given))
    return [
        "\n".join([f"{one}: exit status {status}", *said.strip().splitlines()[-LINES:]])
        for one, (status, said) in zip(given, done, strict=True)
        if status not in (REFUSED if "PYTHONOPTIMIZE" in one.environment else right)
    ]


def main() -> int:
    """Judge a healthy and a broken sandbox; return 1 where a run was not as it had to be."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeats the circumstances of another soak")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        stack = EmbeddedStack.up(Path(scratch) / "sandbox")
        try:
            raised = healthy(stack, options.runs, options.seed)
            print(
                f"{options.runs} healthy runs: {len(raised) or 'none'} raised anything", *raised, sep="\n", flush=True
            )
            green = broken(stack, options.runs, options.seed)
            print(f"{options.runs} broken runs: {len(green) or 'none'} did not fire", *green, sep="\n")
        finally:
            stack.down()
    return 1 if raised or green else 0


if __name__ == "__main__":
    sys.exit(main())
