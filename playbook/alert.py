"""The words a check module is written in: an alert with its limits, its trigger, its diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta, Struct, field

from playbook.limits import AlertLimits, NoLimits
from playbook.quantities import Span

Function = TypeVar("Function", bound=Callable[..., None])
Role = Literal["trigger", "diagnostic"]
Severity = Literal[0, 1, 2, 3]


class Description(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of an alert wherever it is shown; sentences quote the limits in force.

    `respond_within`, `escalate_after` and `for_seconds` are in seconds; `explains` are the resources whose absence the
    alert is about; `runbook` is a path from the top of the project.
    """

    name: Annotated[str, Meta(min_length=1)]
    severity: Severity
    trigger: str
    impact: str
    runbook: Annotated[str, Meta(pattern=r"^runbooks/\w+\.md$")]
    respond_within: float
    escalate_after: float
    escalate_when: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    for_seconds: float = 0.0


class Alert(Struct, frozen=True, kw_only=True):
    """An alert of the playbook, described once.

    `trigger` is a sentence that quotes limits by name, `{heartbeat_age}`, and Prometheus' `for` as `{for_}`: so long
    must the condition hold. `explains` are the resources whose absence this alert is about. `expression` is what
    Prometheus evaluates for it, with `$name` for a limit (`make rules`) and `$name_bucket` for the upper bound of the
    histogram bucket that holds it; `buckets` are the histogram's bounds, in seconds.
    """

    name: str
    severity: Severity
    trigger: str
    impact: str
    respond_within: Span
    escalate_after: Span
    limits: type[AlertLimits] = NoLimits
    for_: Span = Span(0)
    escalate_when: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    explains: tuple[str, ...] = ()
    expression: str = ""
    buckets: tuple[float, ...] = ()

    @property
    def all_labels(self) -> dict[str, str]:
        """The labels that the alert has in Prometheus and Alertmanager; Ordinaut's rules know two severities."""
        severity = "critical" if self.severity < 2 else "warning"
        return {"alertname": self.name, "severity": severity, **self.labels}

    def describe(self, limits: AlertLimits) -> Description:
        """Return what is said of the alert with these limits."""
        return Description(
            name=self.name,
            severity=self.severity,
            trigger=self._sentence(limits),
            impact=self.impact,
            runbook=f"runbooks/{self.name}.md",
            respond_within=self.respond_within.total_seconds(),
            escalate_after=self.escalate_after.total_seconds(),
            escalate_when=self.escalate_when,
            explains=self.explains,
            for_seconds=self.for_.total_seconds(),
        )

    def _sentence(self, limits: AlertLimits) -> str:
        """Return the trigger's sentence; as it is written where it is no format, which is a broken contract, too."""
        try:
            return self.trigger.format_map(_Quoted({**limits.by_name(), "for_": self.for_}))
        except (ValueError, AttributeError, IndexError, TypeError):
            return self.trigger


class _Quoted(dict[str, object]):
    """The values that a sentence quotes; a name without a value stays as it is, and is a broken contract elsewhere."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


class Check(Struct, frozen=True):
    """What a check function is: the trigger of its alert, or a diagnostic of one cause.

    `steps` are the playbook's numbered steps that it covers. `explained_by` is the alert that the cause is about, where
    it has one of its own. A trigger `measures` a quantity (`fact.attribute`) `against` one of the limits. A
    diagnostic `fills` the placeholders of its runbook section: `{"pid": "fact.attribute"}`. An `active` one writes:
    it runs with `--active` alone.
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
    """Mark the check that decides whether the alert fires: one per module."""
    return _mark(Check("trigger", _steps(step), measures=measures, against=against))


def diagnostic(
    *,
    cause: str,
    step: int | tuple[int, ...] = (),
    explained_by: str | None = None,
    fills: Mapping[str, str] | None = None,
    active: bool = False,
) -> Callable[[Function], Function]:
    """Mark a check that looks for one cause. A cause that explains others stands before them in the module."""
    return _mark(Check("diagnostic", _steps(step), cause, explained_by, fills=fills or {}, active=active))


def _steps(step: int | tuple[int, ...]) -> tuple[int, ...]:
    return (step,) if isinstance(step, int) else step


def _mark(check: Check) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        function.check = check  # type: ignore[attr-defined]
        return function

    return decorate


def alert_of(module: Any) -> Alert | None:
    """Return the alert of a module, None where it has none."""
    alert = getattr(module, "ALERT", None)
    return alert if isinstance(alert, Alert) else None


def check_of(function: Any) -> Check | None:
    """Return what a function was marked as, None where it is no check."""
    check = getattr(function, "check", None)
    return check if isinstance(check, Check) else None
