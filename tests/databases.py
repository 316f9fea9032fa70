"""Databases of a test's own, beside the sandbox's, with Ordinaut's tables and nothing in them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.embedded import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.stack import Stack

JOBS = (
    "CREATE TABLE apscheduler_jobs (id varchar PRIMARY KEY, next_run_time double precision, job_state bytea NOT NULL)"
)


@contextmanager
def empty_database(stack: Stack, name: str, encoding: str = "UTF8") -> Iterator[str]:
    """Create a database in the sandbox's server until the block ends; return its URL."""
    stack.sql(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'", database="postgres")
    try:
        stack.sql(f"{(HERE / 'schema.sql').read_text()};{JOBS}", database=name)
        yield stack.database_url().removesuffix("orchestrator") + name
    finally:
        stack.sql(f"DROP DATABASE {name} WITH (FORCE)", database="postgres")
