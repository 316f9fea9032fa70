"""The words a check module is written in: an alert with its limits, its trigger, its diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Literal, TypeVar

from msgspec import Struct, field

from playbook.quantities import Count, Quantity, Share, Size, Span

Function = TypeVar("Function", bound=Callable[..., None])
Role = Literal["trigger", "diagnostic"]


def seconds(number: float) -> Span:
    """A limit in seconds."""
    return Span(number)


def minutes(number: float) -> Span:
    """A limit in minutes."""
    return Span(number * 60)


def hours(number: float) -> Span:
    """A limit in hours."""
    return Span(number * 3600)


def percent(number: float) -> Share:
    """A limit as a part of the whole."""
    return Share(number / 100)


def gibibytes(number: float) -> Size:
    """A limit in bytes, told in GiB."""
    return Size(number * 1024**3)


def items(number: int) -> Count:
    """A limit as a number of things."""
    return Count(number)


class Alert(Struct, frozen=True, kw_only=True):
    """An alert of the playbook: everything that is said of it stands here, once.

    `limits` are the playbook's thresholds, which a target may override; `lasts` is how long the condition must hold
    (Prometheus' `for`); `explains` is the resource whose absence this alert is about. `expression` is what Prometheus
    evaluates for it, with `$name` for a limit (`make rules`).
    """

    name: str
    severity: Literal[0, 1, 2, 3]
    trigger: str
    impact: str
    respond_within: Span
    escalate_after: Span
    limits: Mapping[str, Quantity] = field(default_factory=dict)
    lasts: Span = Span(0)
    escalate_when: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    explains: str | None = None
    expression: str = ""

    @property
    def all_labels(self) -> dict[str, str]:
        """The labels that the alert has in Prometheus and Alertmanager; Ordinaut's rules know two severities."""
        severity = "critical" if self.severity < 2 else "warning"
        return {"alertname": self.name, "severity": severity, **self.labels}

    @property
    def runbook(self) -> str:
        """The path of its runbook, from the top of the project."""
        return f"runbooks/{self.name}.md"

    def limits_for(self, overrides: Mapping[str, str | float]) -> SimpleNamespace:
        """Give the limits as attributes, a target's overrides read in the unit of the default.

        Raises KeyError for a limit that the alert does not have, ValueError for a value that is none.
        """
        unknown = set(overrides) - set(self.limits)
        if unknown:
            known = ", ".join(self.limits) or "none"
            raise KeyError(f"limits.{self.name}: no limit {', '.join(sorted(unknown))} (it has: {known})")
        read = {name: type(self.limits[name]).parse(value) for name, value in overrides.items()}
        return SimpleNamespace(**{**self.limits, **read})


class Check(Struct, frozen=True):
    """What a check function is: the trigger of its alert, or a diagnostic of one cause.

    `steps` are the playbook's numbered steps that it does. `explained_by` is the alert that the cause is about, where
    it has one of its own. A trigger `measures` a quantity (`fact.attribute`) `against` one of the limits. A
    diagnostic `fills` what its runbook section names in angle brackets: `{"pid": "fact.attribute"}`. One that is
    `active` writes: it runs with `--active` alone.
    """

    role: Role
    steps: tuple[int, ...]
    cause: str | None = None
    explained_by: str | None = None
    measures: str | None = None
    against: str | None = None
    fills: Mapping[str, str] = field(default_factory=dict)
    active: bool = False


def trigger(
    *, step: int | tuple[int, ...] = (), measures: str | None = None, against: str | None = None
) -> Callable[[Function], Function]:
    """Mark the check that decides whether the alert fires: one a module."""
    return _mark(Check("trigger", _steps(step), measures=measures, against=against))


def diagnostic(
    *,
    cause: str,
    step: int | tuple[int, ...],
    explained_by: str | None = None,
    fills: Mapping[str, str] | None = None,
    active: bool = False,
) -> Callable[[Function], Function]:
    """Mark a check that looks for one cause. They are tried in the module's order: what explains most comes first."""
    return _mark(Check("diagnostic", _steps(step), cause, explained_by, fills=fills or {}, active=active))


def _steps(step: int | tuple[int, ...]) -> tuple[int, ...]:
    return (step,) if isinstance(step, int) else step


def _mark(check: Check) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        function.check = check  # type: ignore[attr-defined]
        return function

    return decorate


def alert_of(module: Any) -> Alert | None:
    """Give the alert that a module is about, None where it is about none."""
    alert = getattr(module, "ALERT", None)
    return alert if isinstance(alert, Alert) else None


def check_of(function: Any) -> Check | None:
    """Give what a function was marked as."""
    check = getattr(function, "check", None)
    return check if isinstance(check, Check) else None
