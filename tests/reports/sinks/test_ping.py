from __future__ import annotations

import http.server
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from reports.sinks import ping
from tests.projects import nowhere

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Judge
    from tests.projects import Project


class _Switch(http.server.ThreadingHTTPServer):
    """Stands for healthchecks.io, and keeps the paths that were requested."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.answer = 200


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Switch

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def switch() -> Iterator[_Switch]:
    with _Switch() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_ping_has_the_exit_status(sample: Project, judge: Judge, tmp_path: Path, switch: _Switch) -> None:
    url = f"--ping=http://127.0.0.1:{switch.server_port}/a-secret/"
    seen = judge(url, target=nowhere(tmp_path), cwd=sample.folder)
    judge(url, "-k", "it_is_ok", target=nowhere(tmp_path), cwd=sample.folder)
    assert switch.asked == ["/a-secret/1", "/a-secret/0"]
    assert "a-secret" not in seen.output


def test_a_ping_that_fails_costs_a_warning(sample: Project, judge: Judge, tmp_path: Path, switch: _Switch) -> None:
    switch.answer = 404
    url = f"--ping=http://127.0.0.1:{switch.server_port}/a-secret"
    seen = judge(url, "-k", "it_is_ok", target=nowhere(tmp_path), cwd=sample.folder)
    assert seen.status == 0
    assert "ping failed: HTTP 404" in seen.output
    refused = judge("--ping=http://127.0.0.1:1/a-secret", "-k", "it_is_ok", target=nowhere(tmp_path), cwd=sample.folder)
    assert refused.status == 0
    assert "ping failed: ConnectError" in refused.output
    assert "a-secret" not in seen.output + refused.output


def test_the_url_of_the_ping_is_in_no_log(sample: Project, judge: Judge, tmp_path: Path, switch: _Switch) -> None:
    url = f"--ping=http://127.0.0.1:{switch.server_port}/a-secret"
    seen = judge(url, "--log-cli-level=DEBUG", "-vv", target=nowhere(tmp_path), cwd=sample.folder)
    assert switch.asked == ["/a-secret/1"]
    assert "a-secret" not in seen.output


@pytest.mark.parametrize("url", ["nonsense", "http://[::1", "http://a..b/a-secret", "http://127.0.0.1:99999/a-secret"])
def test_a_wrong_url_costs_a_warning(url: str) -> None:
    (complaint,) = ping.send(url, 0)
    assert complaint.startswith("ping failed: ")
    assert "a-secret" not in complaint


def test_missing_certificates_cost_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent"))
    assert ping.send("https://127.0.0.1:1/a-secret", 0) == ["ping failed: FileNotFoundError"]


def test_a_ping_is_not_waited_for_byte_by_byte() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def dribble() -> None:
            connection, _ = server.accept()
            with connection:
                for letter in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100:
                    connection.send(bytes([letter]))
                    if over.wait(0.2):
                        return

        thread = threading.Thread(target=dribble)
        thread.start()
        complaints = ping.send(f"http://127.0.0.1:{server.getsockname()[1]}/a-secret", 0)
        still_answering = thread.is_alive()
        over.set()
        thread.join()
    assert complaints == ["ping failed: no answer within 2 s"]
    assert still_answering
