"""Waiting for something to become true, for a bounded time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class NotYet(Exception):  # noqa: N818  it is an answer, not an error
    """What is waited for is not so yet; the sentence says what is seen instead."""


def require(condition: object, otherwise: str) -> None:
    """Raise NotYet with the sentence unless the condition holds."""
    if not condition:
        raise NotYet(otherwise)


def until(check: Callable[[], T], seconds: float = 10, every: float = 0.05) -> T:
    """Call `check` until it no longer raises NotYet; after the time is up its last NotYet comes through."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except NotYet:
            if time.monotonic() >= deadline:
                raise
        time.sleep(every)
