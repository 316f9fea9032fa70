"""Cases of Prometheus rules: series, and whether the alert fires on them.

The literal cases of an alert that has an `expression` may contain them, as `RULES = [fires(…), quiet(…)]`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RuleCase:
    """Series of one sample a minute, and whether the alert fires after this many minutes."""

    alert: str
    fires: bool
    series: dict[str, str]
    minutes: int = 15


def fires(alert: str, minutes: int = 15, /, **series: str) -> RuleCase:
    """Return a case in which the alert fires."""
    return RuleCase(alert, True, series, minutes)


def quiet(alert: str, minutes: int = 15, /, **series: str) -> RuleCase:
    """Return a case in which it does not."""
    return RuleCase(alert, False, series, minutes)
