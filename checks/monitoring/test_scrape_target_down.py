"""ScrapeTargetDown: a job that the alerts need is not scraped."""

from fixtures.monitoring.scraping import ScrapeTargets
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import minutes
from playbook.quantities import listed

ALERT = Alert(
    name="ScrapeTargetDown",
    severity=2,
    trigger="a job that the alerts need is missing in Prometheus or down, or its exporter cannot reach its service",
    impact="alerts that need this job cannot fire",
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "prometheus"},
)


@trigger(step=2)
def test_every_job_is_scraped(scrape_targets: ScrapeTargets) -> None:
    """Prometheus has every job that the alerts need, with targets that are up and exporters that see their service."""
    assert not scrape_targets.problems, listed(scrape_targets.problems)


@diagnostic(cause="job-missing", step=2, explained_by="PrometheusDown")
def test_no_job_is_missing(scrape_targets: ScrapeTargets) -> None:
    """Every job that the alerts need is configured (a removed job's series stay for five minutes)."""
    assert not scrape_targets.missing, f"Prometheus has no job {listed(scrape_targets.missing)}"


@diagnostic(cause="job-without-target", step=2)
def test_every_job_has_a_target(scrape_targets: ScrapeTargets) -> None:
    """Every configured job that the alerts need has a target."""
    assert not scrape_targets.empty, f"jobs without any target: {listed(scrape_targets.empty)}"


@diagnostic(cause="target-down", step=2, explained_by="OrchestratorAPIDown")
def test_no_target_is_down(scrape_targets: ScrapeTargets) -> None:
    """The last scrape of every target of these jobs succeeded."""
    assert not scrape_targets.down, f"down: {listed(scrape_targets.down, 3)}"


@diagnostic(cause="exporter-blind", step=3, explained_by="OrchestratorDatabaseDown")
def test_no_exporter_is_blind(scrape_targets: ScrapeTargets) -> None:
    """Every exporter reaches its service (its `up` is 1 even if it does not)."""
    assert not scrape_targets.blind, listed(scrape_targets.blind)
