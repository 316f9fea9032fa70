"""Four files add an alert on facts that exist, and leaving one of them out is one sentence of a failing test.

DueWorkWaits is added to a copy of the project. CONTRIBUTING.md says the same in words.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.projects import ROOT, environment, run_pytest

if TYPE_CHECKING:
    from pathlib import Path

CHECKS = '''"""DueWorkWaits: work is due, and nobody takes it."""

from fixtures.queue.items import OldestItem
from fixtures.queue.workers import HeartbeatLimits, Heartbeats
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import minutes
from playbook.quantities import Span


class Limits(HeartbeatLimits):
    """The limits of the alert."""

    wait: Span = minutes(10)


ALERT = Alert(
    name="DueWorkWaits",
    severity=2,
    trigger="an item has been due, and not taken, for more than {wait}",
    impact="tasks run late",
    limits=Limits,
    expression="ordinaut_due_work_oldest_seconds > $wait",
    respond_within=minutes(30),
    escalate_after=minutes(60),
)


@trigger(measures="oldest_item.overdue", against="wait")
def test_due_work_is_taken_in_time(oldest_item: OldestItem, limits: Limits) -> None:
    """No item has been due for longer than the limit."""
    assert not oldest_item.waits_longer_than(limits.wait), f"{oldest_item} (limit {limits.wait})"


@diagnostic(cause="no-worker-is-alive", explained_by="NoActiveWorkers")
def test_some_worker_is_alive(heartbeats: Heartbeats, limits: Limits) -> None:
    """Some worker sent a heartbeat within the limit."""
    assert heartbeats.seen_within(limits.heartbeat_age), f"{heartbeats} (limit {limits.heartbeat_age})"


@diagnostic(cause="workers-take-nothing")
def test_workers_that_are_alive_take_work(heartbeats: Heartbeats, oldest_item: OldestItem, limits: Limits) -> None:
    """Workers that are alive take due work."""
    waits = oldest_item.waits_longer_than(limits.wait)
    assert not (waits and heartbeats.seen_within(limits.heartbeat_age)), f"{oldest_item}, although {heartbeats}"
'''

RUNBOOK = """# DueWorkWaits

## Meaning

An item has been due for more than 10 minutes, and no worker has taken it.

## Impact

Tasks run late.

## Diagnosis

| check | cause |
|---|---|
| `test_due_work_is_taken_in_time` | trigger: decides whether the alert fires |
| `test_some_worker_is_alive` | no-worker-is-alive |
| `test_workers_that_are_alive_take_work` | workers-take-nothing |

## No worker is alive

1. **safe** Follow the runbook of NoActiveWorkers.

## Workers take nothing

1. **safe** See what the workers do: `docker compose -f ops/docker-compose.yml logs --tail 50 worker`
2. **disruptive** Restart them: `docker compose -f ops/docker-compose.yml restart worker`

## Verify

The report shows DueWorkWaits as ok.

## Escalation

After one hour.
"""

FAULTS = '''"""Faults of work that waits."""

from sandbox.fault import Consequence, Expect, Fault, Stack
from sandbox.faults.workers import make_task, queue_items
from sandbox.polling import require

TASK = "00000000-0000-4000-8000-0000000000d1"


def _leave(stack: Stack) -> None:
    stack.switch(workers_take=False)
    make_task(stack, TASK, "Nobody's item")
    queue_items(stack, TASK, 3, due="-30 minutes")


def _waits(stack: Stack) -> None:
    require(bool(stack.sql("SELECT 1 FROM due_work WHERE task_id = %s", (TASK,))), "no item waits")


def _take(stack: Stack) -> None:
    stack.sql("DELETE FROM task WHERE id = %s", (TASK,))
    stack.switch(workers_take=True)


WORK_WAITS = Fault(
    name="work-waits",
    does="stops the workers from taking items that have been due for half an hour",
    expect=Expect("DueWorkWaits", "firing", "workers-take-nothing", ("LowTaskThroughput",)),
    break_=_leave,
    took_hold=_waits,
    heal=_take,
)
ALSO = Consequence("DueWorkWaits", of=("queue-backlog", "queue-deep", "throughput-low"))
'''

CASES = """from __future__ import annotations

from checks.sev2 import test_due_work_waits as waiting
from fixtures.queue.items import OldestItem
from fixtures.queue.workers import Heartbeat, Heartbeats
from playbook.quantities import Count, Span
from tests.cases import Case, faulty, healthy, parametrized, unobserved
from tests.rules import fires, quiet

IDLE, LATE = OldestItem(None), OldestItem(Span(900))


def heartbeats(age: float) -> Heartbeats:
    return Heartbeats((Heartbeat("worker-1", Span(age), Count(10), 4711, "host", Span(3600)),), None)


CASES: list[Case] = [
    healthy(waiting.test_due_work_is_taken_in_time, oldest_item=IDLE),
    faulty(waiting.test_due_work_is_taken_in_time, "due for 15 min (limit 10 min)", oldest_item=LATE),
    unobserved(waiting.test_due_work_is_taken_in_time),
    healthy(waiting.test_some_worker_is_alive, heartbeats=heartbeats(10)),
    faulty(waiting.test_some_worker_is_alive, "(limit 3 min)", heartbeats=heartbeats(900)),
    unobserved(waiting.test_some_worker_is_alive),
    healthy(waiting.test_workers_that_are_alive_take_work, oldest_item=IDLE, heartbeats=heartbeats(10)),
    faulty(waiting.test_workers_that_are_alive_take_work, "although", oldest_item=LATE, heartbeats=heartbeats(10)),
    unobserved(waiting.test_workers_that_are_alive_take_work, heartbeats=heartbeats(10)),
]
RULES = [
    fires("DueWorkWaits", ordinaut_due_work_oldest_seconds="601x20"),
    quiet("DueWorkWaits", ordinaut_due_work_oldest_seconds="600x20"),
]


@parametrized(CASES)
def test_case(case: Case) -> None:
    case.prove()
"""

MODULE, PAGE = "checks/sev2/test_due_work_waits.py", "runbooks/DueWorkWaits.md"
FAULT_FILE, CASE_FILE = "sandbox/faults/waiting.py", f"tests/{MODULE}"
FOUR = {MODULE: CHECKS, PAGE: RUNBOOK, FAULT_FILE: FAULTS, CASE_FILE: CASES}
EMBEDDED, COMPOSE = "sandbox/faults/", "sandbox/compose/faults/"
COPIED = ("checks", "fixtures", "playbook", "reports", "runbooks", "sandbox", "tests")
FILES = ("README.md", "conftest.py", "pyproject.toml")
CONTRACT = ("tests/checks/test_contract.py", "tests/checks/test_every_check.py")
OF_RULES = "tests/reports/commands/test_rules.py::test_every_rule_has_cases_in_which_it_fires_and_in_which_it_does_not"


def copy_with(folder: Path, files: dict[str, str]) -> Path:
    """Copy the project, add these files, and write the generated ones; return the copy."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("output", "__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    for name, text in files.items():
        assert not (folder / name).exists()
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "reports.commands.readme"]
    subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=True, timeout=60)
    return folder


def test_four_files_are_enough(tmp_path: Path) -> None:
    copy = copy_with(tmp_path, FOUR)
    done = run_pytest(*CONTRACT, OF_RULES, CASE_FILE, "-q", "-p", "no:xdist", cwd=copy)
    assert done.returncode == 0, done.stdout
    assert "DueWorkWaits" in run_pytest(*CONTRACT, "--collect-only", "-q", cwd=copy).stdout
    collected = run_pytest("--collect-only", "-q", cwd=copy)  # as `make lint` does
    assert collected.returncode == 0, collected.stdout
    assert f"{MODULE}::test_due_work_is_taken_in_time" in collected.stdout
    assert "| DueWorkWaits | 2 | an item has been due, and not taken, for more than 10 min |" in (
        copy / "README.md"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("left_out", "sentences"),
    [
        (
            MODULE,
            [
                f"{PAGE} belongs to no alert: write checks/sev…/test_due_work_waits.py, or delete the runbook",
                "the fault work-waits expects DueWorkWaits: there is no such alert",
                "a consequence in sandbox/ is about DueWorkWaits: there is no such alert",
            ],
        ),
        (PAGE, [f"DueWorkWaits has no runbook: write {PAGE}"]),
        (
            FAULT_FILE,
            [
                f"no fault on the embedded form of the sandbox makes DueWorkWaits fire: write one in {EMBEDDED} with",
                f"no fault on the compose form of the sandbox makes DueWorkWaits fire: write one in {COMPOSE} with",
            ],
        ),
        (CASE_FILE, [f"DueWorkWaits has no literal cases: write {CASE_FILE}"]),
    ],
    ids=["check module", "runbook", "faults", "literal cases"],
)
def test_a_file_that_is_left_out_is_named(tmp_path: Path, left_out: str, sentences: list[str]) -> None:
    copy = copy_with(tmp_path, {name: text for name, text in FOUR.items() if name != left_out})
    done = run_pytest(*CONTRACT, "-q", "-p", "no:xdist", cwd=copy)
    assert done.returncode == 1, done.stdout
    for sentence in sentences:
        assert sentence in done.stdout
    assert not {"IndexError", "KeyError", "ERROR"} & set(done.stdout.replace(":", " ").split()), done.stdout


def test_a_rule_without_cases_is_named(tmp_path: Path) -> None:
    copy = copy_with(tmp_path, FOUR | {CASE_FILE: CASES.replace("RULES = [", "OTHERS = [")})
    done = run_pytest(OF_RULES, "-q", "-p", "no:xdist", cwd=copy)
    assert done.returncode == 1, done.stdout
    sentence = "DueWorkWaits has an expression and no case of its rule: add RULES = [fires('DueWorkWaits', …)] to"
    assert f"{sentence} {CASE_FILE}" in done.stdout
