"""The cases that checks are tested on: literal facts, and what the check must make of them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from playbook.alert import alert_of
from playbook.judging import sentence_of
from playbook.probe import Unknown


@dataclass(frozen=True)
class Case:
    """A check, the facts it is given, and what must come of it; `says` are words of its message."""

    check: Callable[..., None]
    facts: dict[str, Any]
    outcome: Literal["healthy", "faulty", "unknown"]
    says: str = ""

    @property
    def module(self) -> str:
        """The name of the check's module, without its packages."""
        return self.check.__module__.rpartition(".")[2]

    @property
    def name(self) -> str:
        """What pytest calls the case: the check, the outcome, and what it says."""
        return "-".join(filter(None, (self.module, self.check.__name__, self.outcome, self.says)))

    def run(self) -> None:
        """Call the check with its facts, and its alert's own limits where the case has no other."""
        facts = dict(self.facts)
        alert = alert_of(sys.modules[self.check.__module__])
        assert alert is not None
        if "limits" in inspect.signature(self.check).parameters:
            facts.setdefault("limits", alert.limits_for({}))
        self.check(**facts)


def healthy(check: Callable[..., None], **facts: object) -> Case:
    """The check passes."""
    return Case(check, facts, "healthy")


def faulty(check: Callable[..., None], says: str, **facts: object) -> Case:
    """The check fails, and its message has these words."""
    return Case(check, facts, "faulty", says)


def unknown(check: Callable[..., None], says: str, **facts: object) -> Case:
    """The check cannot tell, and says so in these words."""
    return Case(check, facts, "unknown", says)


def prove(case: Case) -> None:
    """Run a case and hold it to its outcome."""
    if case.outcome == "healthy":
        case.run()
        return
    expected = AssertionError if case.outcome == "faulty" else Unknown
    with pytest.raises(expected) as raised:
        case.run()
    sentence = sentence_of(raised.value)
    assert case.says in sentence
    assert not any(sign in sentence for sign in ("object at 0x", "datetime.", "Transport.", "State.", "None"))


def parametrized(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Make pytest run a test once a case."""
    listed = list(cases)
    return pytest.mark.parametrize("case", listed, ids=[case.name for case in listed])
