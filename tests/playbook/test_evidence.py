from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from fixtures.clients.masking import MASK, Masker
from playbook import evidence
from playbook.evidence import RECORD, Cost, Record, bounded, note, time_left

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "p4ss-w0rd"
MASKED = Masker({SECRET})


@contextmanager
def recorded() -> Iterator[Record]:
    """Record evidence as a probe does."""
    record = Record(run_ends=float("inf"), call_seconds=3)
    token = RECORD.set(record)
    yield record
    RECORD.reset(token)


def excerpt_of(text: str) -> str:
    """Return what a page of evidence shows of a text."""
    with recorded() as record:
        note(MASKED, "postgres", "psql", 0, text)
    return record.pages[0].excerpt


def test_evidence_is_masked_and_cut() -> None:
    with recorded() as record:
        note(MASKED, "postgres", f"psql {SECRET}", 0.0123, "\n".join(f"{number} {SECRET}" for number in range(1000)))
    (page,) = record.pages
    assert (page.source, page.command, page.took_ms) == ("postgres", f"psql {MASK}", 12.3)
    assert page.excerpt.splitlines()[-1] == f"999 {MASK}"
    assert len(page.excerpt.splitlines()) == evidence.EXCERPT_LINES


def test_one_endless_line_is_cut() -> None:
    assert len(excerpt_of("x" * 100_000)) == evidence.EXCERPT_CHARACTERS


@pytest.mark.parametrize("shown", range(-len(SECRET), len(SECRET) + 1))
def test_no_part_of_a_secret_stands_at_the_edge_of_an_excerpt(shown: int) -> None:
    text = "x" * 100_000 + SECRET + "x" * (evidence.EXCERPT_CHARACTERS - len(SECRET) + shown)
    assert set(excerpt_of(text)) <= set(MASK + "x")


@pytest.mark.parametrize("length", [20, 700, 1900])
@pytest.mark.parametrize("between", ["\n", " "], ids=["lines", "words"])
def test_a_mask_shorter_than_its_secret_brings_no_half_of_another_into_sight(length: int, between: str) -> None:
    token = "eyJ" + "a" * length + "." + "b" * length + "." + "c" * length
    for start in range(0, 3 * length, 37):
        text = between.join([*[token] * 60, "y" * start])
        assert set(excerpt_of(text)) <= set(MASK + between + "y"), start


def test_a_call_outside_of_a_probe_leaves_no_evidence() -> None:
    with recorded() as record:
        thread = threading.Thread(target=note, args=(MASKED, "postgres", "psql", 0, "text"))
        thread.start()
        thread.join()
    assert record.pages == []


def test_calls_that_are_bounded_together_share_the_time_of_one() -> None:
    with bounded(0.5):
        assert 0.2 <= time_left(60) <= 0.5
    assert time_left(60) == 60


def test_the_cost_is_counted_by_resource_even_where_a_call_fails() -> None:
    cost = Cost()
    with cost.of("postgres"):
        pass
    with pytest.raises(OSError, match="gone"), cost.of("postgres"):
        raise OSError("gone")
    with cost.of("api"):
        pass
    assert {name: spent.calls for name, spent in cost.summary().items()} == {"api": 1, "postgres": 2}
