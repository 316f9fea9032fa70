"""Which probes each check needs, read off a collected session, and which checks are ok although some of them failed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.projects import run_pytest

if TYPE_CHECKING:
    from tests.conftest import Judgement

DUMPING = """
import json
from pathlib import Path

from playbook.probe import probes_of

def pytest_collection_finish(session):
    probes = {{item.nodeid: {{probe.name: probe.resource for probe in probes_of(item)}} for item in session.items}}
    triggers = [item.nodeid for item in session.items if item.get_closest_marker("trigger")]
    Path({path!r}).write_text(json.dumps([probes, triggers]))
"""


@dataclass(frozen=True)
class Needs:
    """The probes of each check, as `{name: resource}`, and the checks that are triggers; checks by their ids."""

    probes: Mapping[str, Mapping[str, str]]
    triggers: list[str]

    def lost(self, check: str, gone: Collection[str]) -> set[str]:
        """Return the probes of a check that need what is gone: resources, or probes by name."""
        return {name for name, resource in self.probes[check].items() if {name, resource} & set(gone)}


@cache
def needs() -> Needs:
    """Return what the project's own checks need."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "dumping.py").write_text(DUMPING.format(path=f"{folder}/needs.json"))
        done = run_pytest("-p", "dumping", "--collect-only", "-q", PYTHONPATH=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return Needs(*json.loads((Path(folder) / "needs.json").read_text()))


def require_not_ok(seen: Judgement, gone: Collection[str], but: Mapping[str, str]) -> None:
    """Require that no check is ok which needs what is gone, but for exactly those that have other probes to decide by.

    `but` are their ids, shortened to the module and the function, and the reasons. A trigger of which every probe
    needs what is gone is not skipped.
    """
    found = needs()
    unseen: set[str] = set()
    decided: set[str] = set()
    for check, state in seen.outcomes.items():
        lost = found.lost(check, gone)
        if lost and state == "ok":
            (unseen if lost == set(found.probes[check]) else decided).add(short(check))
    assert not unseen, f"ok, and nothing was observed: {sorted(unseen)}\n{seen.output}"
    assert decided == set(but), f"either ok or expected, not both: {sorted(decided ^ set(but))}\n{seen.output}"


def require_no_trigger_is_skipped(seen: Judgement, gone: Collection[str], absent: Collection[str]) -> None:
    """Require that no trigger is skipped for what is gone, but for those that need what the target does not have."""
    found = needs()
    skipped = {check for check in found.triggers if found.lost(check, gone) and seen.outcomes[check] == "skipped"}
    assert not {check for check in skipped if not found.lost(check, absent)}, seen.output


def short(check: str) -> str:
    """Return the module and the function of a check's id."""
    return check.rpartition("/")[2].removeprefix("test_").replace(".py::test_", ": ").replace("_", " ")
