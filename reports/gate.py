"""The gate after a deploy: judge sev0 and sev1 until they are well several times in a row, or the time is over.

Each judgement is a health run of its own process, recorded like any other. Silences are not honoured: a deploy often
runs inside a maintenance silence. What it is given beyond its own options goes to pytest.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures.words import Span

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
SEVERITIES = "sev0 or sev1"
FIRING, UNKNOWN = 1, 6
WAITABLE = (0, FIRING, UNKNOWN)  # what time can change; a wrong setting, or nothing to judge, it cannot
CALLS_PER_MINUTE = 30  # of the API: half of what its rate limit bears
PAUSE = 10.0  # seconds, where a run does not say what it asked of the API
_REPORT = re.compile(r"; report: (.+)/report\.html$", re.MULTILINE)


@dataclass(frozen=True)
class Judgement:
    """What one health run said: its exit status, what it printed, and how often it asked the API."""

    status: int
    output: str
    api_calls: int | None = None

    @property
    def words(self) -> str:
        """Its last line but pytest's own."""
        told = [line for line in self.output.splitlines() if _REPORT.search(line)]
        return told[-1].partition("; report:")[0] if told else f"exit status {self.status}"

    @property
    def pause(self) -> float:
        """Seconds from its start to the next one's, so that the API bears them."""
        return PAUSE if self.api_calls is None else max(1.0, self.api_calls * 60 / CALLS_PER_MINUTE)


def wait_until_well(
    judge: Callable[[], Judgement],
    seconds: float,
    in_a_row: int,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = print,
) -> Judgement:
    """Judge until it is well so many times in a row, or the time is over; give the final judgement.

    A row that has begun when the time is over is judged to its end.
    """
    began, row, turn = clock(), 0, 0
    while True:
        turn, started = turn + 1, clock()
        last = judge()
        row = row + 1 if last.status == 0 else 0
        over = clock() - began >= seconds
        say(f"gate: {Span(round(clock() - began))}, judgement {turn}: {last.words} ({row} of {in_a_row} in a row)")
        if row == in_a_row or last.status not in WAITABLE or (over and row == 0):
            return last
        sleep(max(0.0, started + last.pause - clock()))


class Runner:
    """Runs the suite in a fresh process each time, and ends it when the gate is ended."""

    def __init__(self, arguments: list[str]) -> None:
        self._command = [sys.executable, "-m", "pytest", "-m", SEVERITIES, *arguments]

    def __call__(self) -> Judgement:
        """Judge once."""
        with subprocess.Popen(  # noqa: S603  our own suite
            self._command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as run:
            try:
                output = run.communicate()[0]
            except KeyboardInterrupt:
                run.terminate()
                run.communicate()
                raise
        return Judgement(run.returncode, output, _api_calls(output))


def _api_calls(output: str) -> int | None:
    found = _REPORT.search(output)
    if found is None:
        return None
    results = json.loads((Path(found[1]) / "results.json").read_text(encoding="utf-8"))
    return int(results["cost"].get("api", {"calls": 0})["calls"])


def main() -> int:
    """Wait, show the final judgement, and give its exit status; 130 where it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m reports.gate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wait", type=Span.parse, default=Span(120), metavar="TIME", help="as 120s or 5min (2 min)")
    parser.add_argument("--in-a-row", type=int, default=2, metavar="N", help="how often it must be well (2)")
    own, rest = parser.parse_known_args()
    if own.in_a_row < 1:
        parser.error("--in-a-row: at least 1")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        last = wait_until_well(
            Runner(rest), own.wait.total_seconds(), own.in_a_row, say=lambda words: print(words, flush=True)
        )
    except KeyboardInterrupt:
        print("gate: interrupted", flush=True)
        return 128 + signal.SIGINT
    print(last.output, end="")
    return last.status


if __name__ == "__main__":
    sys.exit(main())
