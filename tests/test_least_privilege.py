"""The suite judges as well with the role that the README makes as with Ordinaut's own superuser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.roles import drop_role, make_role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge


@pytest.fixture
def restricted(sandbox: EmbeddedStack) -> Iterator[EmbeddedStack]:
    sandbox.write_target(database_url=make_role(sandbox))
    yield sandbox
    sandbox.write_target()
    drop_role(sandbox)


def test_a_healthy_system_is_ok_with_the_readmes_role(restricted: EmbeddedStack, judge: Judge) -> None:
    seen = judge()
    assert seen.status == 0, seen.output
    assert restricted.password not in seen.output


def test_that_role_may_write_nothing(restricted: EmbeddedStack) -> None:
    rights = restricted.sql(
        "select c.relname from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
        " and has_table_privilege('ordinaut_checks', c.oid, 'insert, update, delete, truncate')"
    )
    assert rights == []
