"""What a thousand recorded runs cost the next one."""

from __future__ import annotations

import statistics
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec.structs import replace

from bench.processes import in_turn, reached, seconds_of
from reports.history import History
from reports.output import write_run
from reports.results import Results, stamp

RUNS = 1000
ROUNDS = 20  # at least: a run takes thirty times as long as what is looked for
AT_MOST = 50.0  # ms


def measure(target: Path, rounds: int) -> bool:
    """Time a run that has a past against one that has none; False where it costs too much."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh, old = Path(scratch) / "fresh", Path(scratch) / "old"

        def run(output: Path) -> float:
            return seconds_of([sys.executable, "-m", "pytest", f"--target={target}", f"--output={output}"])

        run(old)
        results = msgspec.json.decode((old / "latest" / "results.json").read_bytes(), type=Results)
        files = {path.name: path.read_text() for path in (old / "latest").iterdir()}
        began = datetime.fromisoformat(results.started_at)
        for turn in range(RUNS, 0, -1):
            at = stamp(began - timedelta(minutes=5 * turn))
            folder = write_run(old, datetime.fromisoformat(at), files, moves_latest=False)
            History(old).record(replace(results, started_at=at, finished_at=at), folder.name, RUNS)
        timed = in_turn(
            {"without a past": lambda: run(fresh), f"with {RUNS:,} runs": lambda: run(old)}, max(rounds, ROUNDS)
        )
    without, with_past = timed.values()
    more = 1000 * statistics.median(w - wo for w, wo in zip(with_past, without, strict=True))
    print("\nA run with a past, against one without")
    return reached(f"more with {RUNS:,} runs", more, AT_MOST, "ms")
