"""A check whose facts were not observed is never ok: with every probe failing, and with each part of the target gone.

Which probes a check needs is read off the collected session.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.conftest import needs as program
from tests.needs import needs, require_no_trigger_is_skipped, require_not_ok

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

EVERYTHING = """
name = "everything"
api_url = "http://127.0.0.1:1"
database_url = "postgresql://ordinaut:secret@127.0.0.1:1/orchestrator"
redis_url = "redis://127.0.0.1:1/0"
prometheus_url = "http://127.0.0.1:1"
alertmanager_url = "http://127.0.0.1:1"
grafana_url = "http://127.0.0.1:1"
docker = "unix:///nowhere/docker.sock"
project = "ordinaut"
"""


# -- every probe fails

FAILING = """
from msgspec.structs import replace
from playbook.evidence import Absent, Unknown
from playbook.probe import Probes

def pytest_configure():
    read = Probes._read

    def fail(self, started):
        def refuse(target):
            raise {error}
        started.probe = replace(started.probe, read=refuse)
        read(self, started)

    Probes._read = fail
"""


@pytest.mark.parametrize(
    ("error", "state", "status"),
    [
        ("Unknown('not observed')", "unknown", 6),
        ("Unknown('does not answer', started.probe.resource)", "unknown", 6),
        ("ZeroDivisionError('driver')", "unknown", 6),
        ("AssertionError('driver')", "unknown", 6),
        ("SystemExit(0)", "unknown", 6),
        ("Absent('none here')", "skipped", 5),
    ],
)
def test_no_check_is_ok_where_every_probe_fails(
    judge: Judge, tmp_path: Path, error: str, state: str, status: int
) -> None:
    (tmp_path / "failing.py").write_text(FAILING.format(error=error))
    target = tmp_path / "everything.toml"
    target.write_text(EVERYTHING)
    seen = judge("-p", "failing", target=target, PYTHONPATH=str(tmp_path))
    assert set(seen.outcomes.values()) == {state}, seen.output
    assert seen.status == status
    assert seen.results is not None
    messages = [check["message"] for alert in seen.results["alerts"] for check in alert["checks"]]
    assert all(messages)
    assert not [message for message in messages if "the check itself failed" in message]


# -- a part of the target cannot be reached, or does not exist

BY_THE_DATABASE = "the schedule in the database decides; the container's state can only add a finding"
BY_THE_ANSWER = "the service itself answers; the container decides where no address is known"
BY_THE_PROCESSES = "the sandbox's workers are processes of this host"
WITHOUT_AN_ENGINE = {
    "scheduler offline: the scheduler queues what is due": BY_THE_DATABASE,
    "orchestrator api down: the api is healthy": BY_THE_ANSWER,
    "orchestrator database down: the database serves ordinaut": BY_THE_ANSWER,
    "high api latency: the api is healthy": BY_THE_ANSWER,
    "high api latency: the database serves the api": BY_THE_ANSWER,
    "no active workers: no silent worker holds work": BY_THE_PROCESSES,
    "no active workers: some worker has a process": BY_THE_PROCESSES,
    "no active workers: the workers are not frozen": BY_THE_PROCESSES,
}
WITHOUT_PROMETHEUS = {"high api latency: the api answers fast enough": "the suite's own sample decides"}
NOT_IN_THE_SANDBOX = {"docker", "prometheus", "alertmanager", "grafana", "runbooks"}


@dataclass(frozen=True)
class Gone:
    """A part of the target that is gone: the resources and probes that need it, and how a run loses it.

    `ok` are the checks, with reasons, that are ok all the same, by another of their probes.
    """

    needed_by: set[str]
    arguments: tuple[str, ...] = ()
    ok: Mapping[str, str] = field(default_factory=dict)


UNREACHABLE = {
    "postgres": Gone({"postgres"}, ("--database-url=postgresql://orchestrator:secret@127.0.0.1:1/orchestrator",)),
    "redis": Gone({"redis"}, ("--redis-url=redis://127.0.0.1:1/0",)),
    "api": Gone({"api"}, ("--api-url=http://127.0.0.1:1",)),
    "docker": Gone({"docker"}, ("--docker=unix:///nowhere/docker.sock", "--project=ordinaut"), WITHOUT_AN_ENGINE),
    "host": Gone({"host", "logs", "backups"}, ("--hosts=ssh://127.0.0.1:1",)),
    "prometheus": Gone({"prometheus"}, ("--prometheus-url=http://127.0.0.1:1",), WITHOUT_PROMETHEUS),
    "alertmanager": Gone({"alertmanager"}, ("--alertmanager-url=http://127.0.0.1:1",)),
    "grafana": Gone({"grafana"}, ("--grafana-url=http://127.0.0.1:1",)),
}


def test_every_check_needs_a_probe() -> None:
    assert [check for check, probes in needs().probes.items() if not probes] == []


@pytest.mark.parametrize("part", UNREACHABLE)
def test_a_check_that_needs_an_unreachable_part_is_not_ok(part: str, judge: Judge) -> None:
    if part == "host":
        program("ssh")
    gone = UNREACHABLE[part]
    seen = judge(*gone.arguments)
    require_not_ok(seen, gone.needed_by, gone.ok)
    require_no_trigger_is_skipped(seen, gone.needed_by, NOT_IN_THE_SANDBOX - gone.needed_by)
    assert seen.status in (1, 6), seen.output


def test_a_check_that_needs_a_part_which_the_target_does_not_have_is_not_ok(judge: Judge) -> None:
    require_not_ok(judge(), NOT_IN_THE_SANDBOX, WITHOUT_AN_ENGINE | WITHOUT_PROMETHEUS)


TABLES = {"pids": {"pid_files"}, "logs": {"logs"}, "backups": {"backups"}}


@pytest.mark.parametrize("table", ["pids", "logs"])
def test_a_check_that_needs_files_which_the_settings_do_not_name_is_not_ok(
    table: str, judge: Judge, sandbox: EmbeddedStack, tmp_path: Path
) -> None:
    target = settings_with(table, "", sandbox, tmp_path)
    require_not_ok(judge(target=target), TABLES[table], {})


@pytest.mark.parametrize("table", TABLES)
def test_a_check_that_needs_files_which_do_not_exist_is_not_ok(
    table: str, judge: Judge, sandbox: EmbeddedStack, tmp_path: Path
) -> None:
    target = settings_with(table, r'\1"/nowhere/\2"', sandbox, tmp_path)
    seen = judge(target=target)
    require_not_ok(seen, TABLES[table], {})
    require_no_trigger_is_skipped(seen, TABLES[table], ())
    if table == "backups":
        assert seen.alert("BackupFailed")["state"] == "firing", seen.output


def settings_with(table: str, path: str, sandbox: EmbeddedStack, folder: Path) -> Path:
    """Write the sandbox's settings with each path of a table replaced; without the table where there is none."""
    before, header, rest = (sandbox.folder / "target.toml").read_text().partition(f"[{table}]\n")
    assert header
    rows, _, after = rest.partition("\n[")
    changed = header + re.sub(r'^(\w+ = )"(.*)"$', path, rows, flags=re.MULTILINE) if path else ""
    target = folder / "target.toml"
    target.write_text(f"{before}{changed}\n[{after}")
    return target
