"""Literal cases: the facts that a check is given, written out, and what it must make of them.

A check needs three: `healthy`, `faulty`, and `unobserved`, where its facts could not be read.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import pytest

from playbook.alert import alert_of
from playbook.evidence import Absent, Unknown
from playbook.outcome import sentence_of


class _NotObserved:
    """A fact whose probe failed: whatever is asked of it is unknown."""

    def __getattr__(self, name: str) -> NoReturn:
        raise Unknown("not observed")


@dataclass(frozen=True)
class Case:
    """A check, the facts it is given, and the expected outcome; `says` is part of its message."""

    check: Callable[..., None]
    facts: Mapping[str, Any]
    outcome: Literal["healthy", "faulty", "unobserved"]
    says: str = ""

    @property
    def name(self) -> str:
        """The name of the case: the check, the outcome, and the message."""
        return "-".join(filter(None, (self.check.__name__, self.outcome, self.says)))

    def run(self) -> None:
        """Call the check with its facts, and with its alert's own limits where the case has no others."""
        alert = alert_of(sys.modules[self.check.__module__])
        assert alert is not None
        facts = {"limits": alert.limits(), **self.facts}
        self.check(**{name: facts.get(name, _NotObserved()) for name in inspect.signature(self.check).parameters})

    def prove(self) -> None:
        """Run the case and compare its outcome with the expected one."""
        if self.outcome == "healthy":
            missing = set(inspect.signature(self.check).parameters) - {"limits", *self.facts}
            assert not missing, f"the case lacks {', '.join(sorted(missing))}"
            self.run()
            return
        expected = AssertionError if self.outcome == "faulty" else (Unknown, Absent, pytest.skip.Exception)
        with pytest.raises(expected) as raised:
            self.run()
        sentence = sentence_of(raised.value)
        assert self.says in sentence
        assert not any(sign in sentence for sign in ("object at 0x", "datetime.", "Transport.", "State.", "None"))


def healthy(check: Callable[..., None], **facts: object) -> Case:
    """Return a case in which the check passes."""
    return Case(check, facts, "healthy")


def faulty(check: Callable[..., None], says: str, **facts: object) -> Case:
    """Return a case in which the check fails, with this in its message."""
    return Case(check, facts, "faulty", says)


def unobserved(check: Callable[..., None], says: str = "", **facts: object) -> Case:
    """Return a case in which the check cannot be judged; a fact that is left out is one whose probe failed."""
    return Case(check, facts, "unobserved", says)


def parametrized(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Make pytest run a test once per case."""
    found = list(cases)
    return pytest.mark.parametrize("case", found, ids=[case.name for case in found])
