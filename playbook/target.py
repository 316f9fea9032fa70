"""What the engine needs of the target that is judged; the target itself and its clients live elsewhere."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

import pytest
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BadSettings = pytest.UsageError  # a wrong value: one clear line, and pytest's exit status for a usage error


class Exemption(Struct, forbid_unknown_fields=True, frozen=True):
    """An alert that is known to fire and may: why, who says so, and the last day of it in the target's time zone."""

    reason: str
    owner: str
    until: date


class JudgedTarget(Protocol):
    """The stack that is judged. Deadlines are in seconds; `limits` are overrides by alert and limit."""

    @property
    def name(self) -> str:
        """The name of the target in reports."""

    @property
    def timezone(self) -> str:
        """The time zone in which its exemptions end."""

    @property
    def call_deadline(self) -> float:
        """The deadline of one call."""

    @property
    def run_deadline(self) -> float:
        """The deadline of all probes together."""

    @property
    def limits(self) -> Mapping[str, Mapping[str, str | float]]:
        """The limits that the target overrides."""

    @property
    def exemptions(self) -> Mapping[str, Exemption]:
        """The exempted alerts, by name."""

    @property
    def mask(self) -> Callable[[str], str]:
        """A function that returns a text without the target's secrets."""


TARGET = pytest.StashKey[JudgedTarget]()
