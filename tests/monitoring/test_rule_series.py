"""Series that rules use, looked up in a real Prometheus with days of past: the rules that cannot fire are found."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from checks.monitoring.test_alert_cannot_fire import Limits
from fixtures.monitoring.series import rule_series
from fixtures.settings import Settings
from playbook.evidence import Unknown
from sandbox.polling import NotYet, until
from tests.conftest import needs
from tests.monitoring.conftest import alone
from tests.targets import target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.monitoring.series import RuleSeries
    from fixtures.target import Target

HOUR = 3600
AGO = 72  # hours, that are looked back at
EVERY = 60  # seconds
Hours = tuple[float, float]  # ago, from and to
LIMIT = Limits().gone_for
# When the target that serves most was down, and when Prometheus itself did not run.
ON: tuple[Hours, ...] = ((AGO, 60), (54, 0))
UP: tuple[Hours, ...] = ((AGO, 60), (54, 40), (35, 0))
DOWN: tuple[Hours, ...] = ((40, 35),)
UNTIL_10: tuple[Hours, ...] = ((AGO, 60), (54, 10))
THEN: dict[str, dict[int, tuple[Hours, ...]]] = {  # series: its values, and when it had them
    'up{job="prometheus",instance="p"}': {1: ON},
    'up{job="pg",instance="i"}': {1: UP, 0: DOWN},
    'up{job="node",instance="n"}': {1: UNTIL_10, 0: ((10, 0),)},
    'up{job="left",instance="l"}': {1: UNTIL_10},
    'heartbeat_age{job="pg",instance="i"}': {5: UP},
    'workers{job="pg",instance="i"}': {2: ((AGO, 60), (54, 40), (35, 30), (25, 0))},
    'idle{job="pg",instance="i"}': {0: ((AGO, 60), (54, 50)), 3: ((20, 0),)},
    'hits_total{job="pg",instance="i",code="200"}': {7: UP},
    'lost_before_both{job="pg",instance="i"}': {1: ((AGO, 64),)},
    'lost_while_down{job="node",instance="n"}': {1: UNTIL_10},
    'lost_with_its_job{job="left",instance="l"}': {1: UNTIL_10},
    "recorded": {1: ((AGO, 60), (54, 3))},
    'one_sample{job="pg",instance="i"}': {1: ((30, 30 - EVERY / HOUR),)},
}
RULES = {
    "WellEnough": ("heartbeat_age > 60", "count(heartbeat_age) < 1", "heartbeat_age == 0", "idle == 0"),
    "OfPrometheus": ('ALERTS{alertname="Another"}', "up unless never_there", "count(never_there) or vector(0)"),
    "TargetDown": ("lost_while_down > 0",),
    "NoWorkers": ("workers == 0",),
    "NoWorkersAtAll": ("sum(workers) < 1", "count(workers) == 0", "count(idle) == 0"),
    "Errors": ('rate(hits_total{code=~"5.."}[5m]) > 0',),
    "Error500": ('rate(hits_total{code="500"}[5m]) > 0',),
    "NoSuchLabel": ('hits_total{path=~"/a.*"} > 0',),
    "Twice": ("never_was > 0", "hits_total > 9"),
    "Long": ("lost_before_both > 0",),
    "JobGone": ("lost_with_its_job > 0",),
    "Recorded": ("recorded > 0",),
    "Once": ("one_sample > 0",),
    "Unreadable": ("holt_winters(heartbeat_age[5m], 0.1, 0.1) > 99",),
}


def _past(now: int) -> Iterator[str]:
    typed = set()
    for series, values in THEN.items():
        name = series.partition("{")[0]
        if name not in typed:
            typed.add(name)
            yield f"# TYPE {name} unknown"
        samples = {
            moment: value
            for value, times in values.items()
            for since, to in times
            for moment in range(now - round(since * HOUR), now - round(to * HOUR), EVERY)
        }
        yield from (f"{series} {samples[moment]} {moment}" for moment in sorted(samples))
    yield "# EOF\n"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A Prometheus with these rules and this past that scrapes nothing now."""
    needs("promtool")
    folder = tmp_path_factory.mktemp("past")
    rules = [{"alert": name, "expr": asked} for name, all_asked in RULES.items() for asked in all_asked]
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    (folder / "past.om").write_text("\n".join(_past(int(time.time()))))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "past.om", "prometheus"]
    subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=60)
    with alone(folder, {"rule_files": ["rules.yml"]}) as url:
        yield target_of(Settings(prometheus_url=url))


def _read(target: Target) -> RuleSeries:
    try:
        found: RuleSeries = rule_series.probe.read(target)
    except Unknown as error:
        raise NotYet(str(error)) from error
    return found


@pytest.fixture(scope="module")
def seen(target: Target) -> RuleSeries:
    """What is found once Prometheus has had the time to discover its targets."""
    with pytest.raises(Unknown, match="and has not found all that rules ask for since: ask again"):
        rule_series.probe.read(target)
    return until(lambda: _read(target), 20, every=1)


def _hours_gone(seen: RuleSeries, name: str) -> float:
    [lost] = [one for one in seen.lost if name in one.rules]
    assert lost.gone_for is not None
    return lost.gone_for.total_seconds() / HOUR


def test_a_series_that_is_missing_because_its_target_is_down_is_not_gone(seen: RuleSeries) -> None:
    assert _hours_gone(seen, "TargetDown") == 0


@pytest.mark.parametrize(
    ("name", "hours"),
    [("Long", 64 - 6 - 5), ("JobGone", 10), ("Recorded", 3), ("Once", 30)],
)
def test_only_the_time_counts_in_which_it_would_have_been_seen(name: str, hours: float, seen: RuleSeries) -> None:
    assert _hours_gone(seen, name) == pytest.approx(hours, abs=0.3)


def test_every_rule_of_a_name_is_judged(seen: RuleSeries) -> None:
    lost = {one.rules: (one.metric_seen, one.labels_never_seen, one.gone_for, one.may_be) for one in seen.lost}
    assert {rules: is_so for rules, is_so in lost.items() if not is_so[2] and rules != ("TargetDown",)} == {
        ("Twice",): (False, (), None, False),
        ("NoSuchLabel",): (True, ("path",), None, False),
        ("Error500",): (True, (), None, False),
        ("Errors",): (True, (), None, True),
    }


def test_a_pattern_without_a_match_is_not_a_problem(seen: RuleSeries) -> None:
    [problem] = [words for words in seen.problems(LIMIT) if words.startswith("value never seen")]
    assert problem == 'value never seen: `hits_total{code="500"}` (Error500)'
    assert [lost.rules for lost in seen.values_never_seen] == [("Errors",), ("Error500",)]


def test_a_rule_that_the_parser_cannot_read_hides_no_other(seen: RuleSeries) -> None:
    [unreadable] = seen.unreadable
    assert unreadable.startswith("Unreadable (")
