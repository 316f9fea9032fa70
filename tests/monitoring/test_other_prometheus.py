"""A healthy Prometheus that measures something other than Ordinaut, or nothing yet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fixtures.monitoring.scraping import prometheus_health
from fixtures.monitoring.series import rule_series
from fixtures.settings import PrometheusSettings, Settings
from playbook.evidence import Unknown
from playbook.limits import minutes, seconds
from sandbox.polling import require, until
from tests.monitoring.conftest import alone
from tests.targets import target_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.monitoring.scraping import PrometheusHealth
    from fixtures.monitoring.series import RuleSeries


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One with jobs of its own, one of them scraped once a day, and a rule on a metric that does not exist."""
    folder: Path = tmp_path_factory.mktemp("theirs")
    jobs = [
        {"job_name": job, "scrape_interval": interval, "static_configs": [{"targets": ["127.0.0.1:1"]}]}
        for job, interval in (("theirs", "1s"), ("daily", "1d"))
    ]
    rules = [{"alert": "OnNothing", "expr": "nothing > 0"}]
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    with alone(folder, {"scrape_configs": jobs, "rule_files": ["rules.yml"]}) as url:
        yield url


def _health(url: str, *jobs: str) -> PrometheusHealth:
    settings = Settings(prometheus_url=url, prometheus=PrometheusSettings(jobs))
    found: PrometheusHealth = prometheus_health.probe.read(target_of(settings))
    return found


def test_just_after_its_start_it_is_unknown_whether_it_measures_ordinaut(theirs: str) -> None:
    with pytest.raises(Unknown, match=r"ago, no sample of `up` of the jobs ours\.api, node since: ask again"):
        _health(theirs, "ours.api", "node").problems(minutes(2))


def test_one_without_a_job_of_ours_fires(theirs: str) -> None:
    assert _health(theirs, "ours.api", "node").problems(seconds(0)) == [
        "no sample of `up` of the jobs ours.api, node (limit 0 ms)"
    ]


def test_one_job_of_ours_is_enough(theirs: str) -> None:
    def measured() -> None:
        require(_health(theirs, "ours.api", "theirs").sample_age is not None, "no sample yet")

    until(measured, 20)
    assert _health(theirs, "ours.api", "theirs").problems(minutes(2)) == []


def _series(url: str, *jobs: str) -> RuleSeries:
    settings = Settings(prometheus_url=url, prometheus=PrometheusSettings(jobs))
    found: RuleSeries = rule_series.probe.read(target_of(settings))
    return found


def _unknown_since(url: str, *jobs: str) -> str:
    with pytest.raises(Unknown) as raised:
        _series(url, *jobs)
    require("has not found all" not in str(raised.value), str(raised.value))
    return str(raised.value)


def test_a_missing_series_is_unknown_while_a_target_of_ours_was_never_scraped(theirs: str) -> None:
    words = until(lambda: _unknown_since(theirs, "daily"), 20)
    assert words == "Prometheus has not scraped daily yet, and lacks series since: ask again"


def test_a_target_of_others_that_was_never_scraped_does_not_matter(theirs: str) -> None:
    until(lambda: _unknown_since(theirs, "daily"), 20)
    assert [lost.selector.metric for lost in _series(theirs, "theirs").metrics_never_seen] == ["nothing"]
