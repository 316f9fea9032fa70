"""Faults of Prometheus and of its targets."""

from __future__ import annotations

from functools import partial

import httpx

from sandbox.fault import Document, Expect, Fault, Stack, configured, stopped
from sandbox.http import require_no_answer
from sandbox.monitoring.stack import ROLE
from sandbox.polling import require
from sandbox.servers import SandboxError

MISSING_JOB = "redis"

_target_down = partial(Expect, "ScrapeTargetDown", "firing")


def server_stopped(name: str, title: str, expect: Expect) -> Fault:
    """Return the fault of a server of the monitoring that is stopped."""
    server = title.lower()

    def refuses(stack: Stack) -> None:
        require_no_answer(stack.monitoring.url(server), httpx.ConnectError)

    return stopped(name, f"stops {title}, so that nothing listens on its port", expect, server, refuses)


def _configure_nonsense(stack: Stack) -> None:
    try:
        stack.monitoring.use("prometheus", "scrape_configs: [{\n")
    except SandboxError:
        return
    raise SandboxError("Prometheus accepted a configuration that is not YAML")


def _reload_failed(stack: Stack) -> None:
    successful = stack.monitoring.value("prometheus_config_last_reload_successful")
    require(successful == 0, f"prometheus_config_last_reload_successful is {successful}")


def _node_is_down(stack: Stack) -> None:
    up = stack.monitoring.value('up{job="node"}')
    require(up == 0, f'up{{job="node"}} is {up}')


def _leave_a_job_out(document: Document) -> None:
    document["scrape_configs"] = [job for job in document["scrape_configs"] if job["job_name"] != MISSING_JOB]


def _job_is_missing(stack: Stack) -> None:
    stack.monitoring.require_looked_for_all()
    # Not its series, which stay for five minutes: nothing marks the series of a removed job as stale.
    require(MISSING_JOB not in stack.monitoring.jobs(), f"the job {MISSING_JOB} is still scraped")


def _leave_a_job_without_target(document: Document) -> None:
    [job] = [job for job in document["scrape_configs"] if job["job_name"] == MISSING_JOB]
    job["static_configs"] = []


def _lock_the_exporter_out(stack: Stack) -> None:
    stack.sql(f"ALTER ROLE {ROLE} NOLOGIN")
    stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (ROLE,))


def _exporter_is_blind(stack: Stack) -> None:
    seen = stack.monitoring.value('up{job="postgres"}'), stack.monitoring.value("pg_up")
    require(seen == (1, 0), f"up and pg_up are {seen}")


STOPPED = server_stopped(
    "prometheus-stopped",
    "Prometheus",
    Expect("PrometheusDown", "firing", "prometheus-not-answering", may_follow=("GrafanaDown",)),
)
BAD_RELOAD = Fault(
    name="prometheus-bad-reload",
    does="makes Prometheus reload a configuration that is not YAML: it keeps the old one",
    expect=Expect("PrometheusDown", "firing", "reload-failed"),
    break_=_configure_nonsense,
    took_hold=_reload_failed,
    heal=lambda stack: stack.monitoring.reconfigure("prometheus"),
)
TARGET_DOWN = stopped(
    "target-down",
    "stops the node exporter, which Prometheus still scrapes",
    _target_down("target-down"),
    service="node-exporter",
    took_hold=_node_is_down,
)
JOB_MISSING = configured(
    "job-missing",
    "removes the job of the Redis exporter from Prometheus' configuration",
    _target_down("job-missing"),
    server="prometheus",
    change=_leave_a_job_out,
    took_hold=_job_is_missing,
)
JOB_WITHOUT_TARGET = configured(
    "job-without-target",
    "removes the target from the job of the Redis exporter in Prometheus' configuration",
    _target_down("job-without-target"),
    server="prometheus",
    change=_leave_a_job_without_target,
    took_hold=_job_is_missing,
)
EXPORTER_BLIND = Fault(
    name="exporter-blind",
    does="revokes the login of the PostgreSQL exporter: it is up but measures nothing",
    expect=_target_down("exporter-blind", may_follow=("GrafanaDown",)),
    break_=_lock_the_exporter_out,
    took_hold=_exporter_is_blind,
    heal=lambda stack: stack.sql(f"ALTER ROLE {ROLE} LOGIN"),
)
