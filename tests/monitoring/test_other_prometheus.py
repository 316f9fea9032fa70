"""A Prometheus that is healthy and measures something else than Ordinaut, or nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.alerting import minutes, seconds
from fixtures.probing import CannotTell
from fixtures.scraping import prometheus_health
from fixtures.settings import PrometheusSettings, Settings
from sandbox.polling import require, until
from tests.monitoring.conftest import alone, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.scraping import PrometheusHealth


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that measures itself, and calls that a job of its own."""
    folder: Path = tmp_path_factory.mktemp("theirs")
    job = {"job_name": "theirs", "scrape_interval": "1s", "static_configs": [{"targets": ["127.0.0.1:1"]}]}
    with alone(folder, {"scrape_configs": [job]}) as url:
        yield url


def _health(url: str, *jobs: str) -> PrometheusHealth:
    settings = Settings(prometheus_url=url, prometheus=PrometheusSettings(jobs))
    found: PrometheusHealth = prometheus_health.probe.read(target_of(settings))
    return found


def test_one_that_has_just_started_is_not_known_to_measure_nothing(theirs: str) -> None:
    with pytest.raises(CannotTell, match=r"ago, no sample of `up` of the jobs ours\.api, node since: ask again"):
        _health(theirs, "ours.api", "node").problems(minutes(2))


def test_one_that_measures_nothing_of_ordinaut_is_not_ours(theirs: str) -> None:
    assert _health(theirs, "ours.api", "node").problems(seconds(0)) == [
        "no sample of `up` of the jobs ours.api, node, limit 0 ms"
    ]


def test_one_job_of_ours_is_enough_to_know_it_by(theirs: str) -> None:
    def measured() -> None:
        require(_health(theirs, "ours.api", "theirs").sample_age is not None, "no sample yet")

    until(measured, 20)
    assert _health(theirs, "ours.api", "theirs").problems(minutes(2)) == []
