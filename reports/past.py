"""What earlier runs mean for this one: since when, how often it changed, what changed in the containers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from msgspec import Struct, field
from msgspec.structs import replace

from playbook.evidence import Text
from playbook.outcome import HOLDS, State

TOLERATED_GAP = 2.5  # times the usual interval between runs
LEAST_GAP = timedelta(minutes=10)  # people look again within seconds, and then after minutes: it is the same outage
SHORT_ID = 12  # of an image, as docker shows it


class Record(Struct, frozen=True):
    """What one earlier run found of an alert; `since` is the start of the state it was in."""

    at: datetime
    state: State
    value: float | None = None
    limit: float | None = None
    since: datetime | None = None


class ContainerState(Struct, frozen=True, forbid_unknown_fields=True):
    """The id of a container's image, and when it was started, as the engine has it; empty for one that never was."""

    name: Text
    service: Text
    image: str
    started_at: str


class Green(Struct, frozen=True):
    """The last run that judged everything and found it ok, and the containers it saw."""

    at: datetime
    containers: list[ContainerState]


class Recovery(Struct, frozen=True):
    """An alert that fired recently and no longer does: since when (UTC), and how long it had fired, in seconds."""

    at: datetime
    lasted_seconds: float


class Past(Struct, frozen=True):
    """The records of each alert, the last one first, and the last run that was green; all empty without a history."""

    records: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    green: Green | None = None
    cron_runs: Mapping[str, Sequence[datetime]] = field(default_factory=dict)  # of an alert, with --honor-for

    def recent(self, alert: str, now: datetime) -> list[Record]:
        """Return an alert's records, newest first; a time that lies ahead of a later one, or of now, counts as that."""
        records = []
        for record in self.records.get(alert, ()):
            now = min(now, record.at)
            records.append(replace(record, at=now, since=None if record.since is None else min(now, record.since)))
        return records

    def since(self, alert: str, state: State, for_: timedelta, now: datetime) -> datetime:
        """Return the moment since which an alert is in its present state, as far as runs show.

        A gap between runs that is longer than `for`, 2.5 times the usual interval and ten minutes interrupts it; two
        such gaps in a row do not: that is how often somebody looks now. While no interval is known, no gap does: better
        a page that is a little early than one that never comes.
        """
        kin = HOLDS if state in HOLDS else (state,)
        # An unknown run says nothing about a condition that holds in the runs around it.
        ignored = ("skipped",) if state == "unknown" else ("skipped", "unknown")
        records = self.recent(alert, now)
        last = next((place for place, record in enumerate(records) if record.state not in ignored), None)
        if last is None or records[last].state not in kin:
            return now
        usual = self.usual_interval(alert)
        if usual is not None:
            gaps = [newer - older for newer, older in pairwise([now, *(record.at for record in records[: last + 2])])]
            is_long = [gap > max(for_, TOLERATED_GAP * usual, LEAST_GAP) for gap in gaps]
            if any(is_long[: last + 1]) and sum(is_long) == 1:
                return now
        return records[last].since or records[last].at

    def usual_interval(self, alert: str) -> timedelta | None:
        """Return the median interval, of cron's runs where there are any: a gate's follow each other within seconds.

        Where a clock was set back between two runs, they say nothing about it.
        """
        moments = self.cron_runs.get(alert) or [record.at for record in self.records.get(alert, ())]
        intervals = [(newer - older).total_seconds() for newer, older in pairwise(moments) if newer > older]
        return timedelta(seconds=median(intervals)) if intervals else None

    def changes_of_state(self, alert: str, state: State) -> int:
        """Count how often an alert began to hold or ceased to, over the runs that are remembered."""
        states = [state, *(record.state for record in self.records.get(alert, ()))]
        held = [state in HOLDS for state in states if state in ("ok", *HOLDS)]
        return sum(newer != older for newer, older in pairwise(held))

    def recovery(self, alert: str, state: State, now: datetime) -> Recovery | None:
        """Return when an alert that is ok ceased to hold; None where it did not hold in the remembered runs."""
        at = now
        for record in self.recent(alert, now) if state == "ok" else ():
            if record.state in HOLDS:
                return Recovery(at, (at - (record.since or record.at)).total_seconds())
            if record.state == "ok":
                at = record.at
        return None

    def changes(self, now: Sequence[ContainerState] | None) -> list[str]:
        """Return what changed in the containers since the last green run; nothing where a run did not see them."""
        if self.green is None or not self.green.containers or now is None:
            return []
        before = {container.name: container for container in self.green.containers}
        after = {container.name: container for container in now}
        gone = [f"{name} is gone" for name in before if name not in after]
        return gone + [change for name, container in after.items() if (change := _change(before.get(name), container))]


def _change(before: ContainerState | None, after: ContainerState) -> str:
    started = f"started {after.started_at[:19]}Z" if after.started_at else "not started"
    if before is None:
        return f"{after.name} is new: image {_short(after.image)}, {started}"
    if before.image != after.image:
        return f"{after.name} has another image: {_short(before.image)} before, {_short(after.image)} now, {started}"
    if before.started_at == after.started_at:
        return ""
    return (
        f"{after.name} was restarted at {after.started_at[:19]}Z"
        if after.started_at
        else f"{after.name} is not started"
    )


def _short(image: str) -> str:
    return image.removeprefix("sha256:")[:SHORT_ID]
