"""Measure: the suite against the playbook and an empty session, frozen dependencies, SQL on large tables."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import psycopg

from bench import compose, history, monitoring
from bench.processes import ROOT, empty_session, health_run, in_turn, raised_nothing, ratio, reached, show
from bench.statements import limits_of_all, milliseconds, plan, playbook, statements_of
from fixtures.clients import postgres
from fixtures.clients.docker import Engine
from fixtures.clients.masking import Masker
from fixtures.database import sessions as activity
from fixtures.queue import runs as work
from fixtures.queue import schedule
from fixtures.settings import load
from fixtures.target import Target
from playbook.evidence import Cost
from playbook.probe import Probe
from sandbox.breaking import break_stack, heal_stack
from sandbox.compose import engine
from sandbox.embedded import EmbeddedStack
from sandbox.faults import FAULTS
from sandbox.filling import fill
from sandbox.target import FILE

EACH_AT_MOST = 5.0  # ms, of a statement on the large tables


def main() -> int:
    """Run what was asked for, print it, and give 1 where a number of the design was not reached."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="runs of each command, in turn")
    parser.add_argument("--runs", type=int, default=5_000_000, help="rows of task_run")
    parser.add_argument("--items", type=int, default=500_000, help="rows of due_work")
    parser.add_argument(
        "--healthy", type=int, default=100, help="healthy runs with monitoring, and twice as many without"
    )
    parser.add_argument("--no-sql", action="store_true", help="leave the large tables out")
    arguments = parser.parse_args()
    met = _in_containers(arguments.rounds) & monitoring.measure(arguments.rounds, arguments.healthy)
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
    return reached("sev0 of an empty session", ratio(timed, compose.SEV0, compose.EMPTY), 2.5)


def _suite(stack: EmbeddedStack, *arguments: str, status: int = 0) -> float:
    return health_run(f"--target={stack.folder / FILE}", *arguments, status=status)


def _frozen(stack: EmbeddedStack) -> bool:
    """Time the severity-0 alerts with PostgreSQL, Redis and the API frozen, against a healthy run."""
    healthy = statistics.median(_suite(stack, "-m", "sev0") for _ in range(3))
    for name in ("postgres-hung", "redis-hung", "api-hung"):
        break_stack(stack, FAULTS[name])
    frozen = statistics.median(_suite(stack, "-m", "sev0", status=1) for _ in range(3))
    heal_stack(stack)
    more = frozen - healthy
    print(f"\nEvery dependency frozen: {frozen:.2f} s, that is {more:.2f} s more than healthy")
    print(f"  reach: one call's deadline (3 s) + 1 s: {'reached' if more <= 4 else 'NOT reached'}")
    return more <= 4


def _sql(stack: EmbeddedStack, runs: int, items: int) -> bool:
    """Time every statement of a run on large tables, and the playbook's."""
    print(f"\nFilling {runs:,} task_run and {items:,} due_work rows …")
    fill(stack, runs=runs, items=items)
    target = _target(stack)
    fixtures = [value for module in (postgres, work, schedule, activity) for value in vars(module).values()]
    found = [getattr(getattr(fixture, "_fixture_function", None), "probe", None) for fixture in fixtures]
    asked = statements_of(target, [each for each in found if isinstance(each, Probe) and each.name != "statements"])
    # As the suite connects: nothing is prepared.
    with psycopg.connect(target.postgres.url or "", autocommit=True, prepare_threshold=None) as connection:
        ours = [(name, statement, milliseconds(connection, statement)) for name, statement in asked]
        theirs = [(name, statement, milliseconds(connection, statement)) for name, statement in playbook()]
        print("  ours, ms")
        for name, statement, took in sorted(ours, key=lambda row: -row[2]):
            print(f"  {took:9.2f}  {name:16} {plan(connection, statement)}")
        print("  the playbook's, ms")
        for name, statement, took in sorted(theirs, key=lambda row: -row[2]):
            print(f"  {took:9.2f}  {name:28} {plan(connection, statement)}")
    slowest = max(took for _, _, took in ours)
    whole = sum(took for _, _, took in ours)
    ratio = sum(took for _, _, took in theirs) / whole
    print(
        f"  slowest of ours {slowest:.2f} ms (reach: {EACH_AT_MOST:g}); all together {whole:.1f} ms,"
        f" {ratio:.0f} x less (reach: 50)"
    )
    return slowest <= EACH_AT_MOST and ratio >= 50


def _target(stack: EmbeddedStack) -> Target:
    options = SimpleNamespace(
        target=str(stack.folder / FILE), api_url=None, database_url=None, redis_url=None, prometheus_url=None,
        alertmanager_url=None, grafana_url=None, docker=None, project=None,
    )  # fmt: skip
    settings = load(options, ROOT, {}).settings
    cost, mask = Cost(), Masker(set())
    target = Target(settings, Engine("none", None, settings.deadlines, mask, cost), cost, mask)
    target.limits = limits_of_all()
    return target


if __name__ == "__main__":
    sys.exit(main())
