"""What the engine needs of the target that is judged; the target itself and its clients live elsewhere."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from msgspec import Struct

from playbook.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class BadSettings(pytest.UsageError):  # type: ignore[misc]  # final, but pytest knows a usage error by its class
    """A wrong value: one clear line, and pytest's exit status for a usage error."""

    def __init__(self, sentence: str) -> None:
        super().__init__(on_one_line(sentence))


class Exemption(Struct, forbid_unknown_fields=True, frozen=True):
    """An alert that is known to fire and may: why, who says so, and the last day of it in the target's time zone."""

    reason: str
    owner: str
    until: date


class JudgedTarget:
    """The stack that is judged; deadlines are in seconds."""

    name: str  # in reports
    timezone: str  # in which its exemptions end
    call_deadline: float  # of one call
    run_deadline: float  # of all probes together
    limits: Mapping[str, Mapping[str, str | float]]  # that the target overrides, by alert and limit
    exemptions: Mapping[str, Exemption]  # by alert
    mask: Callable[[str], str]  # returns a text without the target's secrets


TARGET = pytest.StashKey[JudgedTarget]()
