"""Evidence: what a probe ran and saw, the deadline of its call, and what the run itself cost the target."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Annotated, TypeVar

from msgspec import Meta, Struct, field
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
EXCERPT_LINES = 40
EXCERPT_CHARACTERS = 4000
LOOKED_THROUGH = 4 * EXCERPT_CHARACTERS  # for secrets
LONGEST_SECRET = 8000  # characters: a web token can be so long
GRACE = 1.0  # seconds a probe has beyond its client's deadline, to turn a timeout into a fact
LEAST_TIME = 0.2  # seconds that a later call of a probe is given where the earlier ones took all of its time


class Unknown(Exception):  # noqa: N818  it is an answer, not an error
    """What was asked could not be judged: the outcome is unknown, never ok.

    `resource` names the part of the target that is unavailable, where that is the reason.
    """

    def __init__(self, sentence: str, resource: str | None = None) -> None:
        super().__init__(sentence)
        self.resource = resource


class Absent(Exception):  # noqa: N818
    """The target is known not to have this component: the outcome is skipped."""


Text = Annotated[str, Meta(min_length=1)]
Milliseconds = Annotated[float, Meta(ge=0)]


class Evidence(Struct, frozen=True, forbid_unknown_fields=True):
    """What a probe ran and saw, secrets masked: `command` repeats it by hand."""

    source: Text
    command: Text
    took_ms: Milliseconds
    excerpt: str


class Spent(Struct, forbid_unknown_fields=True):
    """What the run itself asked of one resource."""

    calls: Annotated[int, Meta(ge=0)] = 0
    ms: Milliseconds = 0.0


class Record(Struct):
    """The evidence of one probe, and when its call must have ended (by `time.monotonic`)."""

    run_ends: float
    call_seconds: float
    call_ends: float | None = None  # None until the client is imported and the call begins
    pages: list[Evidence] = field(default_factory=list)

    @property
    def ends(self) -> float:
        """The moment after which this probe is no longer waited for."""
        return self.run_ends if self.call_ends is None else min(self.run_ends, self.call_ends + GRACE)


RECORD: ContextVar[Record | None] = ContextVar("record", default=None)


def note(mask: Callable[[str], str], source: str, command: str, took_s: float, excerpt: str) -> None:
    """Add evidence to the probe of this thread: masked here, then cut to what a page bears."""
    record = RECORD.get()
    if record is None:
        return  # a client used outside of a probe, as --show-target does
    lines = _masked_end(mask, excerpt).splitlines()
    text = "\n".join(lines[-EXCERPT_LINES:])[-EXCERPT_CHARACTERS:]
    record.pages.append(Evidence(source, mask(command), round(took_s * 1000, 1), text))


def _masked_end(mask: Callable[[str], str], text: str) -> str:
    """Return the end of a text, masked, without what a cut may have left of a secret: half of one looks like none."""
    masked = mask(text[-LOOKED_THROUGH:])
    if len(text) <= LOOKED_THROUGH:
        return masked
    line_ends = masked.find("\n", 0, LONGEST_SECRET)
    return masked[LONGEST_SECRET if line_ends < 0 else line_ends + 1 :]


def time_left(at_most: float) -> float:
    """Return the seconds that the probe of this thread may still wait; its clock starts when it first asks.

    Clients ask once they are imported: on a slow machine that takes longer than the target does to answer. Unknown
    once nobody waits for the probe any more: one that asks for each of many things ends, too.
    """
    record = RECORD.get()
    if record is None:
        return at_most
    now = time.monotonic()
    if record.call_ends is None:
        record.call_ends = now + record.call_seconds
    if now > record.ends:
        raise Unknown("there was no time to ask for all of it")
    return max(LEAST_TIME, min(at_most, record.call_ends - now))


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Let all that is asked here together take no longer than one call may, as in a probe."""
    token = RECORD.set(Record(math.inf, seconds))
    try:
        yield
    finally:
        RECORD.reset(token)


def in_parallel(calls: Iterable[Callable[[], T]], seconds: float) -> list[T | None]:
    """Make calls at once, each on a daemon thread within this probe, and return what they returned.

    It waits so long: None stands for a call that is late, and is left behind. What a call raises is raised here.
    """

    def make(call: Callable[[], T], made: Future[T]) -> None:
        try:
            made.set_result(call())
        except BaseException as error:  # noqa: BLE001  raised again below
            made.set_exception(error)

    pending = [(call, Future[T]()) for call in calls]
    for each in pending:
        threading.Thread(target=copy_context().run, args=(make, *each), daemon=True).start()
    wait([made for _, made in pending], seconds)
    return [made.result() if made.done() else None for _, made in pending]


class Cost:
    """What the run itself cost the target, by resource: calls and milliseconds. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent: dict[str, Spent] = {}

    @contextmanager
    def of(self, resource: str) -> Iterator[None]:
        """Count one call of this resource and the time it takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                spent = self._spent.setdefault(resource, Spent())
                spent.calls += 1
                spent.ms = round(spent.ms + (time.monotonic() - began) * 1000, 1)

    def summary(self) -> dict[str, Spent]:
        """Return what was spent, by resource."""
        with self._lock:
            return {name: replace(spent) for name, spent in sorted(self._spent.items())}
