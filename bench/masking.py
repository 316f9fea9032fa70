"""What masking finds of planted secrets, how many healthy lines it touches, and what it costs.

The corpora are in `bench/secrets`. No secret is stored: each is made from its pattern, with a seed.
"""

from __future__ import annotations

import random
import re
import string
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from bench.processes import reached
from fixtures.clients.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "secrets"
TUNED_BY, HELD_OUT = "", "_held_out"  # by the names of the files
FOUND_AT_LEAST, FALSE_AT_MOST = 0.95, 0.01
MS_AT_MOST = 25.0  # of CPU time for what a run of all alerts reads, on lines that are full of names of secrets
TYPICAL_RUN = 80_000  # characters
VARIANTS = 5  # secrets made for each spelling
SHOWN = 6  # characters of a secret in a row that must not be left
_CLASS = re.compile(r"\[([^\]]+)\](?:\{(\d+)\})?|(.)", re.DOTALL)
_ENCLOSED = re.compile("«(.*?)»")


class Planted(Struct, frozen=True):
    """A text and the secrets in it."""

    spelling: str
    text: str
    secrets: tuple[str, ...]

    def left(self, masked: str) -> list[str]:
        """Return the parts of the secrets that a masked text still has."""
        return [part for secret in self.secrets for part in _parts(secret) if part in masked]


def spellings(which: str) -> list[str]:
    """Return the spellings of a corpus."""
    lines = (FOLDER / f"spellings{which}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def healthy_lines(which: str) -> list[str]:
    """Return lines of logs and commands without a secret."""
    return (FOLDER / f"healthy{which}.log").read_text(encoding="utf-8").splitlines()


def planted(which: str) -> Iterator[Planted]:
    """Plant secrets, made anew, into each spelling."""
    for spelling in spellings(which):
        for seed in range(VARIANTS):
            yield plant(spelling, random.Random(f"{spelling} {seed}"))


def plant(spelling: str, chance: random.Random) -> Planted:
    """Make the secrets of a spelling."""
    secrets: list[str] = []

    def secret(found: re.Match[str]) -> str:
        secrets.append("".join(_letters(found[1], chance)))
        return secrets[-1]

    text = _ENCLOSED.sub(secret, re.sub(r"(?<!\\)\\n", "\n", spelling))
    return Planted(spelling, text, tuple(secrets))


def _letters(pattern: str, chance: random.Random) -> Iterator[str]:
    for kinds, times, letter in _CLASS.findall(pattern):
        for _ in range(int(times or 1)) if kinds else ():
            yield chance.choice(_members(kinds))
        yield letter


def _members(kinds: str) -> str:
    spans = re.findall(r"(.)-(.)", kinds)
    letters = string.ascii_letters + string.digits
    return re.sub(".-.", "", kinds) + "".join(x for low, high in spans for x in letters if low <= x <= high)


def _parts(secret: str) -> set[str]:
    if len(secret) <= SHOWN:
        return {secret}
    return {secret[start : start + SHOWN] for start in range(len(secret) - SHOWN + 1)}


def share_found(which: str) -> tuple[float, list[str]]:
    """Return the share of planted texts of which no part of a secret is left, and the spellings of the others."""
    mask = Masker(set())
    texts = list(planted(which))
    missed = [each.spelling for each in texts if each.left(mask(each.text))]
    return 1 - len(missed) / len(texts), sorted(set(missed))


def share_touched(which: str) -> tuple[float, list[str]]:
    """Return the share of healthy lines that masking changes, and what it makes of them."""
    mask = Masker(set())
    lines = healthy_lines(which)
    touched = [masked for line in lines if (masked := mask(line)) != line]
    return len(touched) / len(lines), touched


def milliseconds(rounds: int) -> float:
    """Return how long it takes to mask as much healthy text as a typical run reads, compiling left out."""
    text = "\n".join(healthy_lines(HELD_OUT))
    text = (text * (TYPICAL_RUN // len(text) + 1))[:TYPICAL_RUN]
    mask = Masker(set())
    pages = [text[start : start + 4000] for start in range(0, len(text), 4000)]
    times = []
    for _ in range(rounds):
        began = time.process_time()
        for page in pages:
            mask(page)
        times.append((time.process_time() - began) * 1000)
    return min(times)


def measure(rounds: int) -> bool:
    """Print the figures, and return whether they are reached."""
    print("\nMasking")
    (known, _), (found, missed) = share_found(TUNED_BY), share_found(HELD_OUT)
    (known_touched, _), (touched, lines) = share_touched(TUNED_BY), share_touched(HELD_OUT)
    print(f"  of the corpora it was tuned by: {known:.1%} found, {known_touched:.1%} of healthy lines touched")
    for each in missed:
        print(f"  missed   {each[:100]}")
    for each in lines:
        print(f"  touched  {each[:100]}")
    return all(
        [
            reached("planted secrets missed", 1 - found, 1 - FOUND_AT_LEAST),
            reached("healthy lines touched", touched, FALSE_AT_MOST),
            reached(f"masking {TYPICAL_RUN:,} characters", milliseconds(rounds), MS_AT_MOST, unit="ms"),
        ]
    )
