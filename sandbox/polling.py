"""Waiting for a condition, for a bounded time."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class NotYet(Exception):  # noqa: N818  it is an answer, not an error
    """The condition is not true yet; the message says what is seen instead."""


def require(condition: object, otherwise: str) -> None:
    """Raise NotYet with this message unless the condition is true."""
    if not condition:
        raise NotYet(otherwise)


@contextmanager
def not_yet(what: str, *errors: type[Exception]) -> Iterator[None]:
    """Raise NotYet, with this message and the error's, where the block raises one of these errors."""
    try:
        yield
    except errors as error:
        raise NotYet(f"{what}: {str(error).strip() or repr(error)}") from error


def until(check: Callable[[], T], seconds: float = 10, every: float = 0.05) -> T:
    """Call `check` until it does not raise NotYet, and return its result; raise its last NotYet after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except NotYet:
            if time.monotonic() >= deadline:
                raise
        time.sleep(every)
