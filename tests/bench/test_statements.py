"""The SQL that `make bench` measures is the SQL of a run: every probe of PostgreSQL, in every module."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from bench.__main__ import target_of
from bench.statements import playbook, sql_probes, statements_of
from tests.projects import ROOT

if TYPE_CHECKING:
    from sandbox.embedded import EmbeddedStack

OF_AN_EXTENSION = "statements"  # pg_stat_statements, which the sandbox does not have


def probes_in_the_source() -> set[str]:
    """Return the names of the functions below `@probe("postgres", …)` in the files of the two packages."""
    files = [path for package in ("database", "queue") for path in (ROOT / "fixtures" / package).glob("*.py")]
    functions = [
        node for path in files for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)
    ]
    return {node.name for node in functions if any("probe('postgres'" in ast.unparse(d) for d in node.decorator_list)}


def test_every_probe_of_the_database_is_found() -> None:
    assert {probe.name for probe in sql_probes()} == probes_in_the_source()


def test_each_probe_has_its_statements_measured(sandbox: EmbeddedStack) -> None:
    found = statements_of(target_of(sandbox), sql_probes())
    assert {name for name, _ in found} | {OF_AN_EXTENSION} == probes_in_the_source()
    assert all(sql.lstrip().upper().startswith(("SELECT", "WITH")) for _, (sql, _) in found)


def test_the_playbook_has_statements_to_compare_with() -> None:
    assert all(sql for _, (sql, _) in playbook())
