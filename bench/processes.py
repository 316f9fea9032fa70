"""Whole processes, timed in turn, so that the machine's own moods fall out of their ratios."""

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
Timed = dict[str, list[float]]  # seconds, by what was run


def seconds_of(command: Sequence[str], cwd: Path = ROOT, **environment: str) -> float:
    """Give the seconds that a command takes, whatever comes of it."""
    began = time.perf_counter()
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, cwd=cwd, env=usual | environment, capture_output=True, check=False)
    return time.perf_counter() - began


def health_run(*arguments: str) -> float:
    """Give the seconds of one health run, its report included."""
    with tempfile.TemporaryDirectory() as output:
        return seconds_of([sys.executable, "-m", "pytest", f"--output={output}", *arguments])


@contextmanager
def empty_session() -> Iterator[Callable[[], float]]:
    """Give what times a pytest session in which there is next to nothing to do."""
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
    """Give the median of the ratios of two kinds, round by round."""
    return statistics.median([mine / theirs for mine, theirs in zip(timed[ours], timed[base], strict=True)])


def show(title: str, timed: Timed, base: str) -> None:
    """Print the median of each kind, and its ratio to one of them."""
    print(f"\n{title}, medians of {len(timed[base])} runs in turn")
    for name, took in timed.items():
        print(f"  {name:26} {statistics.median(took):6.2f} s   {ratio(timed, name, base):6.2f} x {base}")


def reached(words: str, value: float, at_most: float) -> bool:
    """Print whether a number of the design was reached, and say so."""
    print(f"  {words}: {value:.2f} x (reach: {at_most:g}): {'reached' if value <= at_most else 'NOT reached'}")
    return value <= at_most
