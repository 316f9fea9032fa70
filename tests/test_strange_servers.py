"""Prometheus and Alertmanager that freeze or answer nonsense: a verdict in time, in a line that says what was seen."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.clients.docker import Engine
from fixtures.clients.http import HttpClient
from fixtures.clients.masking import Masker
from fixtures.settings import NO_ENGINE, Deadlines, Settings
from fixtures.target import Target
from playbook.evidence import Cost
from sandbox.breaking import break_stack
from sandbox.faults import FAULTS
from tests.conftest import health_run, needs
from tests.projects import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

BODIES = {
    "html": b"<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>",
    "half-a-json": b'{"status":"success","data":{"result":[{"metric":{"__na',
    "other-json": b'["a", {"status": 7, "data": null, "cluster": "?"}]',
    "no-body": b"",
    "ten-megabytes": b"[" + b"0," * 5_000_000 + b"0]",
    "no-utf-8": bytes(range(128, 256)),
}
BUCKETS = [{"metric": {"le": le}, "value": [0, count]} for le, count in (("1.0", "10"), ("2.5", "10"), ("+Inf", "90"))]
LATE = json.dumps({"status": "success", "data": {"result": BUCKETS}}).encode()
LONG = {"a-megabyte": b'{"status":"success","data":{"groups":["' + b"x" * 2**20 + b'"]}}'}
SPEAKS = dict.fromkeys(BODIES, "answered 200") | {  # what is said of each
    "ten-megabytes": "with more than the 4.0 MiB that are read",
    "frozen": "did not answer in time",
    "dribbling": "did not answer in time",
    "redirect-loop": "answered 302",
    "hangs-up": "broke the connection off",
}
STATUS = {
    "cluster": {"status": "ready"},
    "config": {"original": "route: {receiver: us}\nreceivers: [{name: us, webhook_configs: [{url: 'http://here'}]}]\n"},
}
ANSWERS = (*BODIES, "redirect-loop")
DEADLINES = "[deadlines]\ncall = 2.0\n"
RUN_ENDS = 8  # seconds
UNHURRIED = "[deadlines]\ncall = 8.0\nrun = 20\n"  # for what answers: megabytes take their time on a busy machine


class _Strange(BaseHTTPRequestHandler):
    """A server that takes a request and does what it is told."""

    way: str
    released: threading.Event
    posted: list[Any] | None  # None: not even its status is told

    def do_POST(self) -> None:
        assert self.posted is not None
        self.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        if self.path == "/api/v2/status" and self.posted is not None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(STATUS).encode())
            return
        if self.way == "frozen":
            self.released.wait(60)
        elif self.way == "hangs-up":
            self.close_connection = True
        elif self.way == "forbidden":
            self.send_response(401)
            self.end_headers()
        elif self.way == "redirect-loop":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        elif self.way == "dribbling":
            self.send_response(200)
            self.end_headers()
            while not self.released.wait(0.2):
                self.wfile.write(b" ")
        else:
            self.released.wait(1 if self.way == "late" else 0)
            self.send_response(200)
            self.end_headers()
            self.wfile.write((BODIES | LONG | {"late": LATE})[self.way])

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # all probes come at once

    def handle_error(self, *_: object) -> None:
        """Whoever asks may hang up."""


@contextmanager
def strange(way: str, posted: list[Any] | None = None) -> Iterator[str]:
    """Serve in this way; give the address. With a list it takes what is posted, and tells its status rightly."""
    released = threading.Event()
    handler = type("Handler", (_Strange,), {"way": way, "released": released, "posted": posted})
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        released.set()
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("way", SPEAKS)
def test_what_watches_may_be_strange(way: str, tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    with strange(way) as url:
        urls = "".join(f'{name}_url = "{url}"\n' for name in ("prometheus", "alertmanager", "grafana"))
        target.write_text(urls + NOWHERE + (UNHURRIED if way in ANSWERS else DEADLINES))
        seen = health_run(tmp_path / "output", f"--target={target}", "checks/monitoring")
    assert seen.status == 1, seen.output
    assert seen.results is not None
    assert way in ANSWERS or seen.results["duration_seconds"] < RUN_ENDS
    for name, cause in (
        ("PrometheusDown", ("prometheus-not-answering", "not-a-prometheus")),
        ("AlertmanagerDown", ("alertmanager-not-answering", "not-an-alertmanager")),
    ):
        alert = seen.alert(name)
        assert (alert["state"], alert["causes"][0]["name"]) == ("firing", cause[way in ANSWERS])
        assert SPEAKS[way] in alert["message"]
    told = {alert["name"]: (alert["state"], alert["caused_by"]) for alert in seen.results["alerts"]}
    del told["PrometheusDown"], told["AlertmanagerDown"], told["GrafanaDown"]
    assert set(told.values()) == {("unknown", "PrometheusDown"), ("unknown", "AlertmanagerDown")}
    assert seen.alert("GrafanaDown")["state"] in ("firing", "unknown")
    assert "the check itself failed" not in str(seen.results)


def test_what_does_not_let_the_suite_in_is_unknown(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    with strange("forbidden") as url:
        target.write_text(
            "".join(f'{name}_url = "{url}"\n' for name in ("prometheus", "alertmanager", "grafana"))
            + NOWHERE + DEADLINES
        )  # fmt: skip
        seen = health_run(tmp_path / "output", f"--target={target}", "checks/monitoring")
    assert seen.status == 6, seen.output
    assert seen.in_state("firing") == set()
    for name in ("Prometheus", "Alertmanager", "Grafana"):
        assert f"the suite may not ask {name}: {url}/" in seen.alert(f"{name}Down")["message"]
    assert seen.alert("SilenceTooBroad")["caused_by"] == "AlertmanagerDown"
    assert {seen.alert(name)["caused_by"] for name in ("ScrapeTargetDown", "AlertCannotFire")} == {"PrometheusDown"}


@pytest.mark.parametrize("way", ["html", "half-a-json", "frozen"])
def test_a_test_alert_is_taken_back_whatever_is_answered_in_between(way: str, tmp_path: Path) -> None:
    needs("prometheus-alertmanager")
    target, posted = tmp_path / "target.toml", list[Any]()
    with strange(way, posted) as url:
        target.write_text(f'alertmanager_url = "{url}"\n{NOWHERE}{DEADLINES}')
        seen = health_run(tmp_path / "output", f"--target={target}", "--active", "-k", "alert_routing_broken")
    assert seen.alert("AlertRoutingBroken")["state"] == "unknown", seen.output
    [[sent], [taken_back]] = posted
    assert sent["labels"] == taken_back["labels"]
    assert sent["endsAt"] > taken_back["endsAt"] > taken_back["startsAt"]


def test_a_long_list_of_a_server_that_watches_much_is_read_whole() -> None:
    cost, mask = Cost(), Masker(set())
    with strange("a-megabyte") as url:
        settings = Settings(prometheus_url=url)
        target = Target(settings, Engine(NO_ENGINE, None, settings.deadlines, mask, cost), cost, mask)
        [group] = target.prometheus.alerting_rules()
    assert len(group) == 2**20


def test_what_connecting_took_the_answer_has_not_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.create_connection
    clock, limits = [1000.0], list[float]()

    class Limited(socket.socket):
        def settimeout(self, value: float | None) -> None:
            limits.append(value or 0)
            super().settimeout(value)

    def late(*arguments: Any, **options: Any) -> socket.socket:
        made = connect(*arguments, **options)
        clock[0] += 1.5  # as where the first packet is lost
        return Limited(fileno=made.detach())

    monkeypatch.setattr(socket, "create_connection", late)
    monkeypatch.setattr("fixtures.clients.http.time", SimpleNamespace(monotonic=lambda: clock[0]))
    with strange("html") as url:
        client = HttpClient("api", url, Deadlines(call=2.0), Masker(set()), Cost())
        client.prepare()
        assert client.get("/health").answered
    assert set(limits) == {0.5}  # of sending and of reading


@pytest.fixture
def slow_api(sandbox: EmbeddedStack, tmp_path: Path) -> Path:
    """Settings of a sandbox whose API is slow; a Prometheus may be added."""
    break_stack(sandbox, FAULTS["api-slow"])
    path = tmp_path / "target.toml"
    path.write_text((sandbox.folder / "target.toml").read_text())
    return path


def test_a_slow_api_fires_though_prometheus_is_frozen(slow_api: Path, judge: Judge) -> None:
    with strange("frozen") as url:
        seen = judge(f"--prometheus-url={url}", "-k", "high_api_latency", target=slow_api)
    alert = seen.alert("HighAPILatency")
    assert (alert["state"], alert["causes"][0]["name"]) == ("firing", "api-slow"), seen.output
    assert "a sample of 2 requests; Prometheus " in alert["measured"]["text"]


def test_a_prometheus_that_takes_its_time_is_believed_all_the_same(sandbox: EmbeddedStack, judge: Judge) -> None:
    """The API's own health check is fast: what users meet, Prometheus alone knows."""
    with strange("late") as url:
        seen = judge(f"--prometheus-url={url}", "-k", "high_api_latency", target=sandbox.folder / "target.toml")
    alert = seen.alert("HighAPILatency")
    assert alert["state"] == "firing", seen.output
    assert alert["measured"]["text"] == "p95 2.5 s or more (Prometheus, 5 min)"


def test_the_password_of_a_prometheus_that_is_down_is_nowhere(slow_api: Path, judge: Judge, tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.prom"
    where = "--prometheus-url=http://watcher:Hidden1@127.0.0.1:1"
    seen = judge(where, f"--metrics={metrics}", "-v", target=slow_api)
    assert {"HighAPILatency", "PrometheusDown"} <= seen.in_state("firing"), seen.output
    written = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.name for path in map(Path, written)} >= {"results.json", "report.html", "metrics.prom"}
    assert [place for place, content in written.items() if b"Hidden1" in content] == []
    assert "Hidden1" not in seen.output
    assert "http://watcher:•••@127.0.0.1:1 refused the connection" in seen.alert("HighAPILatency")["measured"]["text"]
