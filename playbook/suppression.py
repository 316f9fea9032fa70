"""What keeps an alert whose condition holds from firing: an exemption, a silence of Alertmanager, its own `for`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest
from msgspec import Struct

from playbook.alert import Alert
from playbook.evidence import Absent, Unknown
from playbook.outcome import Suppression
from playbook.probe import PROBES, Probe
from playbook.target import TARGET, JudgedTarget
from playbook.text import on_one_line


class ActiveSilence(Protocol):
    """A silence of Alertmanager that is active now."""

    @property
    def created_by(self) -> str:
        """Who made it."""

    @property
    def comment(self) -> str:
        """Why."""

    @property
    def ends_at(self) -> datetime:
        """When it ends."""

    def hides(self, labels: Mapping[str, str]) -> bool:
        """Return whether it hides an alert of these labels; raises Unknown where that cannot be judged."""


class Watchers(Struct, frozen=True):
    """The probes for what Alertmanager and Prometheus know of the alerts; connected by the root conftest."""

    silences: Probe[Sequence[ActiveSilence]]
    active_since: Probe[Mapping[str, datetime]]  # of the alerts that are pending or firing in Prometheus, by name


WATCHERS = pytest.StashKey[Watchers]()


class Held(Struct, frozen=True):
    """Since when earlier runs have seen an alert's condition hold, this moment included, and how often they look."""

    since: datetime
    usual_interval: timedelta


# Connected by whoever keeps a history. Raises Unknown where this run cannot be recorded in it.
FailingSince = Callable[[Alert, datetime], Held]
FAILING_SINCE = pytest.StashKey[FailingSince]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what cron asks for, and a gate or a person does not."""
    group = parser.getgroup("ordinaut")
    group.addoption(
        "--honor-for", action="store_true", help="an alert is pending until its condition has held for its `for`"
    )
    group.addoption(
        "--honor-silences",
        action="store_true",
        help="an alert that an active silence of Alertmanager hides is silenced",
    )
    group.addoption("--gate", action="store_true", help="refuse both: a gate must not let through what is broken")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a gate that would hold an alert back, wherever it was asked to."""
    option = config.option
    given = {"--honor-for": option.honor_for, "--honor-silences": option.honor_silences}
    for name, is_given in given.items():
        if option.gate and is_given:
            raise pytest.UsageError(f"{name} is not for a gate: it must not let through what is broken")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Ask what the options need together with all else; of probes that have started, nothing is asked again."""
    session = item.session
    if PROBES not in session.stash:
        return
    option, watchers = session.config.option, session.stash[WATCHERS]
    wanted: list[tuple[Probe[Any], bool]] = [
        (watchers.silences, option.honor_silences),
        (watchers.active_since, option.honor_for),
    ]
    session.stash[PROBES].start([probe for probe, is_asked in wanted if is_asked])


def suppression_of(session: pytest.Session, alert: Alert) -> Suppression | None:
    """Return what keeps an alert whose condition holds from firing; None where nothing does.

    Raises Unknown where an option asks to honour what could not be found out.
    """
    option = session.config.option
    return (
        _exemption(session.stash[TARGET], alert)
        or (_silence(session, alert) if option.honor_silences else None)
        or (_pending(session, alert) if option.honor_for else None)
    )


def _exemption(target: JudgedTarget, alert: Alert) -> Suppression | None:
    exemption = target.exemptions.get(alert.name)
    if exemption is None:
        return None
    ends = datetime.combine(exemption.until + timedelta(days=1), time(), ZoneInfo(target.timezone))
    return Suppression("exemption", exemption.owner, exemption.reason, _stamp(ends))


def _silence(session: pytest.Session, alert: Alert) -> Suppression | None:
    try:
        found = _hiding(session.stash[PROBES].fact(session.stash[WATCHERS].silences), alert)
    except Absent:
        return None
    except Unknown as error:
        raise Unknown(f"whether it is silenced is unknown: {error}") from error
    if found is None:
        return None
    mask = session.stash[TARGET].mask
    by, why = on_one_line(mask(found.created_by)), on_one_line(mask(f"{found.comment} ({found})"))
    return Suppression("silence", by, why, _stamp(found.ends_at))


def _hiding(active: Sequence[ActiveSilence], alert: Alert) -> ActiveSilence | None:
    """Return a silence that hides the alert; Unknown where none does, and one may."""
    unknown: Unknown | None = None
    for silence in active:
        try:
            if silence.hides(alert.all_labels):
                return silence
        except Unknown as error:
            unknown = error
    if unknown:
        raise unknown
    return None


def _pending(session: pytest.Session, alert: Alert) -> Suppression | None:
    """Return that an alert waits for its `for`, according to Prometheus, else to earlier runs.

    Prometheus may begin anew again and again, as where it restarts: by earlier runs it waits one interval more at most.
    Raises Unknown where neither knows how long the condition has held.
    """
    if not alert.for_:
        return None
    now = datetime.now(UTC)
    by, since = "Prometheus", _active_since(session, alert, now)
    try:
        held = session.stash[FAILING_SINCE](alert, now)
    except Unknown as error:
        if since is None:
            raise Unknown(f"how long it has held is unknown: {error}") from error
        latest = now + alert.for_
    else:
        latest = held.since + alert.for_ + held.usual_interval
        if since is None:
            by, since = "earlier runs", held.since
    fires_at = min(since + alert.for_, latest)
    if now >= fires_at:
        return None
    return Suppression("for", by, f"held since {_stamp(since)}, fires after {alert.for_}", _stamp(fires_at))


def _active_since(session: pytest.Session, alert: Alert, now: datetime) -> datetime | None:
    """Return since when the alert is active in Prometheus; None where it does not know, or names a time to come."""
    try:
        since = session.stash[PROBES].fact(session.stash[WATCHERS].active_since).get(alert.name)
    except (Absent, Unknown):
        return None
    return since if since is not None and since <= now else None


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
