"""The monitoring of a sandbox: its servers, and the operations that faults need."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from sandbox.http import CLIENT
from sandbox.monitoring import configuration, programs
from sandbox.polling import not_yet, require, until
from sandbox.servers import DATABASE, SandboxError
from sandbox.service import EmbeddedService, Keeper
from sandbox.state import write_private
from sandbox.target import DROPPED_WITHIN
from sandbox.target import FILE as TARGET_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.monitoring.configuration import Document

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SHIPPED_RULES = Path(__file__).with_name("shipped.rules.yml")
QUERIES = REPOSITORY / "reports" / "postgres_exporter.yml"
ROLE = "postgres_exporter"
PORTS = (
    "prometheus", "alertmanager", "alertmanager-cluster", "postgres-exporter", "redis-exporter", "node-exporter",
    "grafana", "oncall",
)  # fmt: skip
OURS, EXTRA = "ordinaut", "extra"  # rule files
READY = "/-/ready"  # answers without an error when the server serves
TIMEOUT = 2.0
PATIENCE = 15.0  # seconds, for requests that are not repeated
SETTLES = timedelta(seconds=7)  # lastConfigTime has whole seconds
SECONDS = 60  # time limit of a command of this project
NEEDED = {"pg_up": 1, "redis_up": 1, "prometheus_config_last_reload_successful": 1}


class Watched(Keeper, Protocol):
    """A sandbox that is monitored; it also keeps the processes of its monitoring."""

    def sql(self, statement: str) -> object:
        """Run a statement as the sandbox's administrator."""


class Monitoring:
    """The monitoring of one sandbox."""

    def __init__(self, stack: Watched) -> None:
        self._stack = stack
        self.folder = stack.state.folder / "monitoring"
        self.textfiles = self.folder / "textfiles"  # of metrics, for the node exporter
        self.notifications = self.folder / "notifications.jsonl"  # one line for each notification that on-call received
        self.ports: Mapping[str, int] = stack.state.ports
        ports = self.ports
        self.prometheus = self._service("prometheus", programs.prometheus(self.folder, ports["prometheus"]), READY)
        cluster = ports["alertmanager-cluster"]
        alertmanager = programs.alertmanager(self.folder, ports["alertmanager"], cluster)
        address = f"127.0.0.1:{ports['postgres']}/{DATABASE}?sslmode=disable"
        self._postgres_exporter = self._service(
            "postgres-exporter",
            programs.postgres_exporter(QUERIES, ports["postgres-exporter"]),
            DATA_SOURCE_NAME=f"postgresql://{ROLE}:{stack.state.password}@{address}",
        )
        redis_exporter = programs.redis_exporter(f"redis://127.0.0.1:{ports['redis']}/0", ports["redis-exporter"])
        self.services = [
            self.prometheus,
            self._service("alertmanager", alertmanager, READY),
            self._postgres_exporter,
            self._service("redis-exporter", redis_exporter),
            self._service("node-exporter", programs.node_exporter(self.textfiles, ports["node-exporter"])),
            self._python("grafana", "/api/health", GRAFANA=str(self.folder / "grafana.json")),
            self._python("oncall", "/runbooks/PrometheusDown.md", NOTIFICATIONS=str(self.notifications)),
        ]

    def _service(self, name: str, command: Sequence[str], ready: str = "/", **environment: str) -> EmbeddedService:
        return EmbeddedService(
            self._stack, name, lambda: command, environment=lambda: environment, ready=lambda: self.read(name, ready)
        )

    def _python(self, name: str, ready: str, **environment: str) -> EmbeddedService:
        own = {"PORT": str(self.ports[name]), "PYTHONPATH": str(REPOSITORY), **environment}
        return self._service(name, [sys.executable, "-m", f"sandbox.services.{name}"], ready, **own)

    # -- start

    def begin(self) -> None:
        """Write the configuration, and start every server that needs no other part of the sandbox."""
        for place in (self.folder, self.textfiles, self._rules(OURS).parent):
            place.mkdir()
        for server in configuration.SERVERS:
            self.use(server, configuration.original(server, self.ports), reload=False)
        for service in self.services:
            if service is not self._postgres_exporter:
                service.launch()

    def complete(self) -> None:
        """Start the rest, when the sandbox itself is healthy and its settings are written."""
        self._stack.sql(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{self._stack.state.password}'")
        self._stack.sql(f"GRANT pg_monitor, pg_read_all_data TO {ROLE}")
        self._postgres_exporter.launch()
        self._report()
        for service in self.services:
            service.wait_ready()
        self.write_rules(OURS, self.expected_rules())

    def expected_rules(self) -> str:
        """Return the rules that `make rules` writes for this sandbox."""
        return self._command("reports.commands.rules", f"--runbooks={self.url('oncall')}/runbooks")

    def _report(self) -> None:
        """Judge the backups, as cron does, for the metrics of that run."""
        where = (f"--output={self.folder / 'reports'}", f"--metrics={self.textfiles / 'ordinaut.prom'}")
        self._command("pytest", *where, "-k", "backup_failed")

    def _command(self, module: str, *arguments: str) -> str:
        command = [sys.executable, "-m", module, f"--target={self._stack.state.folder / TARGET_FILE}", *arguments]
        done = subprocess.run(  # noqa: S603  our own
            command, cwd=REPOSITORY, env=os.environ, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        if done.returncode:
            raise SandboxError(f"{module} failed: {(done.stderr or done.stdout).strip()[-500:]}")
        return done.stdout

    # -- access

    def url(self, service: str) -> str:
        """Return the address of a server."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def urls(self) -> dict[str, str]:
        """Return the checker's settings of the monitoring."""
        return {f"{name}_url": self.url(name) for name in ("prometheus", "alertmanager", "grafana")}

    def read(self, service: str, path: str, **parameters: str) -> str:
        """Return the text at a path of a server; NotYet on an error."""
        with not_yet(f"{service} returns no page {path}", httpx.HTTPError):
            return CLIENT.get(self.url(service) + path, params=parameters, timeout=TIMEOUT).raise_for_status().text

    def ask(self, service: str, path: str, **parameters: str) -> Any:
        """Return the JSON document at a path of a server; NotYet where there is none."""
        with not_yet(f"{service} returns no JSON at {path}", json.JSONDecodeError):
            return json.loads(self.read(service, path, **parameters))

    def prometheus_api(self, path: str, **parameters: str) -> Any:
        """Return the data at a path of Prometheus' API; NotYet where there is none."""
        return self.ask("prometheus", f"/api/v1/{path}", **parameters)["data"]

    def query(self, expression: str) -> dict[str, float]:
        """Return the value of an expression for each series, whose labels are written as JSON."""
        found = self.prometheus_api("query", query=expression)["result"]
        return {json.dumps(sample["metric"]): float(sample["value"][1]) for sample in found}

    def value(self, expression: str) -> float | None:
        """Return the value of an expression that has at most one; None where it has none."""
        return next(iter(self.query(expression).values()), None)

    def jobs(self) -> dict[str, str]:
        """Return the health of the target of each job that Prometheus scrapes."""
        targets = self.prometheus_api("targets")["activeTargets"]
        return {target["labels"]["job"]: target["health"] for target in targets}

    def rules(self) -> list[dict[str, Any]]:
        """Return the alerting rules that Prometheus has loaded."""
        groups = self.prometheus_api("rules", type="alert")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    # -- changes

    def use(self, server: str, document: Document | str, *, reload: bool = True) -> None:
        """Write the configuration of a server and reload it; a string is written unchanged."""
        text = document if isinstance(document, str) else json.dumps(document, indent=1)
        write_private(self.folder / f"{server}.json", text)
        if reload:
            self._reload(server)

    def reconfigure(self, server: str, change: Callable[[Document], object] = lambda _: None) -> None:
        """Make a server use its original configuration with a change; without one, restore it."""
        document = configuration.original(server, self.ports)
        change(document)
        self.use(server, document)

    def write_rules(self, name: str, text: str, *, reload: bool = True) -> None:
        """Write a rule file and reload it; without text, remove it."""
        if text:
            write_private(self._rules(name), text)
        else:
            self._rules(name).unlink(missing_ok=True)
        if reload:
            self._reload("prometheus")

    def read_rules(self) -> str:
        """Return the current text of the rules of `make rules`."""
        return self._rules(OURS).read_text()

    def _rules(self, name: str) -> Path:
        return self.folder / "rules" / f"{name}.yml"

    def load(self, service: str) -> None:
        """Make a server load its configuration, without waiting for its effect."""
        self._post(service, "/-/reload")

    def _post(self, service: str, path: str, document: object = None) -> None:
        answer = CLIENT.post(self.url(service) + path, json=document, timeout=PATIENCE)
        if answer.is_error:
            raise SandboxError(f"{service} rejects POST {path}: {answer.text.strip()}")

    def _reload(self, server: str) -> None:
        if server != "grafana":  # the stand-in reads its content for every answer
            self.load(server)
        if server == "prometheus":
            until(self.require_settled)
            found = datetime.now(UTC).timestamp()
            until(lambda: self.require_counted(found))
            until(self.require_nothing_lost, DROPPED_WITHIN + 5)

    def require_settled(self) -> None:
        """Raise NotYet while Prometheus discovers its targets and its Alertmanagers, as after a start."""
        if not self.alertmanagers() or not self.jobs():
            self.require_looked_for_all()

    def require_counted(self, moment: float) -> None:
        """Raise NotYet while notifications that were lost before that moment may not be counted."""
        if self.alertmanagers():
            counted = self.value("min(timestamp(prometheus_notifications_dropped_total))")
            require(counted is None or counted > moment, "Prometheus has not scraped its own counters since")

    def require_nothing_lost(self) -> None:
        """Raise NotYet while lost notifications count: Prometheus drops them as long as it has no Alertmanager."""
        if self.alertmanagers():
            lost = self.lost()
            require(not lost, f"Prometheus has lost {lost} notifications")

    def lost(self) -> float | None:
        """Return how many notifications Prometheus dropped within DROPPED_WITHIN seconds; None without samples."""
        return self.value(f"sum(increase(prometheus_notifications_dropped_total[{DROPPED_WITHIN}s]))")

    def require_looked_for_all(self, settles: timedelta = SETTLES) -> None:
        """Raise NotYet while Prometheus may still discover targets."""
        loaded = self.prometheus_api("status/runtimeinfo")["lastConfigTime"]
        ago = datetime.now(UTC) - datetime.fromisoformat(loaded)
        require(ago > settles, f"Prometheus loaded its configuration {ago.total_seconds():.0f} s ago")

    def alertmanagers(self) -> list[dict[str, str]]:
        """Return the Alertmanagers that Prometheus sends to."""
        found: list[dict[str, str]] = self.prometheus_api("alertmanagers")["activeAlertmanagers"]
        return found

    def silence(self, matchers: Mapping[str, str], comment: str, lasts: timedelta) -> None:
        """Create a silence that starts now, whose values are regular expressions."""
        now = datetime.now(UTC)
        document = {
            "matchers": [{"name": name, "value": value, "isRegex": True} for name, value in matchers.items()],
            "startsAt": now.isoformat(),
            "endsAt": (now + lasts).isoformat(),
            "createdBy": "sandbox",
            "comment": comment,
        }
        self._post("alertmanager", "/api/v2/silences", document)

    def active_silences(self) -> list[dict[str, Any]]:
        """Return the active silences."""
        silences = self.ask("alertmanager", "/api/v2/silences")
        return [silence for silence in silences if silence["status"]["state"] == "active"]

    def lift_silences(self) -> None:
        """Expire every active silence."""
        for silence in self.active_silences():
            address = f"{self.url('alertmanager')}/api/v2/silence/{silence['id']}"
            CLIENT.delete(address, timeout=PATIENCE).raise_for_status()

    # -- health

    def require_healthy(self) -> None:
        """Raise NotYet unless every target is scraped, every rule is evaluated and Alertmanager is ready to notify."""
        self._require_targets()
        self._require_rules()
        for metric, right in NEEDED.items():
            require(self.value(metric) == right, f"{metric} is {self.value(metric)}")
        self._require_alertmanager()
        self.ask("grafana", "/api/health")
        self.ask("grafana", f"/api/datasources/uid/{configuration.DATASOURCE}/health")

    def _require_targets(self) -> None:
        health = self.jobs()
        require(set(health) == set(configuration.JOBS), f"Prometheus scrapes {', '.join(sorted(health))}")
        bad = [f"{job} is {state}" for job, state in health.items() if state != "up"]
        require(not bad, f"targets: {', '.join(bad)}")

    def _require_rules(self) -> None:
        found = self.rules()
        expected = re.findall(r"- alert: (\w+)", self.read_rules())
        require([rule["name"] for rule in found] == expected, f"Prometheus has {len(found)} rules, not {len(expected)}")
        bad = [f"{rule['name']} is {rule['health']}" for rule in found if rule["health"] != "ok"]
        require(not bad, f"rules: {', '.join(bad)}")

    def _require_alertmanager(self) -> None:
        require(self.alertmanagers(), "Prometheus has no Alertmanager")
        self.require_nothing_lost()
        status = self.ask("alertmanager", "/api/v2/status")["cluster"]["status"]
        require(status == "ready", f"Alertmanager's cluster is {status}")
        require(not self.active_silences(), f"silences are active: {self.active_silences()}")
