"""checks.html: pytest-html's own page, with columns of ours."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from tests.projects import Project, nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge


def test_each_check_has_its_alert_role_and_measurement(judge: Judge, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.add_alert(
        "it_fires",
        """
from playbook.quantities import Span
from msgspec import Struct

class Fact(Struct):
    age: Span

@pytest.fixture
def fact():
    return Fact(Span(90))

@trigger(measures="fact.age")
def test_it(fact: Fact):
    assert False, "it is bad"

@diagnostic(cause="why", step=1)
def test_why():
    pass
""",
        severity=1,
    )
    seen = judge(target=nowhere(tmp_path), cwd=project.folder)
    assert seen.folder is not None
    page = (seen.folder / "checks.html").read_text()
    for column in ("Severity", "Alert", "Role", "Measured"):
        assert f'data-column-type=\\"{column.lower()}\\">{column}<' in page.replace('"', '\\"')
    cells = re.findall(r'<td class="col-(\w+)">(.*?)</td>', unescape(unescape(page)).replace('\\"', '"'))
    shown = [text for name, text in cells if name in ("severity", "alert", "role", "measured")]
    alert = '<a href="report.html#ItFires">ItFires</a>'
    assert [shown[:4], shown[4:]] == [["sev1", alert, "trigger", "1 min 30 s"], ["sev1", alert, "diagnostic", ""]]
