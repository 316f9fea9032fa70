"""Monitoring that has just started or sees little: a real Alertmanager and Prometheus, without a sandbox."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.polling import require, until
from sandbox.processes import free_port
from tests.conftest import health_run, needs
from tests.projects import NOWHERE
from tests.servers import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge, Judgement


def test_without_monitoring_its_alerts_are_skipped(judge: Judge) -> None:
    seen = judge("checks/monitoring")
    assert seen.results is not None
    alerts = seen.results["alerts"]
    assert (seen.status, {alert["state"] for alert in alerts}, len(alerts)) == (5, {"skipped"}, 8), seen.output
    for alert in alerts:
        [said] = {check["message"] for check in alert["checks"] if check["message"]}
        assert re.fullmatch(r"this target has no (Prometheus|Alertmanager|Grafana): set \w+_url", said), alert


ALERTMANAGER = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
PROMETHEUS = "global: {evaluation_interval: 1s}\n"


def judged(folder: Path, **urls: str) -> Judgement:
    target = folder / "target.toml"
    target.write_text("".join(f'{name}_url = "http://{address}"\n' for name, address in urls.items()) + NOWHERE)
    return health_run(folder / "output", f"--target={target}", "-k", "alertmanager_down")


def test_an_alertmanager_that_has_just_started_is_not_judged_yet(tmp_path: Path) -> None:
    program, address = needs("prometheus-alertmanager"), f"127.0.0.1:{free_port()}"
    (tmp_path / "configuration.yml").write_text(ALERTMANAGER)
    with serving(
        program, f"--config.file={tmp_path / 'configuration.yml'}", f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address={address}", f"--cluster.listen-address=127.0.0.1:{free_port()}",
        "--cluster.gossip-interval=1m",
        ready=f"http://{address}/-/healthy",
    ):  # fmt: skip
        seen = judged(tmp_path, alertmanager=address)
    alert = seen.alert("AlertmanagerDown")
    assert (seen.status, alert["state"]) == (6, "unknown"), seen.output
    assert "its cluster is settling, as it may be" in alert["message"]


def test_a_prometheus_that_does_not_scrape_itself_is_noted(tmp_path: Path) -> None:
    manager, server = (f"127.0.0.1:{free_port()}" for _ in range(2))
    (tmp_path / "configuration.yml").write_text(ALERTMANAGER)
    sends = f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{manager}']}}]}}]}}"
    (tmp_path / "prometheus.yml").write_text(f"{PROMETHEUS}{sends}")
    with serving(
        needs("prometheus-alertmanager"), f"--config.file={tmp_path / 'configuration.yml'}",
        f"--storage.path={tmp_path / 'data'}", f"--web.listen-address={manager}", "--cluster.listen-address=",
        ready=f"http://{manager}/-/ready",
    ), serving(
        needs("prometheus"), f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'db'}",
        f"--web.listen-address={server}", ready=f"http://{server}/-/ready",
    ):  # fmt: skip
        until(lambda: require(judged(tmp_path, alertmanager=manager, prometheus=server).status == 0, "not ok yet"), 30)
        seen = judged(tmp_path, alertmanager=manager, prometheus=server)
    outcomes = {check["cause"]: check["outcome"] for check in seen.alert("AlertmanagerDown")["checks"]}
    assert outcomes["losses-not-counted"] == "noted", seen.output
