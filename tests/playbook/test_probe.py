from __future__ import annotations

import itertools
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.clients.masking import MASK, Masker
from playbook import evidence
from playbook.evidence import Absent, Unknown, note, time_left
from playbook.probe import AGAIN, Probe, Probes, ProbeSummary
from tests.projects import Project, nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Judge, Judgement

SECRET = "p4ss-w0rd"


def probes_within(call: float = 3.0, run: float = 10.0) -> Probes:
    """Return the probes of a made-up target with these deadlines, in seconds."""
    target: Any = SimpleNamespace(call_deadline=call, run_deadline=run, mask=Masker({SECRET}))
    return Probes(target)


def a_probe(read: Callable[[Any], object]) -> Probe[object]:
    return Probe("a_probe", "postgres", read, second_wave=False)


@pytest.fixture
def probes() -> Probes:
    return probes_within()


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What a probe waits for until the test has ended."""
    monkeypatch.setattr(evidence, "GRACE", 0)
    event = threading.Event()
    yield event
    event.set()


# -- one probe


def test_a_probe_runs_once(probes: Probes) -> None:
    number = itertools.count(1)
    counting = a_probe(lambda _: next(number))
    assert [probes.fact(counting), probes.fact(counting)] == [1, 1]


def test_probes_run_at_the_same_time(probes: Probes) -> None:
    both = threading.Barrier(2, timeout=5)  # passed only by two at once
    pair = [Probe(name, "host", lambda _: both.wait(), second_wave=False) for name in ("one", "other")]
    probes.start(pair)
    assert sorted(probes.fact(each) for each in pair) == [0, 1]


def test_a_call_that_never_ends_is_unknown(hung: threading.Event) -> None:
    probes = probes_within(call=0.05, run=60)

    def ask(_: object) -> object:
        time_left(60)  # the clock of the call starts
        return hung.wait()

    with pytest.raises(Unknown, match=r"postgres: no answer within 0.05 s \(probe a_probe\)") as raised:
        probes.fact(a_probe(ask))
    assert raised.value.resource == "postgres"
    assert probes.summary() == [ProbeSummary("a_probe", None, "has not ended")]


def test_a_probe_that_has_not_ended_at_the_runs_deadline_is_unknown(hung: threading.Event) -> None:
    probes = probes_within(call=0.05, run=0.05)
    with pytest.raises(Unknown, match="postgres: the run's deadline has passed"):
        probes.fact(a_probe(lambda _: hung.wait()))


def test_a_hung_probe_holds_no_other_up(probes: Probes, hung: threading.Event) -> None:
    quick = Probe("quick", "redis", lambda _: "answer", second_wave=False)
    probes.start([a_probe(lambda _: hung.wait()), quick])
    assert probes.fact(quick) == "answer"


def test_later_calls_of_a_probe_share_the_time_that_is_left() -> None:
    probes = probes_within(call=0.5)
    asked: list[float] = []
    probes.fact(a_probe(lambda _: asked.extend((time_left(60), time_left(60)))))
    first, second = asked
    assert 0.2 <= second <= first <= 0.5


def test_a_probe_that_asks_for_each_of_endless_things_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "GRACE", 0)
    probes, asked, ended = probes_within(call=0.1), itertools.count(), threading.Event()

    def ask(_: object) -> object:
        try:
            while True:
                next(asked)
                time.sleep(min(0.02, time_left(60)))
        finally:
            ended.set()

    with pytest.raises(Unknown):
        probes.fact(a_probe(ask))
    assert ended.wait(10)


def test_a_resource_that_was_waited_for_in_vain_is_given_less_time() -> None:
    probes = probes_within(call=1.2)
    probes.start([a_probe(lambda _: time.sleep(time_left(60)))])
    assert probes.fact(Probe("of_another", "redis", lambda _: time_left(60), second_wave=True)) > AGAIN
    assert probes.fact(a_probe(lambda _: None)) is None
    assert probes.fact(Probe("later", "postgres", lambda _: time_left(60), second_wave=True)) < AGAIN + 0.1


def test_the_time_of_a_run_counts_from_its_beginning(hung: threading.Event) -> None:
    target: Any = SimpleNamespace(call_deadline=60, run_deadline=60, mask=str)
    probes = Probes(target, began=time.monotonic() - 60)
    with pytest.raises(Unknown, match="postgres: the run's deadline has passed"):
        probes.fact(a_probe(lambda _: hung.wait()))


def test_a_probe_that_finds_no_thread_is_unknown(probes: Probes, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", cannot)
    with pytest.raises(Unknown, match="the probe a_probe could not be started: can't start new thread"):
        probes.fact(a_probe(lambda _: None))


def test_outside_of_a_probe_a_call_may_take_all_its_time() -> None:
    assert time_left(3) == 3


def test_an_error_of_a_driver_is_unknown_with_its_words_masked(probes: Probes) -> None:
    def ask(_: object) -> object:
        raise ConnectionError(f"no way in with {SECRET}")

    with pytest.raises(Unknown) as raised:
        probes.fact(a_probe(ask))
    assert str(raised.value) == f"the probe a_probe failed: ConnectionError: no way in with {MASK}"


def test_an_unknown_names_its_resource_and_is_masked(probes: Probes) -> None:
    def ask(_: object) -> object:
        raise Unknown(f"refused: {SECRET}", "redis")

    with pytest.raises(Unknown, match=f"refused: {MASK}") as raised:
        probes.fact(a_probe(ask))
    assert raised.value.resource == "redis"


def test_a_component_that_the_target_does_not_have_is_absent(probes: Probes) -> None:
    def ask(_: object) -> object:
        raise Absent("no engine")

    with pytest.raises(Absent, match="no engine"):
        probes.fact(a_probe(ask))


def test_a_probe_that_failed_still_shows_what_it_saw(probes: Probes) -> None:
    def ask(asked: Any) -> object:
        note(asked.mask, "redis", "ping", 0, "refused")
        raise Unknown("refused")

    with pytest.raises(Unknown):
        probes.fact(a_probe(ask))
    assert [page.excerpt for page in probes.evidence("a_probe")] == ["refused"]


# -- the probes of a run

IMPORTS = """
from playbook.evidence import Unknown, Absent
from playbook.probe import probe
"""
COSTLY = (
    IMPORTS
    + """
@probe("host", second_wave=True)
def costly(target):
    return "much"

@trigger()
def test_all_is_well():
    "All is well."
    {trigger}

@diagnostic(cause="a-cause", step=1)
def test_little_is_used(costly):
    "Little is used."
    assert costly != "much", "much is used"
"""
)
TWO_PROBES = (
    IMPORTS
    + """
@probe("postgres")
def broken(target):
    raise {error}

@probe("redis")
def sound(target):
    return "sound"

@trigger()
def test_it_is_sound(sound):
    "It is sound."
    assert sound == "sound"

@diagnostic(cause="a-cause", step=1)
def test_it_is_not_broken(broken):
    "It is not broken."

@diagnostic(cause="another-cause", step=1)
def test_it_is_sound_still(sound):
    "It is sound still."
"""
)


def probed(judgement: Judgement) -> set[str]:
    assert judgement.results is not None, judgement.output
    return {each["name"] for each in judgement.results["probes"]}


def outcomes(judgement: Judgement) -> list[str]:
    assert judgement.results is not None, judgement.output
    return [check["outcome"] for alert in judgement.results["alerts"] for check in alert["checks"]]


@pytest.mark.parametrize(
    ("raises", "expected"),
    [
        ("assert False, 'bad'", ["firing", "firing"]),
        ("raise OSError('lost')", ["unknown", "noted"]),
    ],
    ids=["firing", "unknown"],
)
def test_the_second_wave_starts_when_a_trigger_is_not_ok(
    judge: Judge, project: Project, tmp_path: Path, raises: str, expected: list[str]
) -> None:
    project.add_alert("costly_alert", COSTLY.format(trigger=raises))
    seen = judge(target=nowhere(tmp_path), cwd=project.folder)
    assert outcomes(seen) == expected
    assert probed(seen) == {"costly"}


@pytest.mark.parametrize("quiet", ["pass", "pytest.skip('absent')"], ids=["ok", "skipped"])
def test_the_second_wave_does_not_start_while_the_trigger_is_ok(
    judge: Judge, project: Project, tmp_path: Path, quiet: str
) -> None:
    project.add_alert("costly_alert", COSTLY.format(trigger=quiet))
    seen = judge(target=nowhere(tmp_path), cwd=project.folder)
    assert outcomes(seen)[1] == "skipped"
    assert probed(seen) == set()


def test_an_alert_that_fires_starts_its_own_second_wave_alone(judge: Judge, project: Project, tmp_path: Path) -> None:
    project.add_alert("quiet_alert", COSTLY.format(trigger="pass"))
    project.add_alert("bad_alert", COSTLY.replace("costly", "other").format(trigger="assert False, 'bad'"))
    assert probed(judge(target=nowhere(tmp_path), cwd=project.folder)) == {"other"}


def test_a_probe_that_no_selected_check_needs_is_not_started(judge: Judge, project: Project, tmp_path: Path) -> None:
    project.add_alert("quick_alert", "\n@trigger()\ndef test_it():\n    'It.'\n", severity=0)
    project.add_alert("other_alert", TWO_PROBES.format(error="OSError()"), severity=1)
    assert probed(judge("-m", "sev0", target=nowhere(tmp_path), cwd=project.folder)) == set()
    assert probed(judge("-m", "sev1", target=nowhere(tmp_path), cwd=project.folder)) == {"broken", "sound"}


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [
        ("RuntimeError('driver')", "unknown", 6),
        ("SystemExit(3)", "unknown", 6),
        ("AssertionError('driver')", "unknown", 6),
        ("Unknown('gone', 'postgres')", "unknown", 6),
        ("Absent('none here')", "skipped", 0),
    ],
)
def test_a_probe_that_raises_concerns_its_own_checks_alone(
    judge: Judge, project: Project, tmp_path: Path, error: str, outcome: str, status: int
) -> None:
    project.add_alert("some_alert", TWO_PROBES.format(error=error))
    seen = judge(target=nowhere(tmp_path), cwd=project.folder)
    assert outcomes(seen) == ["ok", outcome, "ok"]
    assert seen.status == status
