"""Made-up Docker engines, for what real ones seldom are."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from fixtures.clients.compose import PROJECT_LABEL, SERVICE_LABEL, SERVICES
from fixtures.clients.docker import Engine
from fixtures.clients.engine import EngineClient
from fixtures.clients.masking import Masker
from tests.targets import context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATABASE_URL = "postgresql+psycopg://orchestrator:secret@postgres:5432/orchestrator"
ENVIRONMENT = (f"DATABASE_URL={DATABASE_URL}", "REDIS_URL=redis://redis:6379/0")


def container(
    name: str,
    project: str = "",
    service: str = "",
    image: str = "sha256:0a1b2c",
    environment: tuple[str, ...] = (),
    published: dict[int, tuple[str, int]] | None = None,
    address: str = "",
    **state: Any,
) -> dict[str, Any]:
    """Return a running container as inspect shows it; `published` maps its ports to an address and port of the host."""
    labels = {PROJECT_LABEL: project, SERVICE_LABEL: service} if project else {}
    ports = {f"{port}/tcp": [{"HostIp": host, "HostPort": str(to)}] for port, (host, to) in (published or {}).items()}
    return {
        "Id": name, "Name": f"/{name}", "Image": image, "RestartCount": 0,
        "State": {"Status": "running", "ExitCode": 0, "OOMKilled": False} | state,
        "Config": {"Labels": labels, "Env": list(environment)},
        "NetworkSettings": {"Ports": ports, "Networks": {"net": {"IPAddress": address}}},
        "HostConfig": {"PortBindings": {}},
    }  # fmt: skip


def ordinaut(project: str, pattern: str) -> list[dict[str, Any]]:
    """Return an Ordinaut of one compose project, its containers named by a pattern."""
    return [
        container(pattern.format(project, service), project, service, environment=ENVIRONMENT) for service in SERVICES
    ]


def by_hand(*names: str, **images: str) -> list[dict[str, Any]]:
    """Return containers without labels."""
    return [container(name, image=images.get(name, "sha256:0a1b2c"), environment=ENVIRONMENT) for name in names]


class MadeUpEngine(Engine):
    """Answers with the containers that it is created with."""

    def __init__(
        self, *containers: dict[str, Any], url: str = "unix:///made/up.sock", ssh_config: str = "", **about: Any
    ) -> None:
        super().__init__(url, None, context(), Masker(set()), {"ssh_config": ssh_config})
        rows = [
            {
                "Id": each["Id"],
                "Names": [each["Name"]],
                "Image": each["Image"],
                "Labels": each["Config"]["Labels"],
                "HostConfig": each["HostConfig"],
                "NetworkSettings": each["NetworkSettings"],
            }
            for each in containers
        ]
        by_id = {each["Id"]: each for each in containers}
        self._answers = SimpleNamespace(containers=lambda: rows, inspect=by_id.__getitem__, about=lambda: about)

    @contextmanager
    def asking(self) -> Iterator[Any]:
        """Return what stands for the client."""
        yield self._answers


@contextmanager
def answering(
    path: Path, *parts: bytes, pause: float = 0.0, version: str = "1.41", limit: float = 5
) -> Iterator[EngineClient]:
    """Return a client of a server that answers one request with these parts, a pause in seconds after each."""
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


@contextmanager
def an_engine_of(containers: int, pause: float) -> Iterator[str]:
    """Serve so many containers of one project, each described after a pause in seconds; return the address."""
    labels = {PROJECT_LABEL: "ordinaut", SERVICE_LABEL: "worker"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.split("/")[-2]
            document: Any = {"ApiVersion": "1.41", **container(name, "ordinaut", "worker")}
            if self.path.split("?")[0].endswith("/containers/json"):
                document = [{"Id": f"c{number}", "Labels": labels} for number in range(containers)]
            elif self.path.endswith("/json"):
                time.sleep(pause)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"tcp://127.0.0.1:{server.server_port}"
        server.shutdown()
