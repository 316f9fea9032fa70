"""The gate after a deploy: judge sev0 and sev1 until they are well several times in a row, or the time is over.

Each judgement is a health run in a process of its own, recorded like any other. Silences are not honoured: a deploy
often runs inside a maintenance silence. What it is given beyond its own options goes to pytest.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from msgspec import Struct

from playbook.outcome import internal_error
from playbook.quantities import Span
from playbook.scratch import Scratch
from reports.output import replace_file
from reports.results import FIRING, NOTHING_JUDGED, UNKNOWN
from reports.streams import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent
SEVERITIES = "sev0 or sev1"
WAITABLE = (0, FIRING, UNKNOWN)  # what time can change; a wrong setting, or nothing to judge, it cannot
PER_MINUTE, PER_HOUR = 30, 500  # requests to the API: half of what its rate limits bear
PAUSE = 5.0  # seconds from start to start at least: a stack that is starting has better to do
PATIENCE = 15.0  # seconds that an interrupted run has to write what it knows: more than its own deadline


class Judgement(Struct, frozen=True):
    """What one health run said: its exit status and its results; none where it came to no judgement."""

    status: int
    results: dict[str, Any] | None

    @property
    def is_well(self) -> bool:
        """All of it was judged, and nothing fires; pytest alone also exits with 0 for `--help`."""
        return self.status == 0 and self.results is not None and not self.is_partial

    @property
    def is_partial(self) -> bool:
        """More than `-m` narrowed it: what was left out is not let through."""
        return self.results is not None and bool(self.results["selection"]["partial"])

    @property
    def can_change(self) -> bool:
        """The same question asked later may be answered otherwise."""
        return self.status in WAITABLE and self.results is not None and not self.is_partial

    @property
    def exit_status(self) -> int:
        """The status that a gate ends with after it: never 0 where nothing was judged."""
        if self.status == 0 and not self.is_well:
            return int(pytest.ExitCode.USAGE_ERROR) if self.is_partial else NOTHING_JUDGED
        return self.status if self.status >= 0 else 128 - self.status  # as shells tell of a signal

    @property
    def api_calls(self) -> int:
        """How often it asked the API."""
        spent = self.results["cost"].get("api") if self.results else None
        return int(spent["calls"]) if spent else 0

    def __str__(self) -> str:
        if self.results is None:
            return f"no judgement, exit status {self.exit_status}"
        wrong = [f"{alert['state']} {alert['name']}" for alert in self.results["alerts"] if _is_wrong(alert)]
        narrowed = ", but options left out a part" if self.is_partial else ""
        return f"{self.results['verdict']}" + (f" ({', '.join(wrong)})" if wrong else "") + narrowed


def _is_wrong(alert: dict[str, Any]) -> bool:
    return alert["state"] in ("firing", "unknown")


def pause(api_calls: int, wait: float) -> float:
    """Return the seconds from one judgement's start to the next one's, so that the API bears all of them."""
    return max(PAUSE, api_calls * 60 / PER_MINUTE, api_calls * min(wait, 3600) / PER_HOUR)


def wait_until_well(
    judge: Callable[[], Judgement],
    wait: float,
    in_a_row: int,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = print,
) -> Judgement:
    """Judge until it is well so many times in a row, or the time is over; give the final judgement.

    The last look is when the time is over. A row that has begun by then is judged to its end.
    """
    ends, row, turn = clock() + wait, 0, 0
    while True:
        turn, started = turn + 1, clock()
        last = judge()
        row = row + 1 if last.is_well else 0
        passed = f"{clock() - ends + wait:.0f} s"
        say(f"gate: judgement {turn} after {passed}: {last}" + (f", {row} of {in_a_row} in a row" if row else ""))
        if row == in_a_row or not last.can_change or (row == 0 and clock() >= ends):
            return last
        following = started + pause(last.api_calls, wait)
        sleep(max(0.0, (following if row else min(following, ends)) - clock()))


class Runner:
    """Runs the suite in a fresh process each time; in a process group of its own, so that only we interrupt it."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._results = folder / "results.json"
        self._output = folder / "output"
        self._summary = folder / "summary"
        own = ["--gate", "-m", SEVERITIES]
        self._command = [sys.executable, "-m", "pytest", *own, *arguments, f"--results={self._results}"]

    def __call__(self) -> Judgement:
        """Judge once."""
        self._results.unlink(missing_ok=True)
        self._summary.write_bytes(b"")
        # A step's summary is added to by every run: only the final one's is to be seen.
        environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(self._summary)}
        with (
            self._output.open("wb") as output,
            subprocess.Popen(  # noqa: S603  our own suite
                self._command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, process_group=0,
            ) as run,
        ):  # fmt: skip
            try:
                status = run.wait()
            except KeyboardInterrupt:
                _end(run)
                raise
        results = json.loads(self._results.read_bytes()) if self._results.exists() else None
        return Judgement(status, results)

    def show(self) -> None:
        """Show the last judgement whole."""
        sys.stdout.flush()
        with suppress(OSError):  # nobody reads it any more
            sys.stdout.buffer.write(self._output.read_bytes())
        sys.stdout.flush()

    def hand_over(self, results: Path | None) -> None:
        """Write the last judgement's results where they are wanted, and its summary where GitHub Actions wants that."""
        if results and self._results.exists():
            with _complaining("the results"):
                replace_file(results, self._results.read_text("utf-8"))
        elif results and results.is_file():  # those of another gate
            with _complaining("the results"):
                results.unlink()
        if path := os.environ.get("GITHUB_STEP_SUMMARY"):
            with _complaining("the summary of the step"), Path(path).open("ab") as summary:
                summary.write(self._summary.read_bytes())


@contextmanager
def _complaining(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        print(f"gate: {what} could not be written: {error}", flush=True)


def _end(run: subprocess.Popen[bytes]) -> None:
    """Let a run write what it knows; one that does not end, or that nobody wants to wait for, is killed."""
    run.terminate()
    try:
        run.wait(PATIENCE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        run.kill()


class _Parser(argparse.ArgumentParser):
    """Wrong usage has pytest's exit status here too, and `--help` lets nothing through."""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        super().exit(status or NOTHING_JUDGED, message)

    def error(self, message: str) -> NoReturn:
        self.exit(int(pytest.ExitCode.USAGE_ERROR), f"gate: {message}\n")


def _span(text: str) -> Span:
    try:
        return Span.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _arguments(given: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = _Parser(prog="python -m reports.commands.gate", description=__doc__, allow_abbrev=False)
    parser.add_argument("--wait", type=_span, default=Span(120), metavar="TIME", help="as 120s or 5min (2 min)")
    parser.add_argument("--in-a-row", type=int, default=2, metavar="N", help="how often it must be well (2)")
    parser.add_argument("--results", type=Path, metavar="FILE", help="where the final judgement's results.json goes")
    own, rest = parser.parse_known_args(given)
    if own.in_a_row < 1:
        parser.error("--in-a-row: at least 1")
    return own, rest


def main(given: list[str]) -> int:
    """Judge, and return the exit status: pytest's for an internal error where the gate itself fails."""
    guard()
    try:
        return _main(given)
    except Exception as error:  # noqa: BLE001  Python's own status for it means that something fires
        print(f"gate: {internal_error(error)}", flush=True)
        return int(pytest.ExitCode.INTERNAL_ERROR)


def _main(given: list[str]) -> int:
    """Wait, show the final judgement, and give its exit status; pytest's for an interruption where there was one."""
    own, rest = _arguments(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Scratch("gate") as folder:
        runner = Runner(rest, Path(folder))
        last = None
        with suppress(KeyboardInterrupt):
            last = wait_until_well(
                runner, own.wait.total_seconds(), own.in_a_row, say=lambda words: print(words, flush=True)
            )
        runner.show()
        runner.hand_over(own.results)
    if last is None:
        print("gate: interrupted", flush=True)
        return int(pytest.ExitCode.INTERRUPTED)
    print(f"gate: {'passed' if last.is_well else 'not passed'}: {last}", flush=True)
    return last.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
