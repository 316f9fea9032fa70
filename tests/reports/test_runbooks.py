from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reports.results import Cause
from reports.runbooks import HERE, filled, first_step, of_alert

if TYPE_CHECKING:
    from pathlib import Path

OF_EVERY_RUNBOOK = ("meaning", "impact", "diagnosis", "verify", "escalation")


def test_the_first_step_of_the_runbook_names_the_compose_project() -> None:
    cause = Cause("container-missing", "container-missing", "why", {})
    step = first_step("OrchestratorAPIDown", cause, "docker compose -p ops -f /srv/compose.yml")
    assert step == "(safe) See what there is: `docker compose -p ops -f /srv/compose.yml ps --all`"


def test_without_a_section_there_is_no_step() -> None:
    assert first_step("OrchestratorAPIDown", Cause("no-such", "no-such", "why", {}), "") == ""
    assert first_step("NoSuchAlert", Cause("no-such", "no-such", "why", {}), "") == ""


@pytest.mark.parametrize("page", sorted(HERE.glob("*.md")), ids=lambda page: page.stem)
def test_every_cause_has_a_first_step(page: Path) -> None:
    causes = [section.anchor for section in of_alert(page.stem) if section.anchor not in OF_EVERY_RUNBOOK]
    assert [anchor for anchor in causes if not first_step(page.stem, Cause(anchor, anchor, "", {}), "")] == []


def test_a_value_is_quoted_for_the_shell() -> None:
    text = "`gzip -t <file>`, then `SELECT pg_cancel_backend(<pid>)`"
    section = filled(text, {"file": "/backups/a $(reboot) b.gz", "pid": "42"}, "")
    assert section == "`gzip -t '/backups/a $(reboot) b.gz'`, then `SELECT pg_cancel_backend(42)`"
