"""Faults of Prometheus and of its targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.fault import Expect, Fault
from sandbox.monitoring import configuration
from sandbox.monitoring.stack import ROLE
from sandbox.polling import NotYet, require
from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from sandbox.stack import Stack

MISSING_JOB = "redis"


def refuses(stack: Stack, service: str) -> None:
    """Raise NotYet while a server of the monitoring accepts connections."""
    try:
        stack.monitoring.ask(service, "/-/healthy")
    except NotYet as error:
        require("refused" in str(error), str(error))
        return
    raise NotYet(f"{service} still answers")


def restore_configuration(stack: Stack) -> None:
    """Restore the configuration of Prometheus."""
    stack.monitoring.use_prometheus(configuration.prometheus(stack.monitoring.ports))


def _configure_nonsense(stack: Stack) -> None:
    try:
        stack.monitoring.use_prometheus("scrape_configs: [{\n")
    except SandboxError:
        return
    raise SandboxError("Prometheus accepted a configuration that is not YAML")


def _reload_failed(stack: Stack) -> None:
    successful = stack.monitoring.value("prometheus_config_last_reload_successful")
    require(successful == 0, f"prometheus_config_last_reload_successful is {successful}")


def _node_is_down(stack: Stack) -> None:
    up = stack.monitoring.value('up{job="node"}')
    require(up == 0, f'up{{job="node"}} is {up}')


def _leave_a_job_out(stack: Stack) -> None:
    document = configuration.prometheus(stack.monitoring.ports)
    document["scrape_configs"] = [job for job in document["scrape_configs"] if job["job_name"] != MISSING_JOB]
    stack.monitoring.use_prometheus(document)


def _job_is_missing(stack: Stack) -> None:
    stack.monitoring.require_looked_for_all()
    # Not its series, which stay for five minutes: nothing marks the series of a removed job as stale.
    require(MISSING_JOB not in stack.monitoring.jobs(), f"the job {MISSING_JOB} is still scraped")


def _leave_a_job_without_target(stack: Stack) -> None:
    document = configuration.prometheus(stack.monitoring.ports)
    [job] = [job for job in document["scrape_configs"] if job["job_name"] == MISSING_JOB]
    job["static_configs"] = []
    stack.monitoring.use_prometheus(document)


def _lock_the_exporter_out(stack: Stack) -> None:
    stack.sql(f"ALTER ROLE {ROLE} NOLOGIN")
    stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (ROLE,))


def _exporter_is_blind(stack: Stack) -> None:
    seen = stack.monitoring.value('up{job="postgres"}'), stack.monitoring.value("pg_up")
    require(seen == (1, 0), f"up and pg_up are {seen}")


STOPPED = Fault(
    name="prometheus-stopped",
    does="stops Prometheus, so that nothing listens on its port",
    expect=Expect("PrometheusDown", "firing", "prometheus-not-answering", may_follow=("GrafanaDown",)),
    break_=lambda stack: stack.monitoring.prometheus.stop(),
    took_hold=lambda stack: refuses(stack, "prometheus"),
    heal=lambda stack: stack.monitoring.prometheus.start(),
)
BAD_RELOAD = Fault(
    name="prometheus-bad-reload",
    does="makes Prometheus reload a configuration that is not YAML: it keeps the old one",
    expect=Expect("PrometheusDown", "firing", "reload-failed"),
    break_=_configure_nonsense,
    took_hold=_reload_failed,
    heal=restore_configuration,
)
TARGET_DOWN = Fault(
    name="target-down",
    does="stops the node exporter, which Prometheus still scrapes",
    expect=Expect("ScrapeTargetDown", "firing", "target-down"),
    break_=lambda stack: stack.monitoring.node_exporter.stop(),
    took_hold=_node_is_down,
    heal=lambda stack: stack.monitoring.node_exporter.start(),
)
JOB_MISSING = Fault(
    name="job-missing",
    does="removes the job of the Redis exporter from Prometheus' configuration",
    expect=Expect("ScrapeTargetDown", "firing", "job-missing"),
    break_=_leave_a_job_out,
    took_hold=_job_is_missing,
    heal=restore_configuration,
)
JOB_WITHOUT_TARGET = Fault(
    name="job-without-target",
    does="removes the target from the job of the Redis exporter in Prometheus' configuration",
    expect=Expect("ScrapeTargetDown", "firing", "job-without-target"),
    break_=_leave_a_job_without_target,
    took_hold=_job_is_missing,
    heal=restore_configuration,
)
EXPORTER_BLIND = Fault(
    name="exporter-blind",
    does="revokes the login of the PostgreSQL exporter: it is up but measures nothing",
    expect=Expect("ScrapeTargetDown", "firing", "exporter-blind", may_follow=("GrafanaDown",)),
    break_=_lock_the_exporter_out,
    took_hold=_exporter_is_blind,
    heal=lambda stack: stack.sql(f"ALTER ROLE {ROLE} LOGIN"),
)
