# No lazy annotations here: the types of the samples' facts are looked up at runtime.
import subprocess
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import Struct

from playbook.alert import Alert, check_of, diagnostic, trigger
from playbook.contract import problems_of
from playbook.limits import AlertLimits, minutes
from playbook.quantities import Measurement, Span
from tests.conftest import Judge
from tests.projects import ROOT, WELL, Project, nowhere, run_pytest

if TYPE_CHECKING:
    from fixtures.queue.workers import Heartbeats


class Limits(AlertLimits):
    heartbeat_age: Span = minutes(3)
    recent: Span = minutes(10)


class Inner(Struct):
    age: Span
    pid: int | None = None


class Fact(Struct):
    inner: Inner
    maybe: Inner | None = None

    @property
    def measurement(self) -> Measurement:
        return Measurement("words")

    @property
    def found(self) -> Inner | None:
        return self.maybe

    @cached_property
    def kept(self) -> Inner:
        return self.inner


def an_alert(sentence: str = "no heartbeat for {heartbeat_age}, for {for_}", expression: str = "") -> Alert:
    return Alert(
        name="NoHeartbeat", severity=0, trigger=sentence, impact="harm", respond_within=minutes(5),
        escalate_after=minutes(15), limits=Limits, expression=expression,
    )  # fmt: skip


def problems(function: Callable[..., None], alert: Alert | None = None) -> list[str]:
    check = check_of(function)
    assert check
    return list(problems_of(alert or an_alert(), check, function))


NONE = "which is no limit of NoHeartbeat (it has: heartbeat_age, recent)"


# -- names that do not exist


def test_a_check_that_names_what_exists_has_no_problem() -> None:
    @trigger(measures="fact.inner.age", against="recent")
    def check(fact: Fact, limits: Limits) -> None:
        assert fact.inner.age <= limits.recent, f"limit {limits.heartbeat_age}"

    assert problems(check) == []


def test_a_misspelt_limit_is_one_sentence() -> None:
    @trigger()
    def check(limits: Limits) -> None:
        assert limits.heartbeat_agee  # type: ignore[attr-defined]

    assert problems(check) == ["limits.heartbeat_agee is no limit of NoHeartbeat (it has: heartbeat_age, recent)"]


def test_a_misspelt_limit_in_a_comprehension_is_found() -> None:
    @trigger()
    def check(fact: Fact, limits: Limits) -> None:
        assert not [pid for pid in [fact.inner.age] if pid > limits.recentt]  # type: ignore[attr-defined]

    assert problems(check) == ["limits.recentt is no limit of NoHeartbeat (it has: heartbeat_age, recent)"]


def test_a_misspelt_limit_beside_a_comprehension_is_found() -> None:
    @trigger()
    def check(fact: Fact, limits: Limits) -> None:
        assert limits.recentt  # type: ignore[attr-defined]
        assert not [pid for pid in [fact.inner.age] if pid > limits.recent]

    assert problems(check) == ["limits.recentt is no limit of NoHeartbeat (it has: heartbeat_age, recent)"]


def test_a_misspelt_limit_to_judge_against_is_one_sentence() -> None:
    @trigger(against="heartbeat_agee")
    def check() -> None:
        pass

    assert problems(check) == ["against='heartbeat_agee' is no limit of NoHeartbeat (it has: heartbeat_age, recent)"]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("fact.measurment", "Fact has no measurment"),
        ("fact.inner.agee", "Inner has no agee"),
        ("fact.maybe.agee", "Inner has no agee"),
        ("fact.found.agee", "Inner has no agee"),
        ("fact.kept.agee", "Inner has no agee"),
        ("facts.measurement", "the check has no fact facts"),
        ("fact", "name an attribute of the fact"),
    ],
)
def test_a_misspelt_measurement_is_one_sentence(path: str, wrong: str) -> None:
    @trigger(measures=path)
    def check(fact: Fact) -> None:
        pass

    assert problems(check) == [f"measures={path!r}: {wrong}"]


@pytest.mark.parametrize(
    "path", ["fact.measurement.quantity", "fact.maybe.pid", "fact.found.pid", "fact.kept.age", "fact.inner.pid"]
)
def test_a_measurement_that_exists_is_no_problem(path: str) -> None:
    @trigger(measures=path)
    def check(fact: Fact) -> None:
        pass

    assert problems(check) == []


def test_a_misspelt_value_for_a_runbook_is_one_sentence() -> None:
    @diagnostic(cause="hung", fills={"pid": "fact.inner.pidd", "age": "fact.inner.age"})
    def check(fact: Fact) -> None:
        pass

    assert problems(check) == ["fills['pid']='fact.inner.pidd': Inner has no pidd"]


def test_a_fact_whose_type_is_not_imported_is_one_sentence() -> None:
    @trigger(measures="heartbeats.measurement")
    def check(heartbeats: "Heartbeats") -> None:
        pass

    assert problems(check) == ["the types of its facts must be imported at runtime: name 'Heartbeats' is not defined"]


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [
        (
            "no heartbeat for {heartbeat_agee}",
            f"the trigger's sentence quotes 'heartbeat_agee', {NONE}",
        ),
        ("no heartbeat {", "the trigger's sentence cannot be written: Single '{' encountered in format string"),
        (
            "no heartbeat for {recent.mins}",
            "the trigger's sentence cannot be written: 'Span' object has no attribute 'mins'",
        ),
    ],
)
def test_a_sentence_that_quotes_what_does_not_exist_is_a_problem_of_the_trigger(sentence: str, problem: str) -> None:
    @trigger()
    def check() -> None:
        pass

    @diagnostic(cause="hung")
    def other() -> None:
        pass

    assert problems(check, an_alert(sentence)) == [problem]
    assert problems(other, an_alert(sentence)) == []


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        (
            "age > $heartbeat_agee",
            f"the expression uses $heartbeat_agee, {NONE}",
        ),
        ("age > $recent_bucket and age > $heartbeat_age", None),
    ],
)
def test_an_expression_that_uses_what_does_not_exist_is_a_problem_of_the_trigger(
    expression: str, problem: str | None
) -> None:
    @trigger()
    def check() -> None:
        pass

    assert problems(check, an_alert(expression=expression)) == ([problem] if problem else [])


# -- in a run

REPLACED = "from msgspec.structs import replace\nALERT = replace(ALERT, trigger={sentence!r})\n"
FILLS = """
@diagnostic(cause="hung", fills={"pid": "workers.pid"})
def test_other():
    "Other."
"""
MEASURES = """
from fixtures.queue.workers import Heartbeats

@trigger(measures="heartbeats.measurment")
def test_it(heartbeats: Heartbeats):
    "It."
"""
MISSPELT = {
    "a limit in a body": (
        WELL.replace("_well():", "_well(limits):\n    limits.heartbeat_agee"),
        "limits.heartbeat_agee is no limit of BrokenAlert (it has: none)",
    ),
    "against": (
        WELL.replace("@trigger()", '@trigger(against="heartbeat_agee")'),
        "against='heartbeat_agee' is no limit of BrokenAlert (it has: none)",
    ),
    "measures": (MEASURES, "measures='heartbeats.measurment': Heartbeats has no measurment"),
    "fills": (WELL + FILLS, "fills['pid']='workers.pid': the check has no fact workers"),
    "a sentence": (
        REPLACED.format(sentence="older than {agee}") + WELL,
        "the trigger's sentence quotes 'agee', which is no limit of BrokenAlert (it has: none)",
    ),
    "a brace": (
        REPLACED.format(sentence="older than {") + WELL,
        "the trigger's sentence cannot be written: Single '{' encountered in format string",
    ),
}
MISSPELLINGS = pytest.mark.parametrize(("body", "sentence"), MISSPELT.values(), ids=MISSPELT)


@MISSPELLINGS
def test_collecting_alone_refuses_a_misspelt_name(project: Project, body: str, sentence: str) -> None:
    path = project.add_alert("broken_alert", body)
    project.add_alert("fine_alert", WELL)
    seen = run_pytest("--collect-only", "-q", cwd=project.folder)
    printed = seen.stdout + seen.stderr
    assert seen.returncode == 4, printed
    assert sum(sentence in line for line in printed.splitlines()) == 1, printed
    assert f"ERROR: {path}::" in printed
    assert "Traceback" not in printed


@MISSPELLINGS
def test_a_check_with_a_misspelt_name_is_unknown_and_the_others_are_judged(
    judge: Judge, project: Project, tmp_path: Path, body: str, sentence: str
) -> None:
    path = project.add_alert("broken_alert", body)
    project.add_alert("fine_alert", WELL)
    seen = judge(target=nowhere(tmp_path), cwd=project.folder)
    assert seen.status == 6, seen.output
    (unknown,) = [check for check in seen.alert("BrokenAlert")["checks"] if check["outcome"] == "unknown"]
    assert unknown["message"].endswith(f": {sentence}")
    assert unknown["message"].startswith(f"{path}::")
    assert seen.in_state("ok") >= {"FineAlert"}


def test_our_own_checks_name_nothing_that_does_not_exist() -> None:
    seen = run_pytest("--collect-only", "-q")
    assert seen.returncode == 0, seen.stdout + seen.stderr


# -- by the type checker

SAMPLE = """
from playbook.limits import AlertLimits, minutes
from playbook.quantities import Span


class Limits(AlertLimits):
    heartbeat_age: Span = minutes(3)


def test_it(limits: Limits) -> None:
    assert limits.{name} < minutes(5)


Limits(heartbeat_age=minutes(1)).{name}
"""


@pytest.mark.parametrize(("name", "status"), [("heartbeat_agee", 1), ("heartbeat_age", 0)])
def test_a_misspelt_limit_is_a_type_error(tmp_path: Path, name: str, status: int) -> None:
    (tmp_path / "sample.py").write_text(SAMPLE.format(name=name))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", "sample.py"],
        cwd=tmp_path, env={"MYPYPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    wrong = 'sample.py:11: error: "Limits" has no attribute "heartbeat_agee"; maybe "heartbeat_age"?'
    assert (wrong in done.stdout) is bool(status)
