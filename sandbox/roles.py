"""Database role for the checker, other than the superuser of Ordinaut's own services."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.stack import Stack

ROLE = "ordinaut_checks"
README = Path(__file__).resolve().parent.parent / "README.md"


def readme_sql() -> str:
    """Return the statements of the README that make the checker's role."""
    text = README.read_text(encoding="utf-8")
    return re.search(r"<!-- role -->\n```sql\n(.*?)```", text, re.DOTALL)[1]  # type: ignore[index]


def make_role(stack: Stack, *, monitor: bool = True) -> str:
    """Make the checker's role as the README does, with or without pg_monitor; return its URL."""
    drop_role(stack)
    sql = readme_sql().replace("'choose one'", f"'{stack.password}'")
    if not monitor:
        sql = re.sub(r"GRANT pg_monitor.*\n", "", sql)
    stack.sql(sql)
    return stack.database_url(role=ROLE)


def drop_role(stack: Stack) -> None:
    """Remove the checker's role and its grants, if it exists."""
    if stack.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)):
        stack.sql(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")
