"""The SQL of a whole run on large tables: each statement's time and plan, against the playbook's on the same tables."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures.clients.postgres import Postgres
from playbook.alert import alert_of
from playbook.catalogue import alert_names

if TYPE_CHECKING:
    import psycopg

    from fixtures.target import Target
    from playbook.probe import Probe

ROUNDS = 7
PLAYBOOK = Path(__file__).with_name("playbook.sql")

Statement = tuple[str, Sequence[Any]]


class Recording(Postgres):
    """A client that keeps what it was asked."""

    def __init__(self, of: Postgres) -> None:
        vars(self).update(vars(of))
        self.asked: list[Statement] = []

    @contextmanager
    def transaction(self) -> Iterator[Callable[..., list[dict[str, Any]]]]:
        """As the client does, and keep each statement."""
        with super().transaction() as ask:

            def recorded(statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
                self.asked.append((statement, parameters))
                return ask(statement, parameters)

            yield recorded


def statements_of(target: Target, probes: list[Probe[Any]]) -> list[tuple[str, Statement]]:
    """Return `(probe, statement)` for all that the probes ask of the database."""
    found = []
    for probe in probes:
        target.postgres = recording = Recording(target.postgres)
        probe.read(target)
        found += [(probe.name, statement) for statement in recording.asked]
    return found


def limits_of_all() -> dict[str, Any]:
    """Return the limits of every alert, as the playbook has them."""
    import importlib

    modules = [importlib.import_module(f"checks.{path.parent.name}.{path.stem}") for path in alert_names().values()]
    alerts = [alert for module in modules if (alert := alert_of(module))]
    return {alert.name: alert.limits_for({}) for alert in alerts}


def playbook() -> list[tuple[str, Statement]]:
    """Return `(step, statement)` of the playbook."""
    blocks = PLAYBOOK.read_text(encoding="utf-8").split("\n-- ")[1:]
    return [(title, (sql.strip(), ())) for title, _, sql in (block.partition("\n") for block in blocks)]


def milliseconds(connection: psycopg.Connection[Any], statement: Statement) -> float:
    """Return the median time of a statement over a few rounds, once warm."""
    sql, parameters = statement
    took = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        connection.execute(sql, parameters or None).fetchall()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took[1:])


def plan(connection: psycopg.Connection[Any], statement: Statement) -> str:
    """Return what reads tables in a statement's plan, in one line."""
    sql, parameters = statement
    rows = connection.execute("EXPLAIN " + sql, parameters or None).fetchall()
    scans = [line.strip(" ->").split("  (")[0] for (line,) in rows if "Scan" in line]
    return "; ".join(dict.fromkeys(scans)) or "no table"
