# No lazy annotations here: the limits' types must be known while the classes are made.
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pytest

from playbook.alert import Alert
from playbook.limits import AlertLimits, AtMost, NoLimits, hours, items, minutes, percent
from playbook.quantities import Count, Share, Size, Span
from tests.conftest import Judge, Judgement
from tests.projects import Project, nowhere


class Shared(AlertLimits):
    heartbeat_age: Span = minutes(3)


class Limits(Shared):
    pending: Annotated[Count, AtMost(items(5000))] = items(1000)
    free: Share = percent(15)


class OtherLimits(Shared):
    heartbeat_age: Span = minutes(5)


ALERT = Alert(
    name="NoActiveWorkers", severity=0, trigger="no heartbeat for more than {heartbeat_age}, for {for_}", impact="harm",
    respond_within=minutes(5), escalate_after=minutes(15), limits=Limits, for_=minutes(2),
)  # fmt: skip


# -- defaults and overrides


def test_a_limit_has_its_default() -> None:
    assert Limits().by_name() == {"heartbeat_age": minutes(3), "pending": items(1000), "free": percent(15)}
    assert NoLimits().by_name() == {}


def test_an_override_is_read_in_the_unit_of_its_limit() -> None:
    found = Limits.overridden({"heartbeat_age": "5 min", "pending": 5000, "free": "20 %"})
    assert (found.heartbeat_age, found.pending, found.free) == (minutes(5), items(5000), percent(20))
    assert [type(limit) for limit in found.by_name().values()] == [Span, Count, Share]


def test_an_override_leaves_the_other_limits_alone() -> None:
    assert Limits.overridden({"free": 0.2}).by_name() == Limits(free=percent(20)).by_name()
    assert Limits.overridden({}).by_name() == Limits().by_name()


def test_an_alert_overrides_a_shared_limit_for_itself_alone() -> None:
    assert OtherLimits().heartbeat_age == minutes(5)
    assert (Shared().heartbeat_age, Limits().heartbeat_age) == (minutes(3), minutes(3))
    assert OtherLimits.overridden({}).heartbeat_age == minutes(5)


def test_limits_are_inherited_from_several_classes() -> None:
    class Memory(AlertLimits):
        available: Share = percent(5)

    class Both(Shared, Memory):
        recent: Span = hours(1)

    assert Both().by_name() == {"available": percent(5), "heartbeat_age": minutes(3), "recent": hours(1)}


def test_the_most_that_is_counted_is_inherited() -> None:
    class Deeper(Limits):
        recent: Span = hours(1)

    with pytest.raises(ValueError, match="the most that is counted"):
        Deeper.overridden({"pending": 5001})


def test_limits_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Limits().free = percent(1)  # type: ignore[misc]


# -- wrong overrides


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"heartbeat_agee": "5 min"}, "heartbeat_agee: no such limit (it has: heartbeat_age, pending, free)"),
        (
            {"heartbeat_age": "soon"},
            "heartbeat_age: 'soon' is not a duration: write seconds, or a number with ms, s, min, h or d",
        ),
        ({"pending": "many"}, "pending: 'many' is not a whole number of 0 or more"),
        (
            {"free": "150 %"},
            "free: '150 %' is not a share: write a number from 0 to 1, or a percentage like '15 %'",
        ),
        ({"pending": 5001}, "pending: 5,001 is above 5,000, the most that is counted"),
    ],
)
def test_a_wrong_override_is_one_sentence(overrides: Mapping[str, str | float], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Limits.overridden(overrides)


def test_an_alert_without_limits_has_none_to_override() -> None:
    with pytest.raises(ValueError, match=r"^age: no such limit \(it has: none\)$"):
        NoLimits.overridden({"age": 3})


# -- wrong declarations


def test_a_default_of_another_quantity_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.age needs a default of its type, Span$"):

        class Wrong(AlertLimits):
            age: Span = percent(3)  # type: ignore[assignment]


def test_a_limit_without_a_default_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.age needs a default of its type, Span$"):

        class Wrong(AlertLimits):
            age: Span


def test_a_default_that_is_a_plain_number_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.size needs a default of its type, Size$"):

        class Wrong(AlertLimits):
            size: Size = 3  # type: ignore[assignment]


def test_a_type_that_is_not_a_quantity_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.number: int is not a quantity"):

        class Wrong(AlertLimits):
            number: int = 3


def test_a_limit_without_a_type_is_a_type_error() -> None:
    """It would be no field: the inherited default would stay in force without a word."""
    with pytest.raises(TypeError, match=r"Wrong\.heartbeat_age needs its type: `heartbeat_age: Span = …`"):

        class Wrong(Shared):
            heartbeat_age = minutes(5)


# -- sentences


def test_a_description_quotes_the_limit_in_force() -> None:
    assert ALERT.describe(Limits()).trigger == "no heartbeat for more than 3 min, for 2 min"
    overridden = Limits.overridden({"heartbeat_age": 90})
    assert ALERT.describe(overridden).trigger == "no heartbeat for more than 1 min 30 s, for 2 min"


# -- in a run

SHARING = """
from fixtures.queue.workers import HeartbeatLimits
from playbook.limits import AtMost, items
from playbook.quantities import Count, Share, Span
from playbook.limits import percent
from typing import Annotated

class Limits(HeartbeatLimits):
    pending: Annotated[Count, AtMost(items(5000))] = items(1000)
    free: Share = percent(15)
    {own}

from msgspec.structs import replace
ALERT = replace(ALERT, limits=Limits, trigger="no heartbeat for {{heartbeat_age}}")

@trigger(against="heartbeat_age")
def test_the_limit_in_force(limits):
    "The limit in force is quoted."
    assert False, f"{{limits.heartbeat_age}}, {{limits.pending}}, {{limits.free}}"
"""


@pytest.fixture
def sharing(project: Project) -> Project:
    """A project with two alerts that share a limit, which a third one overrides."""
    project.add_alert("first_alert", SHARING.format(own=""))
    project.add_alert("second_alert", SHARING.format(own=""))
    project.add_alert("third_alert", SHARING.format(own="heartbeat_age: Span = minutes(5)"))
    return project


def run_with(settings: str, judge: Judge, project: Project, folder: Path) -> Judgement:
    target = nowhere(folder)
    target.write_text(target.read_text() + textwrap.dedent(settings))
    return judge(target=target, cwd=project.folder)


def test_a_target_overrides_a_shared_limit_for_one_alert(judge: Judge, sharing: Project, tmp_path: Path) -> None:
    settings = """
        [limits.FirstAlert]
        heartbeat_age = 90
        pending = 2000
        free = 1
    """
    seen = run_with(settings, judge, sharing, tmp_path)
    quoted = {name: seen.alert(name) for name in ("FirstAlert", "SecondAlert", "ThirdAlert")}
    assert {name: alert["limit"] for name, alert in quoted.items()} == {
        "FirstAlert": {"text": "1 min 30 s", "value": 90.0},
        "SecondAlert": {"text": "3 min", "value": 180.0},
        "ThirdAlert": {"text": "5 min", "value": 300.0},
    }
    assert quoted["FirstAlert"]["trigger"] == "no heartbeat for 1 min 30 s"
    assert quoted["FirstAlert"]["message"] == "1 min 30 s, 2,000, 100 %"
    assert quoted["ThirdAlert"]["trigger"] == "no heartbeat for 5 min"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            '[limits.FirstAlert]\nheartbeat_agee = "5 min"',
            "limits.FirstAlert.heartbeat_agee: no such limit (it has: heartbeat_age, pending, free)",
        ),
        ('[limits.FirstAlert]\nheartbeat_age = "soon"', "limits.FirstAlert.heartbeat_age: 'soon' is not a duration"),
        (
            "[limits.FirstAlert]\npending = 5001",
            "limits.FirstAlert.pending: 5,001 is above 5,000, the most that is counted",
        ),
        ("[limits.FirstAlertt]\npending = 1", "limits.FirstAlertt: there is no alert of that name"),
    ],
)
def test_a_wrong_limit_of_a_target_stops_the_run(
    judge: Judge, sharing: Project, tmp_path: Path, settings: str, sentence: str
) -> None:
    seen = run_with(settings, judge, sharing, tmp_path)
    assert (seen.status, seen.results) == (4, None)
    assert sentence in seen.output
    assert "Traceback" not in seen.output
