"""Measure: the suite against the playbook and an empty session, frozen dependencies, SQL on large tables, masking."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import psycopg

from bench import compose, history, masking, monitoring
from bench.processes import ROOT, empty_session, health_run, in_turn, raised_nothing, ratio, reached, show
from bench.statements import Asked, Statement, milliseconds, plan, playbook, sql_probes, statements_of
from fixtures.clients.context import ClientContext
from fixtures.clients.docker import Engine
from fixtures.clients.engine import NO_ENGINE
from fixtures.clients.masking import Masker
from fixtures.settings import settings_of_target
from fixtures.target import Target
from playbook.catalogue import Catalogue
from playbook.evidence import Cost
from sandbox.breaking import break_stack, heal_stack
from sandbox.compose import engine
from sandbox.embedded import EmbeddedStack
from sandbox.faults import FAULTS
from sandbox.filling import fill
from sandbox.target import FILE

EACH_AT_MOST = 5.0  # ms, of a statement on the large tables
FROZEN_AT_MOST = 4.0  # s: one call's deadline + 1 s


def main() -> int:
    """Measure, print the numbers, and return 1 where one of the design was not reached."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="runs of each command, in turn")
    parser.add_argument("--runs", type=int, default=5_000_000, help="rows of task_run")
    parser.add_argument("--items", type=int, default=500_000, help="rows of due_work")
    parser.add_argument(
        "--healthy", type=int, default=100, help="healthy runs with monitoring, and twice as many without"
    )
    parser.add_argument("--no-sql", action="store_true", help="leave the large tables out")
    arguments = parser.parse_args()
    met = masking.measure(arguments.rounds)
    met &= _in_containers(arguments.rounds) & monitoring.measure(arguments.rounds, arguments.healthy)
    with tempfile.TemporaryDirectory() as scratch:
        stack = EmbeddedStack.up(Path(scratch) / "sandbox")
        try:
            met &= _embedded(stack, arguments.rounds)
            met &= raised_nothing("A healthy sandbox", 2 * arguments.healthy, f"--target={stack.folder / FILE}")
            met &= _frozen(stack)
            met &= history.measure(stack.folder / FILE, arguments.rounds)
            if not arguments.no_sql:
                met &= _sql(stack, arguments.runs, arguments.items)
        finally:
            stack.down()
    return 0 if met else 1


def _in_containers(rounds: int) -> bool:
    if not engine.answers(5):
        print("No Docker engine answers, so nothing is measured in containers: `.ci/docker start` starts one, as root")
        return True
    return compose.measure(rounds)


def _embedded(stack: EmbeddedStack, rounds: int) -> bool:
    """Time an empty session, the severity-0 alerts and all of them, in turn."""
    with empty_session() as empty:
        kinds = {
            compose.EMPTY: empty,
            compose.SEV0: lambda: _suite(stack, "-m", "sev0"),
            compose.ALL: lambda: _suite(stack),
        }
        timed = in_turn(kinds, rounds)
    show("Embedded sandbox, whole processes", timed, compose.EMPTY)
    return reached("sev0 of an empty session", ratio(timed, compose.SEV0, compose.EMPTY), 1.8)


def _suite(stack: EmbeddedStack, *arguments: str, status: int = 0) -> float:
    return health_run(f"--target={stack.folder / FILE}", *arguments, status=status)


def _frozen(stack: EmbeddedStack) -> bool:
    """Time severity 0 and all alerts with PostgreSQL, Redis and the API frozen, against healthy runs."""
    kinds = {compose.SEV0: ("-m", "sev0"), compose.ALL: ()}
    healthy = {name: _median(stack, *arguments) for name, arguments in kinds.items()}
    for fault in ("postgres-hung", "redis-hung", "api-hung"):
        break_stack(stack, FAULTS[fault])
    more = {name: _median(stack, *arguments, status=1) - healthy[name] for name, arguments in kinds.items()}
    heal_stack(stack)
    print("\nEvery dependency frozen, against a healthy run")
    met = [reached(f"{name}, more", seconds, FROZEN_AT_MOST, "s") for name, seconds in more.items()]
    return all(met)


def _median(stack: EmbeddedStack, *arguments: str, status: int = 0) -> float:
    return statistics.median(_suite(stack, *arguments, status=status) for _ in range(3))


def _sql(stack: EmbeddedStack, runs: int, items: int) -> bool:
    """Time every statement of a run on small and on large tables, and the playbook's on the large ones."""
    print(f"\nFilling {runs // 100:,} task_run and {items // 100:,} due_work rows …")
    fill(stack, runs=runs // 100, items=items // 100)
    small = sum(took for _, _, took in _timed(stack, statements_of(target_of(stack), sql_probes())))
    print(f"Filling {runs:,} task_run and {items:,} due_work rows …")
    fill(stack, runs=runs - runs // 100, items=items - items // 100)
    asked = statements_of(target_of(stack), sql_probes())
    ours = _timed(stack, asked, "ours")
    theirs = sum(took for _, _, took in _timed(stack, playbook(), "the playbook's"))
    large = sum(took for _, _, took in ours)
    print(f"  together {large:.1f} ms, on the small tables {small:.1f} ms")
    return all(
        [
            reached("the slowest of ours", max(took for _, _, took in ours), EACH_AT_MOST, unit="ms"),
            reached("ours, of the same on small tables", large / small, 1.5),
            reached("ours, of the playbook's", large / theirs, 1 / 20),
        ]
    )


def _timed(stack: EmbeddedStack, asked: list[Asked], title: str = "") -> list[tuple[str, Statement, float]]:
    """Time statements, and print those with a title, slowest first, each with its plan."""
    url = target_of(stack).postgres.url or ""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:  # as the suite connects
        timed = [(name, statement, milliseconds(connection, statement)) for name, statement in asked]
        if title:
            print(f"  {title}, ms")
            for name, statement, took in sorted(timed, key=lambda row: -row[2]):
                print(f"  {took:9.2f}  {name:28} {plan(connection, statement)}")
    return timed


def target_of(stack: EmbeddedStack) -> Target:
    """Return a sandbox as a target, with the limits of the playbook."""
    settings = settings_of_target(str(stack.folder / FILE), ROOT, {})
    masker = Masker(set())
    context = ClientContext(settings.deadlines, masker, Cost())
    return Target(settings, Engine(NO_ENGINE, None, context, masker), context, Catalogue([ROOT / "checks"]))


if __name__ == "__main__":
    sys.exit(main())
