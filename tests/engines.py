"""A Docker engine that is made up, for what real ones seldom are."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from fixtures.clients.docker import Engine
from fixtures.clients.masking import Masker
from fixtures.platform.containers import PROJECT_LABEL, SERVICE_LABEL
from fixtures.settings import Deadlines
from playbook.evidence import Cost

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE_URL = "postgresql+psycopg://orchestrator:secret@postgres:5432/orchestrator"


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
    """Give a running container as inspect shows it; `published` maps its ports to an address and port of the host."""
    labels = {PROJECT_LABEL: project, SERVICE_LABEL: service} if project else {}
    ports = {f"{port}/tcp": [{"HostIp": host, "HostPort": str(to)}] for port, (host, to) in (published or {}).items()}
    return {
        "Id": name, "Name": f"/{name}", "Image": image, "RestartCount": 0,
        "State": {"Status": "running", "ExitCode": 0, "OOMKilled": False} | state,
        "Config": {"Labels": labels, "Env": list(environment)},
        "NetworkSettings": {"Ports": ports, "Networks": {"net": {"IPAddress": address}}},
        "HostConfig": {"PortBindings": {}},
    }  # fmt: skip


class MadeUpEngine(Engine):
    """Answers from what it is given."""

    def __init__(self, *containers: dict[str, Any], url: str = "unix:///made/up.sock", **about: Any) -> None:
        super().__init__(url, None, Deadlines(), Masker(set()), Cost())
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
        """Give what stands for the client."""
        yield self._answers
