"""Whole processes, timed in turn, so that a change of the machine's load affects all of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parent.parent
LINES = 20  # of what a run said, where it ended otherwise than it had to
Timed = dict[str, list[float]]  # seconds, by what was run


class UnexpectedError(RuntimeError):
    """A run ended otherwise than it had to: what it took is the time of something else."""


def seconds_of(command: Sequence[str], cwd: Path = ROOT, status: int | None = 0, **environment: str) -> float:
    """Return the seconds that a command takes; UnexpectedError where it ends with another status, None allowing any."""
    began = time.perf_counter()
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=cwd, env=usual | environment, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if status not in (None, done.returncode):
        said = (done.stdout + done.stderr).strip().splitlines()
        raise UnexpectedError(
            "\n".join([f"{' '.join(command)}: status {done.returncode}, not {status}", *said[-LINES:]])
        )
    return took


def health_run(*arguments: str, status: int = 0) -> float:
    """Return the seconds of one health run, its report included, that must end with this status."""
    with tempfile.TemporaryDirectory() as output:
        return seconds_of([sys.executable, "-m", "pytest", f"--output={output}", *arguments], status=status)


def raised_nothing(what: str, times: int, *arguments: str) -> bool:
    """Judge something healthy so many times, and print how many runs raised anything, each with its last lines."""
    raised = []
    for _ in range(times):
        try:
            health_run(*arguments)
        except UnexpectedError as error:
            raised.append(str(error))
    print(f"\n{what}: {len(raised) or 'none'} of {times} runs raised anything: {'NOT ' if raised else ''}reached")
    print("".join(f"  {words}\n" for words in raised), end="")
    return not raised


@contextmanager
def empty_session() -> Iterator[Callable[[], float]]:
    """Return what times a pytest session in which there is next to nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_empty.py").write_text("def test_nothing():\n    pass\n")
        (Path(folder) / "pytest.ini").write_text("[pytest]\n")
        yield lambda: seconds_of([sys.executable, "-m", "pytest", "-q", folder, "-c", f"{folder}/pytest.ini"])


def in_turn(kinds: Mapping[str, Callable[[], float]], rounds: int) -> Timed:
    """Time each kind so many times, one after the other; a first round warms the caches."""
    timed: Timed = {name: [] for name in kinds}
    for turn in range(rounds + 1):
        for name, run in kinds.items():
            took = run()
            if turn:
                timed[name].append(took)
    return timed


def ratio(timed: Timed, ours: str, base: str) -> float:
    """Return the median of the ratios of two kinds, round by round."""
    return statistics.median([mine / theirs for mine, theirs in zip(timed[ours], timed[base], strict=True)])


def show(title: str, timed: Timed, base: str) -> None:
    """Print the median of each kind, and its ratio to one of them."""
    print(f"\n{title}, medians of {len(timed[base])} runs in turn")
    for name, took in timed.items():
        print(f"  {name:26} {statistics.median(took):6.2f} s   {ratio(timed, name, base):6.2f} x {base}")


def reached(what: str, value: float, at_most: float, unit: str = "x") -> bool:
    """Print a number of the design and whether it was reached; return that."""
    print(f"  {what}: {value:.2f} {unit} (reach: {at_most:g}): {'reached' if value <= at_most else 'NOT reached'}")
    return value <= at_most
