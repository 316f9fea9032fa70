"""What is asked of a Docker engine, and how whatever it answers is borne; which engine it is."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.clients import engine as fixture
from fixtures.clients.docker import Engine
from fixtures.clients.engine import EngineClient, EngineError, default_engine
from fixtures.clients.masking import Masker
from fixtures.settings import BadSettings, Deadlines
from playbook.evidence import Absent, Cost, Unknown
from playbook.quantities import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def answering(
    path: Path, *parts: bytes, pause: float = 0.0, version: str = "1.41", limit: float = 5
) -> Iterator[EngineClient]:
    """Give a client of a server that answers one request so, part by part."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            wire, _ = listener.accept()
            with wire, suppress(BrokenPipeError):  # nobody waits for the end of it
                wire.recv(65536)
                for part in parts:
                    wire.sendall(part)
                    time.sleep(pause)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        EngineClient.prepare()
        yield EngineClient(f"unix://{path}", lambda: limit, version)
        server.join(5)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!", "403 Client Error"),
        (HEAD + b"Content-Length: 3\r\n\r\n<p>", "Expecting value"),
        (HEAD + b"Content-Length: 30\r\n\r\n{}", "IncompleteRead"),
        (b"SSH-2.0-OpenSSH\r\n", "BadStatusLine"),
        (b"", "Connection aborted"),
    ],
)
def test_what_is_no_answer_is_said(tmp_path: Path, answer: bytes, says: str) -> None:
    with answering(tmp_path / "s", answer) as client, pytest.raises(EngineError, match=says):
        client.about()


def test_what_is_no_engine_is_said(tmp_path: Path) -> None:
    answer = HEAD + b"Content-Length: 2\r\n\r\n{}"
    with (
        answering(tmp_path / "s", answer, version="auto") as client,
        pytest.raises(EngineError, match="what answers there is no Docker engine"),
    ):
        client.about()


def test_an_answer_that_never_ends_is_bounded_as_a_whole(tmp_path: Path) -> None:
    dribble = [HEAD + b"Connection: close\r\n\r\n", *[b" "] * 50]
    with answering(tmp_path / "s", *dribble, pause=0.1, limit=0.5) as client:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            client.about()
        assert time.monotonic() - began < 3


# -- which engine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's settings of the docker command, on a machine without any engine."""
    monkeypatch.setattr(fixture, "SYSTEM_SOCKET", tmp_path / "absent")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    for name in ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def context(home: Path, name: str, host: str) -> None:
    folder = home / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))


def test_where_there_is_no_socket_there_is_no_engine(home: Path) -> None:
    assert home.exists()
    assert default_engine() == ("none", None)


def test_the_socket_of_a_rootless_engine_is_found(home: Path) -> None:
    (home / "docker.sock").touch()
    assert default_engine() == (f"unix://{home}/docker.sock", None)


def test_a_context_comes_before_sockets_and_docker_host_before_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "docker.sock").touch()
    (home / "config.json").write_text('{"currentContext": "one"}')
    context(home, "one", "tcp://10.0.0.1:2375")
    context(home, "two", "ssh://10.0.0.2")
    assert default_engine() == ("tcp://10.0.0.1:2375", None)
    monkeypatch.setenv("DOCKER_CONTEXT", "two")
    assert default_engine() == ("ssh://10.0.0.2", None)
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert default_engine() == (f"unix://{home}/docker.sock", None)
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.3:2375")
    assert default_engine() == ("tcp://10.0.0.3:2375", None)


def test_an_engine_behind_tls_is_asked_with_the_certificates_that_the_docker_command_has(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context(home, "one", "tcp://10.0.0.1:2376")
    certificates = home / "contexts" / "tls" / hashlib.sha256(b"one").hexdigest() / "docker"
    certificates.mkdir(parents=True)
    monkeypatch.setenv("DOCKER_CONTEXT", "one")
    assert default_engine() == ("tcp://10.0.0.1:2376", certificates)
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.3:2376")
    assert default_engine() == ("tcp://10.0.0.3:2376", None)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    assert default_engine() == ("tcp://10.0.0.3:2376", home)
    monkeypatch.setenv("DOCKER_CERT_PATH", "/certificates")
    assert default_engine() == ("tcp://10.0.0.3:2376", Path("/certificates"))


def test_a_project_without_any_engine_is_not_known(home: Path) -> None:
    assert home.exists()
    here = Engine(None, "ops", Deadlines(), Masker(set()), Cost())
    with pytest.raises(Unknown, match="no Docker engine is found here to ask for the project ops"):
        here.containers()
    without = Engine("none", "ops", Deadlines(), Masker(set()), Cost())
    with pytest.raises(Absent, match="this target has no Docker engine"):
        without.containers()


@pytest.mark.parametrize("ask", [Engine.containers, lambda engine: engine.log("api", Span(60))], ids=["list", "log"])
def test_of_an_engine_that_cannot_be_asked_nothing_is_said_to_be_absent(
    tmp_path: Path, ask: Callable[[Engine], object]
) -> None:
    engine = Engine(f"unix://{tmp_path}/gone.sock", None, Deadlines(), Masker(set()), Cost())
    with pytest.raises(Unknown, match="cannot be asked"):
        engine.rows()
    with pytest.raises(Unknown, match="cannot be asked"):
        ask(engine)


def test_without_an_ssh_the_engines_host_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    engine = Engine("ssh://other", "ops", Deadlines(), Masker(set()), Cost())
    with pytest.raises(Unknown, match=r"ssh://other cannot be asked: .*No such file.*ssh"):
        engine.containers()


def test_what_an_engine_refuses_to_tell_keeps_nothing_else_from_being_asked(tmp_path: Path) -> None:
    refusal = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno"
    with answering(tmp_path / "s", refusal) as client:
        engine = Engine(f"unix://{tmp_path}/s", "ops", Deadlines(), Masker(set()), Cost())
        engine._version = client.version
        with pytest.raises(Unknown, match="500 Server Error"):
            engine.rows()
    with pytest.raises(Unknown, match="Connection refused"):  # it was asked again
        engine.rows()


def broken_settings(home: Path) -> None:
    (home / "config.json").write_text("{")


def no_such_context(home: Path) -> None:
    (home / "config.json").write_text('{"currentContext": "gone"}')


@pytest.mark.parametrize("make", [broken_settings, no_such_context])
def test_a_context_that_cannot_be_read_is_a_wrong_setting(home: Path, make: Callable[[Path], None]) -> None:
    make(home)
    with pytest.raises(BadSettings, match="the context of the docker command cannot be read"):
        default_engine()
