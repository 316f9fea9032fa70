from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reports.history import REMEMBERED
from reports.past import ContainerState, Green, Past, Record, Recovery

if TYPE_CHECKING:
    from playbook.outcome import State

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NONE = timedelta(0)
STATES: dict[str, State] = {
    "F": "firing", "p": "pending", "m": "silenced", ".": "ok", "?": "unknown", "s": "skipped",
}  # fmt: skip


class Runs:
    """Runs of one alert, against a clock that moves only between runs."""

    def __init__(self, for_: timedelta = NONE) -> None:
        self.now = NOON
        self.for_ = for_
        self.records: list[Record] = []
        self.cron_runs: list[datetime] = []

    @property
    def past(self) -> Past:
        return Past({"Alert": self.records}, cron_runs={"Alert": self.cron_runs})

    def run(self, state: State, after: timedelta = 5 * MINUTE, *, by_gate: bool = False) -> datetime:
        """Let time pass, judge, and return since when the alert has been in that state."""
        self.now += after
        since = self.past.since("Alert", state, self.for_, self.now)
        self.records.insert(0, Record(self.now, state, since=since))
        del self.records[REMEMBERED:]
        if not by_gate:
            self.cron_runs.insert(0, self.now)
        return since

    def gate(self, judgements: int, state: State) -> None:
        """Let a gate judge again and again, every ten seconds."""
        for _ in range(judgements):
            self.run(state, after=timedelta(seconds=10), by_gate=True)


def runs_of(states: str, for_: timedelta = NONE) -> Runs:
    """One run every five minutes, a letter each."""
    runs = Runs(for_)
    for letter in states:
        runs.run(STATES[letter])
    return runs


# -- since when


def test_without_earlier_runs_a_state_begins_now() -> None:
    assert Runs().run("firing") == NOON + 5 * MINUTE


@pytest.mark.parametrize(
    ("states", "first"),
    [
        ("F", 0), ("FFF", 0), (".F", 1), ("F.F", 2), ("FF.FF", 3),
        ("pF", 0), ("mF", 0), ("Fpm", 0),
        ("F?F", 0), ("F?.F", 3), ("FsF", 0),
        ("?", 0), ("??", 0), ("F?", 1), ("?F", 1), (".??", 1), ("?.?", 2),
        ("...", 0), ("F..", 1),
    ],
)  # fmt: skip
def test_since_is_the_first_run_of_the_present_state(states: str, first: int) -> None:
    assert runs_of(states).records[0].since == NOON + (first + 1) * 5 * MINUTE


def test_since_outlives_the_run_in_which_the_state_began() -> None:
    runs = runs_of("F" * 20)
    del runs.records[3:]
    assert runs.run("firing") == NOON + 5 * MINUTE


# -- gaps: longer than both the alert's `for` and 2.5 times the usual interval


def test_one_missing_run_does_not_interrupt_a_state() -> None:
    runs = runs_of("....F")
    assert runs.run("firing", after=10 * MINUTE) == NOON + 25 * MINUTE


def test_a_long_gap_interrupts_a_state() -> None:
    runs = runs_of("....F")
    assert runs.run("firing", after=13 * MINUTE) == runs.now


def test_a_gap_within_the_for_of_the_alert_does_not_interrupt_it() -> None:
    runs = runs_of("....F", for_=60 * MINUTE)
    assert runs.run("firing", after=50 * MINUTE) == NOON + 25 * MINUTE


def test_cron_every_five_minutes_fires_at_the_second_failing_run_for_two_minutes() -> None:
    for before in ("", ".", "....", "..F.."):
        runs = runs_of(before, for_=2 * MINUTE)
        assert runs.now + 5 * MINUTE - runs.run("firing") < runs.for_  # pending
        assert runs.now + 5 * MINUTE - runs.run("firing") >= runs.for_  # fires


@pytest.mark.parametrize("earlier", ["", "..", "....."])
@pytest.mark.parametrize(("judgements", "state"), [(40, "."), (40, "F"), (6, "F")])
def test_the_runs_of_a_gate_do_not_delay_the_alerts_of_cron(earlier: str, judgements: int, state: str) -> None:
    runs = runs_of(earlier, for_=2 * MINUTE)
    runs.gate(judgements, STATES[state])
    runs.run("firing")
    assert runs.run("firing") <= runs.now - 5 * MINUTE  # it fires at the second failing run of cron's at the latest
    assert runs.run("firing") <= runs.now - 10 * MINUTE


def test_unknown_runs_are_no_gap() -> None:
    assert runs_of(".F????F").records[0].since == NOON + 10 * MINUTE


def test_the_gap_itself_does_not_count_as_the_usual_interval() -> None:
    runs = runs_of(".F")
    assert runs.run("firing", after=timedelta(days=30)) == runs.now


def test_while_no_interval_is_known_no_gap_interrupts_a_state() -> None:
    runs = runs_of("F")
    assert runs.run("firing", after=timedelta(days=30)) == NOON + 5 * MINUTE


def test_without_cron_other_runs_set_the_usual_interval() -> None:
    runs = Runs()
    runs.gate(5, "firing")
    since = runs.records[0].since
    assert runs.run("firing", after=timedelta(seconds=20), by_gate=True) == since
    assert runs.run("firing", after=9 * MINUTE, by_gate=True) == since  # somebody looks again
    assert runs.run("firing", after=11 * MINUTE, by_gate=True) == runs.now


# -- the clock of some runs was wrong, or cron looks at other times than before


class Pending(Runs):
    """Runs with --honor-for of an alert that fires after two minutes; each records whether it was pending."""

    def __init__(self) -> None:
        super().__init__(for_=2 * MINUTE)

    def holds(self, after: timedelta = 5 * MINUTE) -> bool:
        """Judge it while its condition holds, and return whether it fires."""
        since = self.run("firing", after)
        fires = self.now - since >= self.for_
        self.records[0] = replace(self.records[0], state="firing" if fires else "pending")
        return fires


def runs_until_it_fires(runs: Pending, every: timedelta = 5 * MINUTE) -> int:
    return next(number for number in range(1, 99) if runs.holds(every))


@pytest.mark.parametrize("wrong", [3, 24 * 365, -3, -24 * 365], ids="{:+} h".format)
@pytest.mark.parametrize("states", ["ok", "firing"])
@pytest.mark.parametrize("how_many", [1, 5, REMEMBERED + 5])
def test_runs_whose_clock_was_wrong_delay_an_alert_by_one_run_at_most(wrong: int, states: State, how_many: int) -> None:
    for before in (1, 10, 40):
        runs = Pending()
        for _ in range(before):
            runs.run("ok")
        runs.now += timedelta(hours=wrong)
        for _ in range(how_many):
            runs.holds() if states == "firing" else runs.run("ok")
        runs.now -= timedelta(hours=wrong)
        assert runs_until_it_fires(runs) <= 2


def test_a_state_does_not_begin_after_now() -> None:
    runs = runs_of(".FF")
    assert runs.run("firing", after=-7 * MINUTE) == runs.now
    began = runs.now
    assert runs.run("firing") == began


def test_what_lies_ahead_counts_as_now_wherever_it_is_shown() -> None:
    runs = runs_of("F.F")
    now = NOON + 7 * MINUTE
    moments = [moment for record in runs.past.recent("Alert", now) for moment in (record.at, record.since)]
    assert moments == [now, now, now, now, NOON + 5 * MINUTE, NOON + 5 * MINUTE]


@pytest.mark.parametrize(("usual", "then"), [(5, 60), (5, 24 * 60), (1, 15), (60, 5), (60, 60 * 24 * 7)])
@pytest.mark.parametrize("begins_before_the_change", [True, False])
def test_another_interval_of_cron_delays_an_alert_by_one_run_at_most(
    usual: int, then: int, *, begins_before_the_change: bool
) -> None:
    runs = Pending()
    for _ in range(REMEMBERED):
        runs.run("ok", after=usual * MINUTE)
    if begins_before_the_change:
        assert not runs.holds(usual * MINUTE)
    assert runs_until_it_fires(runs, then * MINUTE) <= 2


@pytest.mark.parametrize("factor", [1.1, 2, 3, 10])
def test_an_alert_fires_however_much_longer_each_interval_is_than_the_last(factor: float) -> None:
    runs = Pending()
    for _ in range(REMEMBERED):
        runs.run("ok")
    every = 5 * MINUTE
    fired = []
    for _ in range(5):
        every *= factor
        fired.append(runs.holds(every))
    assert all(fired[2:])


# -- flapping and recovery


@pytest.mark.parametrize(
    ("states", "state", "changes"),
    [
        ("", "ok", 0),
        ("..", "firing", 1),
        ("F.F", "ok", 3),
        ("Fpm", "firing", 0),
        ("F?F", "firing", 0),
        (".?s", "ok", 0),
    ],
)
def test_changes_of_state(states: str, state: State, changes: int) -> None:
    assert runs_of(states).past.changes_of_state("Alert", state) == changes


@pytest.mark.parametrize(
    ("states", "recovery"),
    [
        ("", None), ("..", None), ("??", None),
        ("F", Recovery(NOON + 10 * MINUTE, 300)),
        (".FFF", Recovery(NOON + 25 * MINUTE, 900)),
        ("FF.", Recovery(NOON + 15 * MINUTE, 600)),
        ("FF.?.", Recovery(NOON + 15 * MINUTE, 600)),
        ("F?.", Recovery(NOON + 15 * MINUTE, 600)),
    ],
)  # fmt: skip
def test_recovery(states: str, recovery: Recovery | None) -> None:
    runs = runs_of(states)
    assert runs.past.recovery("Alert", "ok", runs.now + 5 * MINUTE) == recovery


def test_an_alert_that_holds_did_not_recover() -> None:
    assert runs_of("F.").past.recovery("Alert", "firing", NOON + 15 * MINUTE) is None


# -- what changed since all was well

API = ContainerState("o_api_1", "api", "sha256:" + "a" * 64, "2026-03-04T10:00:00.123456789Z")
WORKER = ContainerState("o_worker_1", "worker", "sha256:" + "a" * 64, "2026-03-04T10:00:00Z")
OTHER_IMAGE = ContainerState("o_api_1", "api", "sha256:" + "b" * 64, "2026-03-04T11:00:00Z")
AGAIN = ContainerState("o_api_1", "api", API.image, "2026-03-04T11:00:00Z")
CREATED = ContainerState("o_api_1", "api", API.image, "")


@pytest.mark.parametrize(
    ("before", "now", "sentences"),
    [
        ([API, WORKER], [API, WORKER], []),
        ([API, WORKER], [API], ["o_worker_1 is gone"]),
        ([API], [API, WORKER], [f"o_worker_1 is new: image {'a' * 12}, started 2026-03-04T10:00:00Z"]),
        ([API], [OTHER_IMAGE],
         [f"o_api_1 has another image: {'a' * 12} before, {'b' * 12} now, started 2026-03-04T11:00:00Z"]),
        ([API], [AGAIN], ["o_api_1 was restarted at 2026-03-04T11:00:00Z"]),
        ([API], [CREATED], ["o_api_1 is not started"]),
        ([API], [], ["o_api_1 is gone"]),
        ([API], None, []),  # this run did not see the containers
        ([], [API], []),
    ],
)  # fmt: skip
def test_changes_of_the_containers(
    before: list[ContainerState], now: list[ContainerState] | None, sentences: list[str]
) -> None:
    assert Past(green=Green(NOON, before)).changes(now) == sentences


def test_without_a_green_run_there_are_no_changes() -> None:
    assert Past().changes([API]) == []
