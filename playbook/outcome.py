"""Outcomes: the states of alerts and checks, and what is known of one judged check."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct, field

from playbook.alert import Description, Role
from playbook.evidence import Absent, Evidence, Text, Unknown

State = Literal["ok", "firing", "unknown", "pending", "silenced", "noted", "skipped"]
HOLDS: tuple[State, ...] = ("firing", "pending", "silenced")  # the condition holds, whether or not it pages


Moment = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]  # UTC


class Measured(Struct, frozen=True, forbid_unknown_fields=True):
    """A quantity as people read it, and as a plain number: seconds, a share of 1, a count, bytes."""

    text: Text
    value: float | None


class Suppression(Struct, frozen=True, forbid_unknown_fields=True):
    """Why an alert does not fire although its condition holds, by whom, and until when (UTC)."""

    kind: Literal["for", "silence", "exemption"]
    by: str
    reason: str
    until: Moment

    @property
    def state(self) -> Literal["pending", "silenced"]:
        """The alert's state because of it."""
        return "pending" if self.kind == "for" else "silenced"

    def __str__(self) -> str:
        who = {"for": "pending according to", "silence": "silenced by", "exemption": "exempted by"}[self.kind]
        return f"{who} {self.by or 'an unnamed person'} until {self.until}: {self.reason or 'no reason given'}"


class CheckOutcome(Struct, frozen=True):
    """One judged check. `resource` is what was unavailable, where that is why it is unknown."""

    id: str
    alert: Description
    role: Role
    steps: list[int]
    state: State
    claim: str
    message: str = ""
    cause: str | None = None
    explained_by: str | None = None
    resource: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    measured: Measured | None = None
    limit: Measured | None = None
    suppressed: Suppression | None = None
    judged: bool = True  # False: the run was stopped before
    duration_ms: float = 0.0
    evidence: list[Evidence] = field(default_factory=list)


def judge(role: Role, raised: BaseException | None, trigger_state: State, explains: tuple[str, ...] = ()) -> State:
    """Return the state of a check from what it raised and, for a diagnostic, from its trigger's state.

    Only an AssertionError says that something is wrong; any other exception says that it could not be judged. What a
    diagnostic could not observe, because a resource that its own alert `explains` is unavailable, is skipped while that
    alert holds.
    """
    if raised is None:
        return "ok"
    if isinstance(raised, pytest.skip.Exception | Absent):
        return "skipped"
    if not isinstance(raised, AssertionError):
        return "skipped" if _follows(role, raised, trigger_state, explains) else "unknown"
    if role == "trigger":
        return "firing"
    return trigger_state if trigger_state in HOLDS else "noted"


def _follows(role: Role, raised: BaseException, trigger_state: State, explains: tuple[str, ...]) -> bool:
    resource = raised.resource if isinstance(raised, Unknown) else None
    return role == "diagnostic" and trigger_state in HOLDS and resource in explains


def sentence_of(raised: BaseException) -> str:
    """Return the words of a failure, without the operands that pytest adds beneath an assertion's message."""
    if isinstance(raised, AssertionError):
        message = str(raised).split("\nassert ")[0].strip()
        return message or "the assertion failed without a message"
    if isinstance(raised, Unknown | Absent | pytest.skip.Exception):
        return str(raised)
    return f"the check itself failed: {_words(raised)}"


def internal_error(raised: BaseException) -> str:
    """Return the one line that stands for an error of the suite itself."""
    return " ".join(f"internal error: {_words(raised)}".split())


def _words(raised: BaseException) -> str:
    place = raised.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
    return f"{type(raised).__name__}: {raised}{where}"
