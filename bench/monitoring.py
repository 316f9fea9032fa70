"""What a run costs a Prometheus that has watched for a week, that severity 0 costs it nothing, and no false alarms."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.processes import health_run, raised_nothing, reached
from sandbox.embedded import EmbeddedStack
from sandbox.monitoring.programs import PACKAGES
from sandbox.monitoring.stack import OURS, SHIPPED_RULES
from sandbox.polling import until
from sandbox.target import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.monitoring.stack import Monitoring

DAYS, EVERY, UNTIL = 7, 15, 600  # days of the past, seconds between samples and before now
BLOCK = 7200  # seconds
Sample = dict[str, Any]
AT_MOST = 200.0  # ms of query time, of a run
PAST = '{__name__=~"up|(pg|redis)_up|(ordinaut|orchestrator)_.+|node_(filesystem|memory_Mem).+"}'


def measure(rounds: int, healthy: int) -> bool:
    """Let whole runs and runs of severity 0 be judged, and ask Prometheus what they cost it; and be often healthy."""
    missing = [name for name in PACKAGES if not shutil.which(name)]
    if missing:
        print(f"\nWhat a run costs Prometheus is not measured: {', '.join(missing)} is not installed")
        return True
    with tempfile.TemporaryDirectory() as scratch:
        stack = EmbeddedStack.up(Path(scratch) / "sandbox", monitoring=True)
        try:
            samples = _remember(stack.monitoring)
            until(stack.require_healthy, 60)
            target = f"--target={stack.folder / FILE}"
            ours = _median_cost(stack.monitoring, rounds, target)
            of_sev0 = _cost(stack.monitoring, target, "-m", "sev0")[0]
            quiet = raised_nothing("A healthy sandbox with monitoring", healthy, target)
            stack.monitoring.write_rules(OURS, SHIPPED_RULES.read_text())
            until(stack.monitoring.require_looked_for_all, 20)
            shipped = _median_cost(stack.monitoring, rounds, target, status=1)
        finally:
            stack.down()
    print(f"\nA Prometheus with {DAYS} days of samples ({samples:,} of our series), median of {rounds} runs")
    met = quiet
    for rules, (requests, ms) in {"our rules": ours, "the shipped rules": shipped}.items():
        met &= reached(f"all alerts, {rules}, {requests:.0f} requests", ms, AT_MOST, "ms of its time")
    return reached("sev0", of_sev0, 0, "requests") and met


def _median_cost(monitoring: Monitoring, rounds: int, target: str, status: int = 0) -> tuple[float, float]:
    costs = [_cost(monitoring, target, status=status) for _ in range(rounds)]
    requests, ms = (statistics.median(values) for values in zip(*costs, strict=True))
    return requests, ms


def _cost(monitoring: Monitoring, *arguments: str, status: int = 0) -> tuple[float, float]:
    """Return the requests and milliseconds that a run adds to what Prometheus says that it spent."""
    before = _spent(monitoring)
    health_run(*arguments, status=status)
    requests, seconds = (after - earlier for after, earlier in zip(_spent(monitoring), before, strict=True))
    return requests, 1000 * seconds


def _spent(monitoring: Monitoring) -> tuple[float, float]:
    """Read its own page, which is no request of its API."""
    totals = {"count": 0.0, "sum": 0.0}
    for line in monitoring.read("prometheus", "/metrics").splitlines():
        for part in totals:
            if line.startswith(f"prometheus_http_request_duration_seconds_{part}") and (
                'handler="/api/' in line or 'handler="/-/' in line
            ):
                totals[part] += float(line.rpartition(" ")[2])
    return totals["count"], totals["sum"]


def _remember(monitoring: Monitoring) -> int:
    """Return every series that our checks and rules ask for a past, in Prometheus' own storage."""
    series = monitoring.prometheus_api("query", query=PAST)["result"]
    now = int(time.time())
    monitoring.prometheus.stop()
    # promtool reads the whole of a file for each block, so a file has no more than one.
    for begin in range((now // BLOCK - DAYS * 86400 // BLOCK) * BLOCK, now - UNTIL, BLOCK):
        _add_block(monitoring, series, range(begin, min(begin + BLOCK, now - UNTIL), EVERY))
    monitoring.prometheus.start()
    return len(series) * DAYS * 86400 // EVERY


def _add_block(monitoring: Monitoring, series: list[Sample], moments: range) -> None:
    file = monitoring.folder / "past.om"
    with file.open("w") as past:
        for name in sorted({one["metric"]["__name__"] for one in series}):
            past.write(f"# TYPE {name} unknown\n")
            past.writelines(_samples([one for one in series if one["metric"]["__name__"] == name], moments))
        past.write("# EOF\n")
    into = str(monitoring.folder / "prometheus")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(file), into]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    file.unlink()


def _samples(series: list[Sample], moments: range) -> Iterator[str]:
    for one in series:
        labels = dict(one["metric"])
        name = labels.pop("__name__")
        written = ",".join(f'{label}="{value}"' for label, value in labels.items())
        yield from (f"{name}{{{written}}} {one['value'][1]} {moment}\n" for moment in moments)
