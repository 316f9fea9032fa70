"""The rules that `make rules` writes: promtool accepts them, and each fires exactly when it should."""

from __future__ import annotations

import json
import math
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import Histogram

from playbook.catalogue import Catalogue
from playbook.rules import rules_of
from reports.commands.rules import main, text
from tests.conftest import needs
from tests.projects import ROOT
from tests.rules import RuleCase, fires, quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNBOOKS = "https://runbooks.example.org"
CATALOGUE = Catalogue([ROOT / "checks"])
RULES = {rule.name: rule for rule in rules_of(CATALOGUE.alerts, {}, RUNBOOKS)}
FILES = {module.alert.name: f"tests/{module.path.relative_to(ROOT)}" for module in CATALOGUE.modules}
PLAYBOOK = tomllib.loads((ROOT / "tests" / "playbook_steps.toml").read_text())
LATENCY = 'orchestrator_http_request_duration_seconds_bucket{endpoint="/tasks/",le='
HEALTH_LATENCY = 'orchestrator_http_request_duration_seconds_bucket{endpoint="/health",le='
BACKUP_STATE = 'ordinaut_health_alert_state{alert="BackupFailed",state="firing"}'


def requests(series: str, fast: int, slow: int, slowest: int) -> dict[str, str]:
    """Return the histogram of this many requests a minute that took up to 1 s, 2.5 s and 5 s."""
    steps = {"1.0": fast, "2.5": fast + slow, "5.0": fast + slow + slowest, "+Inf": fast + slow + slowest}
    return {f'{series}"{le}"}}': f"0+{count}x30" for le, count in steps.items()}


def file_system(what: str, part: int, whole: int, kind: str = "ext4") -> dict[str, str]:
    """Return the series of the free space (avail_bytes) or the free inodes (files_free) of a file system."""
    of = {"avail_bytes": "size_bytes", "files_free": "files"}[what]
    labels = f'{{device="/dev/sda1",fstype="{kind}",mountpoint="/"}}'
    return {f"node_filesystem_{what}{labels}": f"{part}x20", f"node_filesystem_{of}{labels}": f"{whole}x20"}


CASES: list[RuleCase] = [
    fires("OrchestratorAPIDown", 3, **{'up{job="orchestrator-api"}': "0x9"}),
    quiet("OrchestratorAPIDown", 1, **{'up{job="orchestrator-api"}': "0x9"}),
    quiet("OrchestratorAPIDown", **{'up{job="orchestrator-api"}': "1x20", 'up{job="node"}': "0x20"}),
    fires("OrchestratorDatabaseDown", 2, pg_up="0x9", **{'up{job="postgres"}': "1x9"}),
    quiet("OrchestratorDatabaseDown", pg_up="1x20"),
    fires("NoActiveWorkers", ordinaut_worker_heartbeat_age_seconds="181x20"),
    quiet("NoActiveWorkers", ordinaut_worker_heartbeat_age_seconds="180x20"),
    fires("HighAPILatency", **requests(LATENCY, 90, 0, 10)),
    quiet("HighAPILatency", **requests(LATENCY, 0, 100, 0)),  # each may have taken 1.2 s
    quiet("HighAPILatency", **requests(LATENCY, 100, 0, 0), **requests(HEALTH_LATENCY, 0, 0, 900)),
    quiet("HighAPILatency", 4, **requests(LATENCY, 90, 0, 10)),
    fires("DatabaseSlowQueries", ordinaut_database_statement_age_seconds="11x20"),
    quiet("DatabaseSlowQueries", ordinaut_database_statement_age_seconds="9x20"),
    fires("SchedulerOffline", ordinaut_scheduler_late_seconds="301x20", pg_up="1x20"),
    fires("SchedulerOffline", pg_up="1x20"),  # the scheduler never made its table
    quiet("SchedulerOffline", ordinaut_scheduler_late_seconds="0x20", pg_up="1x20"),
    quiet("SchedulerOffline", pg_up="0x20"),
    fires("DiskSpaceCritical", **file_system("avail_bytes", 14, 100)),
    fires("DiskSpaceCritical", **file_system("files_free", 14, 100)),
    quiet("DiskSpaceCritical", **file_system("avail_bytes", 16, 100), **file_system("files_free", 16, 100)),
    quiet("DiskSpaceCritical", **file_system("files_free", 0, 0)),  # btrfs counts none
    quiet("DiskSpaceCritical", **file_system("avail_bytes", 0, 100, kind="tmpfs")),
    fires("HighQueueDepth", ordinaut_due_work_items="1001x20"),
    quiet("HighQueueDepth", ordinaut_due_work_items="1000x20"),
    quiet("HighQueueDepth", 9, ordinaut_due_work_items="1001x20"),
    fires("MemoryUsageCritical", node_memory_MemAvailable_bytes="9x20", node_memory_MemTotal_bytes="100x20"),
    quiet("MemoryUsageCritical", node_memory_MemAvailable_bytes="11x20", node_memory_MemTotal_bytes="100x20"),
    fires("BackupFailed", **{BACKUP_STATE: "1x20", "ordinaut_health_run_start_time_seconds": "0x20"}),
    fires("BackupFailed", 1561, **{BACKUP_STATE: "0x1600", "ordinaut_health_run_start_time_seconds": "0x1600"}),
    quiet("BackupFailed", **{BACKUP_STATE: "0x20", "ordinaut_health_run_start_time_seconds": "0x20"}),
    fires(
        "LowTaskThroughput",
        90,
        ordinaut_task_runs_last_hour="49x200",
        ordinaut_due_work_oldest_seconds="601x200",
        ordinaut_system_age_seconds="86400x200",
    ),
    quiet(
        "LowTaskThroughput",
        90,
        ordinaut_task_runs_last_hour="50x50 0x150",  # enough of them in the hour before the last
        ordinaut_due_work_oldest_seconds="601x200",
        ordinaut_system_age_seconds="86400x200",
    ),
    quiet(
        "LowTaskThroughput",
        90,
        ordinaut_task_runs_last_hour="0x200",
        ordinaut_due_work_oldest_seconds="0x200",  # idle
        ordinaut_system_age_seconds="86400x200",
    ),
    quiet(
        "LowTaskThroughput",
        90,
        ordinaut_task_runs_last_hour="0x200",
        ordinaut_due_work_oldest_seconds="601x200",
        ordinaut_system_age_seconds="3600x200",  # young
    ),
]


def _beside_literal_cases() -> Iterator[RuleCase]:
    for file in FILES.values():
        if (ROOT / file).exists():
            yield from getattr(import_module(".".join(Path(file).with_suffix("").parts)), "RULES", ())


ALL_CASES = [*CASES, *_beside_literal_cases()]


@pytest.fixture(scope="session")
def rule_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "ordinaut.rules.yml"
    path.write_text(text(list(RULES.values())))
    return path


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([needs("promtool"), *arguments], capture_output=True, text=True, timeout=60, check=False)


def unit_test(rule_file: Path, case: RuleCase) -> dict[str, object]:
    firing = [{"labels": "{}", "value": 1}] if case.fires else []
    return {
        "rule_files": [str(rule_file)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
                "promql_expr_test": [
                    {
                        "expr": f'count(count by (alertname) (ALERTS{{alertname="{case.alert}",alertstate="firing"}}))',
                        "eval_time": f"{case.minutes}m",
                        "exp_samples": firing,
                    }
                ],
            }
        ],
    }


def test_promtool_accepts_the_rules(rule_file: Path) -> None:
    done = promtool("check", "rules", "--lint-fatal", str(rule_file))
    assert done.returncode == 0, done.stderr
    assert f"{len(RULES)} rules found" in done.stdout


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: f"{case.alert}-{'fires' if case.fires else 'quiet'}")
def test_a_rule_fires_exactly_when_it_should(case: RuleCase, rule_file: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.yml"
    test.write_text(json.dumps(unit_test(rule_file, case)))  # JSON is YAML
    done = promtool("test", "rules", str(test))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_cases_in_which_it_fires_and_in_which_it_does_not(name: str) -> None:
    for case in ("fires", "quiet"):
        assert any(each.alert == name and each.fires is (case == "fires") for each in ALL_CASES), (
            f"{name} has an expression and no case of its rule: add RULES = [{case}({name!r}, …)] to {FILES[name]}"
        )


def test_there_is_a_rule_for_each_alert_of_the_playbook() -> None:
    assert set(PLAYBOOK) <= set(RULES)


def test_a_rule_has_what_the_alert_has() -> None:
    rule = RULES["OrchestratorAPIDown"]
    assert rule.for_.total_seconds() == 120
    assert rule.labels == {"severity": "critical", "service": "api"}
    assert rule.annotations["runbook_url"] == f"{RUNBOOKS}/OrchestratorAPIDown.md"


def test_the_buckets_are_those_of_the_client_that_the_api_uses() -> None:
    alert = next(alert for alert in CATALOGUE.alerts if alert.name == "HighAPILatency")
    assert alert.buckets == tuple(bound for bound in Histogram.DEFAULT_BUCKETS if bound != math.inf)


def test_the_limits_are_the_targets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "ordinaut.toml"
    target.write_text('[limits.NoActiveWorkers]\nheartbeat_age = "5 min"\n')
    assert main([f"--target={target}", f"--runbooks={RUNBOOKS}"]) == 0
    assert "ordinaut_worker_heartbeat_age_seconds > 300\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ('NoActiveWorkers]\nheartbeat_age = "soon"', "'soon' is not a duration"),
        ("NoActiveWorkers]\nno_such = 1", "no_such: no such limit"),
        (
            'HighAPILatency]\np95 = "12 s"',
            "limits.HighAPILatency.p95: no rule can express 12 s: the histogram ends at 10 s",
        ),
    ],
)
def test_a_wrong_limit_is_wrong_usage(
    limit: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "ordinaut.toml"
    target.write_text(f"[limits.{limit}\n")
    with pytest.raises(SystemExit) as ended:
        main([f"--target={target}"])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
