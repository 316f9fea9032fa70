"""The SQL of a whole run: each statement's time and plan, and the playbook's on the same tables."""

from __future__ import annotations

import pkgutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fixtures.database
import fixtures.queue
from fixtures.clients.postgres import Postgres
from playbook.evidence import Absent
from playbook.probe import Probe

if TYPE_CHECKING:
    import psycopg

    from fixtures.target import Target

ROUNDS = 7
PACKAGES = (fixtures.database, fixtures.queue)
PLAYBOOK = Path(__file__).with_name("playbook.sql")

Statement = tuple[str, Sequence[Any]]
Asked = tuple[str, Statement]  # by which probe or step


class Recording(Postgres):
    """A client that records its statements."""

    def __init__(self, of: Postgres) -> None:
        vars(self).update(vars(of))
        self.asked: list[Statement] = []

    @contextmanager
    def transaction(self) -> Iterator[Callable[..., list[dict[str, Any]]]]:
        """Open a transaction as the client does, and record each statement."""
        with super().transaction() as ask:

            def recorded(statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
                self.asked.append((statement, parameters))
                return ask(statement, parameters)

            yield recorded


def sql_probes() -> list[Probe[Any]]:
    """Return the probes of PostgreSQL in all modules of the facts about the database and the queue."""
    modules = [
        import_module(f"{package.__name__}.{module.name}")
        for package in PACKAGES
        for module in pkgutil.iter_modules(package.__path__)
    ]
    found = [getattr(value, "probe", None) for module in modules for value in vars(module).values()]
    probes = {probe.name: probe for probe in found if isinstance(probe, Probe) and probe.resource == "postgres"}
    return list(probes.values())


def statements_of(target: Target, probes: list[Probe[Any]]) -> list[Asked]:
    """Return `(probe, statement)` for each statement that the probes send to the database."""
    found = []
    for probe in probes:
        target.postgres = recording = Recording(target.postgres)
        with suppress(Absent):  # an extension that the sandbox does not have
            probe.read(target)
        found += [(probe.name, statement) for statement in recording.asked]
    return found


def playbook() -> list[Asked]:
    """Return `(step, statement)` for each statement of the playbook."""
    blocks = PLAYBOOK.read_text(encoding="utf-8").split("\n-- ")[1:]
    return [(title, (sql.strip(), ())) for title, _, sql in (block.partition("\n") for block in blocks)]


def milliseconds(connection: psycopg.Connection[Any], statement: Statement) -> float:
    """Return the median time of a statement over a few rounds, after a first one that warms the caches."""
    sql, parameters = statement
    took = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        connection.execute(sql, parameters or None).fetchall()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took[1:])


def plan(connection: psycopg.Connection[Any], statement: Statement) -> str:
    """Return the scans of a statement's plan, in one line."""
    sql, parameters = statement
    rows = connection.execute("EXPLAIN " + sql, parameters or None).fetchall()
    scans = [line.strip(" ->").split("  (")[0] for (line,) in rows if "Scan" in line]
    return "; ".join(dict.fromkeys(scans)) or "no table"
