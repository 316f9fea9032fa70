from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from playbook.evidence import Absent, Unknown
from playbook.outcome import HOLDS, State, Suppression, judge, sentence_of
from tests.projects import Project, nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from playbook.alert import Role
    from tests.conftest import Judge

STATES: tuple[State, ...] = ("ok", "firing", "unknown", "pending", "silenced", "skipped")
BAD = AssertionError("bad")
LOST = OSError("lost")
GONE = Unknown("PostgreSQL does not answer", "postgres")
UNSEEN = Unknown("not observed")
ABSENT = Absent("no engine")
SKIPPED = pytest.skip.Exception("no engine")


# -- the state of a check


@pytest.mark.parametrize(
    ("raised", "state"),
    [
        (None, "ok"), (BAD, "firing"), (LOST, "unknown"), (GONE, "unknown"), (UNSEEN, "unknown"),
        (SystemExit(0), "unknown"), (ABSENT, "skipped"), (SKIPPED, "skipped"),
    ],
)  # fmt: skip
def test_the_state_of_a_trigger(raised: BaseException | None, state: State) -> None:
    assert {judge("trigger", raised, of_trigger, ("postgres",)) for of_trigger in STATES} == {state}


@pytest.mark.parametrize(
    ("raised", "of_trigger", "state"),
    [
        (None, "firing", "ok"),
        (BAD, "firing", "firing"),
        (BAD, "pending", "pending"),
        (BAD, "silenced", "silenced"),
        (BAD, "ok", "noted"),
        (BAD, "unknown", "noted"),
        (BAD, "skipped", "noted"),
        (LOST, "firing", "unknown"),
        (ABSENT, "firing", "skipped"),
    ],
)
def test_the_state_of_a_diagnostic(raised: BaseException | None, of_trigger: State, state: State) -> None:
    assert judge("diagnostic", raised, of_trigger) == state


@pytest.mark.parametrize("of_trigger", STATES)
def test_a_diagnostic_is_not_looked_at_where_its_own_alert_explains_why(of_trigger: State) -> None:
    expected = "skipped" if of_trigger in HOLDS else "unknown"
    assert judge("diagnostic", GONE, of_trigger, ("api", "postgres")) == expected


@pytest.mark.parametrize("of_trigger", STATES)
@pytest.mark.parametrize(
    ("raised", "explains"),
    [(GONE, ("api",)), (GONE, ()), (UNSEEN, ("postgres",)), (LOST, ("postgres",))],
    ids=["of another resource", "no resource", "without a resource", "an error"],
)
def test_a_diagnostic_is_unknown_where_its_own_alert_does_not_explain_why(
    of_trigger: State, raised: BaseException, explains: tuple[str, ...]
) -> None:
    assert judge("diagnostic", raised, of_trigger, explains) == "unknown"


@pytest.mark.parametrize("role", ["trigger", "diagnostic"])
@pytest.mark.parametrize("of_trigger", STATES)
def test_only_a_check_that_raises_nothing_is_ok(role: Role, of_trigger: State) -> None:
    for raised in (BAD, LOST, GONE, UNSEEN, ABSENT, SKIPPED, SystemExit(0), KeyError("x")):
        assert judge(role, raised, of_trigger, ("postgres",)) != "ok"


# -- words


def test_the_sentence_of_a_failure_has_no_operands() -> None:
    assert sentence_of(AssertionError("3 of 4 are gone\nassert 3 == 4\n +  where 3 = f()")) == "3 of 4 are gone"
    assert sentence_of(AssertionError()) == "the assertion failed without a message"


def test_the_sentence_of_an_error_names_its_place() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        _ = 1 / 0
    sentence = sentence_of(raised.value)
    assert sentence.startswith("the check itself failed: ZeroDivisionError: division by zero at ")
    assert f"{__file__}:" in sentence


@pytest.mark.parametrize("raised", [GONE, ABSENT, SKIPPED])
def test_the_sentence_of_an_answer_is_its_own(raised: BaseException) -> None:
    assert sentence_of(raised) == str(raised)


@pytest.mark.parametrize(
    ("suppression", "state", "words"),
    [
        (
            Suppression("for", "Prometheus", "held for 1 min", "2026-03-04T12:00:00Z"), "pending",
            "pending according to Prometheus until 2026-03-04T12:00:00Z: held for 1 min",
        ),
        (
            Suppression("silence", "", "", "2026-03-04T12:00:00Z"), "silenced",
            "silenced by an unnamed person until 2026-03-04T12:00:00Z: no reason given",
        ),
        (
            Suppression("exemption", "ops", "new disk", "2026-03-04T12:00:00Z"), "silenced",
            "exempted by ops until 2026-03-04T12:00:00Z: new disk",
        ),
    ],
)  # fmt: skip
def test_a_suppression_says_whose_it_is_and_until_when(suppression: Suppression, state: State, words: str) -> None:
    assert (suppression.state, str(suppression)) == (state, words)


# -- in a run

EXPLAINED = """
from msgspec.structs import replace
from playbook.evidence import Unknown
ALERT = replace(ALERT, explains=("postgres",))

@trigger()
def test_it():
    "It serves."
    {trigger}

@diagnostic(cause="a-cause")
def test_a():
    "A is well."
    raise Unknown("PostgreSQL does not answer", "postgres")

@diagnostic(cause="b-cause")
def test_b():
    "B is well."
    raise Unknown("Redis does not answer", "redis")
"""
NOT_LOOKED_AT = ("skipped", "not looked at: PostgreSQL does not answer")
UNJUDGED = ("unknown", "PostgreSQL does not answer")
OF_ANOTHER = ("unknown", "Redis does not answer")
UNREACHABLE = "raise Unknown('PostgreSQL does not answer', 'postgres')"


@pytest.mark.parametrize(
    ("trigger", "status", "expected"),
    [
        ("assert False, 'bad'", 1, [("firing", "bad"), NOT_LOOKED_AT, OF_ANOTHER]),
        ("pass", 6, [("ok", ""), UNJUDGED, OF_ANOTHER]),
        (UNREACHABLE, 6, [UNJUDGED, UNJUDGED, OF_ANOTHER]),
    ],
    ids=["firing", "ok", "unknown"],
)
def test_an_unknown_is_folded_under_the_alert_that_fires_and_explains_it(
    judge: Judge, project: Project, tmp_path: Path, trigger: str, status: int, expected: list[tuple[str, str]]
) -> None:
    project.add_alert("it_serves", EXPLAINED.format(trigger=trigger))
    seen = judge(target=nowhere(tmp_path), cwd=project.folder)
    assert [(check["outcome"], check["message"]) for check in seen.alert("ItServes")["checks"]] == expected
    assert seen.status == status
