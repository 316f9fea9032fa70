"""What keeps an alert whose condition holds from firing: an exemption, a silence of Alertmanager, its own `for`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import pytest
from msgspec import Struct

from fixtures.clients.alertmanager import silences
from fixtures.clients.prometheus import active_alerts
from fixtures.target import TARGET
from playbook.alert import Alert
from playbook.probe import PROBES, Absent, Unknown

if TYPE_CHECKING:
    from fixtures.clients.alertmanager import Silence
    from fixtures.settings import Settings

# Since when an alert's condition has held without a break, this moment included: told by who keeps a history, who
# raises Unknown where he could not keep this run in it.
FailingSince = Callable[[Alert, datetime], datetime]
FAILING_SINCE = pytest.StashKey[FailingSince]()


class Muted(Struct, frozen=True):
    """Why an alert does not fire although its condition holds, on whose word, and until when (UTC)."""

    kind: Literal["for", "silence", "exemption"]
    by: str
    reason: str
    until: str

    @property
    def state(self) -> Literal["pending", "silenced"]:
        """The alert's state for it."""
        return "pending" if self.kind == "for" else "silenced"

    def __str__(self) -> str:
        who = {"for": "pending, by", "silence": "silenced by", "exemption": "exempted by"}[self.kind]
        return f"{who} {self.by or 'nobody named'}, until {self.until}: {self.reason or 'no reason given'}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what cron asks for, and a gate or a person does not."""
    group = parser.getgroup("ordinaut")
    group.addoption(
        "--honor-for", action="store_true", help="an alert is pending until its condition has lasted for its `for`"
    )
    group.addoption(
        "--honor-silences",
        action="store_true",
        help="an alert that an active silence of Alertmanager hides is silenced",
    )
    group.addoption("--gate", action="store_true", help="refuse both: what is broken must not be let through")


def pytest_configure(config: pytest.Config) -> None:
    """Stop a gate's run that would hold an alert back, from wherever it was told to."""
    option = config.option
    given = {"--honor-for": option.honor_for, "--honor-silences": option.honor_silences}
    for name, is_given in given.items():
        if option.gate and is_given:
            raise pytest.UsageError(f"{name} is not for a gate: what is broken must not be let through")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Start asking what the options need together with all else."""
    if PROBES not in session.stash or session.config.option.collectonly:
        return
    option = session.config.option
    wanted = {silences.probe: option.honor_silences, active_alerts.probe: option.honor_for}
    session.stash[PROBES].start([probe for probe, is_asked in wanted.items() if is_asked])


def muted(session: pytest.Session, alert: Alert) -> Muted | None:
    """Say what keeps an alert whose condition holds from firing; None where nothing does.

    Raises Unknown where what an option asks to be honoured could not be told.
    """
    settings = session.stash[TARGET].settings
    option = session.config.option
    return (
        _exempted(settings, alert)
        or (_silenced(session, alert) if option.honor_silences else None)
        or (_pending(session, alert) if option.honor_for else None)
    )


def _exempted(settings: Settings, alert: Alert) -> Muted | None:
    exemption = settings.exemptions.get(alert.name)
    if exemption is None:
        return None
    ends = datetime.combine(exemption.until + timedelta(days=1), time(), ZoneInfo(settings.timezone))
    return Muted("exemption", exemption.owner, exemption.reason, _stamp(ends))


def _silenced(session: pytest.Session, alert: Alert) -> Muted | None:
    try:
        active = session.stash[PROBES].fact(silences.probe)
        found = _hiding(active, alert)
    except Absent:
        return None
    except Unknown as error:
        raise Unknown(f"whether it is silenced could not be told: {error}") from error
    if found is None:
        return None
    mask = session.stash[TARGET].mask
    return Muted("silence", mask(found.created_by), mask(f"{found.comment} ({found})"), _stamp(found.ends_at))


def _hiding(active: tuple[Silence, ...], alert: Alert) -> Silence | None:
    """Give a silence that hides the alert; Unknown where none does, and one may."""
    untold: Unknown | None = None
    for silence in active:
        try:
            if silence.hides(alert.all_labels):
                return silence
        except Unknown as error:
            untold = error
    if untold:
        raise untold
    return None


def _pending(session: pytest.Session, alert: Alert) -> Muted | None:
    if not alert.lasts:
        return None
    now = datetime.now(UTC)
    by, since = _holds_since(session, alert, now)
    fires_at = since + alert.lasts
    if now >= fires_at:
        return None
    return Muted("for", by, f"it must last {alert.lasts} and has held since {_stamp(since)}", _stamp(fires_at))


def _holds_since(session: pytest.Session, alert: Alert, now: datetime) -> tuple[str, datetime]:
    """Ask Prometheus since when the condition holds; where it does not know the alert, this suite's own runs."""
    try:
        since: datetime | None = session.stash[PROBES].fact(active_alerts.probe).get(alert.name)
    except (Absent, Unknown):
        since = None
    if since is not None:
        return "Prometheus", since
    try:
        return "this suite's runs", session.stash[FAILING_SINCE](alert, now)
    except Unknown as error:
        raise Unknown(f"for how long it has held could not be told: {error}") from error


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
