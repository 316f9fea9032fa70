"""Made-up Docker engines, for what real ones seldom are."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
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
