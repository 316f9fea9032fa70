"""The compose form of the sandbox: the services are containers of one compose project."""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import tarfile
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import APIError, NotFound

from sandbox import backups, processes
from sandbox.compose import engine, image
from sandbox.polling import not_yet, require, until
from sandbox.servers import DATABASE, ROLE, SandboxError
from sandbox.stack import PORTS, Stack
from sandbox.state import State, write_private
from sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from docker import DockerClient
    from docker.models.containers import Container

    from sandbox.service import Condition

    Filters = dict[str, str | list[str] | bool]

HERE = Path(__file__).resolve().parent
PROJECT = "ordinaut-sandbox"
PROJECT_LABEL, SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
OURS = "ordinaut.sandbox"  # the label of everything that belongs to a sandbox; its value is the project
WORKERS = 2
FILE, OVERRIDE = "compose.yaml", "compose.override.yaml"
DATA = "/var/lib/postgresql/data"
START = 30.0
OVERRIDES = "override "  # prefix of the notes about changes to compose.yaml


class ContainerService(ABC):
    """A service that is one container."""

    def __init__(self, stack: ComposeStack, name: str) -> None:
        self.name = name
        self._stack = stack

    @property
    @abstractmethod
    def container(self) -> Container | None:
        """Its container in whatever state; None where there is none."""

    def there(self) -> Container:
        """Return its container; SandboxError where there is none."""
        container = self.container
        if container is None:
            raise SandboxError(f"{self.name} has no container")
        return container

    def remove(self) -> None:
        """Remove its container; volumes stay."""
        if container := self.container:
            container.remove(force=True)

    def freeze(self) -> None:
        """Suspend all of its processes."""
        self.there().pause()

    def thaw(self) -> None:
        """Resume its processes."""
        container = self.container
        if container and container.status == "paused":
            container.unpause()

    def condition(self) -> Condition:
        """Return whether it runs."""
        container = self.container
        conditions: dict[str, Condition] = {"running": "running", "paused": "frozen"}
        return conditions.get(container.status, "stopped") if container else "stopped"

    @property
    def pid(self) -> int | None:
        """The pid of its first process on the engine's host; None where it does not run."""
        container = self.container
        return container.attrs["State"]["Pid"] or None if container else None


class ComposeService(ContainerService):
    """A service of the compose project, or one of its replicas."""

    def __init__(
        self, stack: ComposeStack, name: str, ready: Callable[[], object], *, service: str = "", index: int = 0
    ) -> None:
        super().__init__(stack, name)
        self.service = service or name
        self._index = index
        self._ready = ready

    @property
    def container(self) -> Container | None:
        """Its container in whatever state; None where there is none."""
        found = self._stack.containers(self.service)
        return found[self._index] if self._index < len(found) else None

    def start(self) -> None:
        """Start it, in a new container where it has none, and return when it serves."""
        container = self.container
        if container is None:
            self._stack.compose("up", "--detach", "--no-deps", "--no-recreate", self.service)
        elif container.status == "paused":
            container.unpause()
        elif container.status == "restarting":
            container.restart()
        elif container.status != "running":
            container.start()
        self.wait_ready()

    def wait_ready(self, seconds: float = START) -> None:
        """Wait until it serves; SandboxError at once where it ends instead."""

        def check() -> None:
            container = self.there()
            if container.status in ("exited", "restarting", "dead"):
                raise SandboxError(f"{self.name} ended at its start: see `docker logs {container.name}`")
            self._ready()

        until(check, seconds, every=0.1)

    def renew(self) -> None:
        """Make a new container of it from the current compose.yaml, and return when it serves."""
        self._stack.recreate(self.service)
        self.wait_ready()

    def stop(self) -> None:
        """End it, by force after its grace period; the engine does not start it again."""
        self.thaw()
        if container := self.container:
            container.stop()


class ComposeWorker(ComposeService):
    """A worker; every start makes a new id, which the worker logs."""

    def __init__(self, stack: ComposeStack, number: int) -> None:
        super().__init__(
            stack,
            f"worker-{number}",
            lambda: stack.require_heartbeat(self.worker_id),
            service="worker",
            index=number - 1,  # not the number of the container, which may be any
        )

    @property
    def worker_id(self) -> str:
        """Its id in worker_heartbeat."""
        logged = re.findall(r"worker (worker-\S+) started", self.there().logs().decode())
        require(logged, f"{self.name} has not logged its id")
        return str(logged[-1])


class ComposePostgres(ComposeService):
    """The database server."""

    def start_held_up(self) -> None:
        """Start it so that it stays in recovery."""
        container = self.there()
        users = self._stack.tell(container, "id", "-u", "postgres") if container.status == "running" else b""
        container.stop()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name in ("held-up", "recovery.signal"):
                entry = tarfile.TarInfo(name)
                entry.uid = entry.gid = int(users or 0)
                entry.mode = 0o666
                tar.addfile(entry)
        container.put_archive(DATA, archive.getvalue())
        container.start()

    def release(self) -> None:
        """Let a held-up start finish."""
        self._stack.tell(self.there(), "rm", "-f", f"{DATA}/held-up")
        self.start()

    def stop(self) -> None:
        """End it; release a held-up start first, which would block the next one."""
        self.thaw()
        container = self.container
        if container and container.status == "running":
            self._stack.tell(container, "rm", "-f", f"{DATA}/held-up")
        super().stop()


class ComposeClient(ContainerService):
    """A client in a container of its own, on the stack's network but not of its project."""

    def __init__(self, stack: ComposeStack, name: str, command: Sequence[str]) -> None:
        super().__init__(stack, name)
        self._command = command

    @property
    def container(self) -> Container | None:
        """Its container in whatever state; None where there is none."""
        return self._stack.found(self.name)

    def start(self) -> None:
        """Start it unless it runs."""
        if self.condition() == "stopped":
            self.stop()
            self._stack.helper(
                self.name, ["python3", "-m", *self._command], network=self._stack.network,
                environment={"DATABASE_URL": f"postgresql://{ROLE}:{self._stack.password}@postgres:5432/{DATABASE}"},
            )  # fmt: skip

    def stop(self) -> None:
        """Remove it."""
        self.remove()


class ComposeStack(Stack):
    """A whole Ordinaut as a compose project, whose compose.yaml is in its folder."""

    administrator = "sandbox"  # not the role of the services, whose password faults change

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.project = state.project
        self.network = f"{self.project}_default"
        self.postgres: ComposePostgres = ComposePostgres(self, "postgres", self._require_database)
        self.redis: ComposeService = ComposeService(self, "redis", self._require_redis)
        self.api: ComposeService = ComposeService(self, "api", self._require_api)
        self.scheduler: ComposeService = ComposeService(self, "scheduler", self._require_jobs)
        self.workers: list[ComposeWorker] = [ComposeWorker(self, number) for number in range(1, WORKERS + 1)]
        self.services: list[ComposeService] = [self.postgres, self.redis, self.api, self.scheduler, *self.workers]

    @classmethod
    def up(cls, folder: Path, project: str = PROJECT, seconds: float = 60) -> ComposeStack:
        """Make a new sandbox and return when it is healthy; SandboxError where that fails, with nothing left behind."""
        folder = folder.resolve()
        if folder.exists() and any(folder.iterdir()):
            raise SandboxError(f"{folder} is not empty: `python -m sandbox down`, or choose another folder")
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", project):
            raise SandboxError(f"{project!r} is no name for a compose project: a-z, 0-9, - and _")
        client = engine.connect()
        if client.containers.list(all=True, filters={"label": f"{PROJECT_LABEL}={project}"}):
            raise SandboxError(f"the engine has a project {project} already: choose another one with --project")
        tag = image.ensure(client)
        folder.mkdir(parents=True, exist_ok=True)
        ports = dict(zip(PORTS, processes.free_ports(len(PORTS)), strict=True))
        state = State(folder, form="compose", project=project, password=secrets.token_urlsafe(18), ports=ports)
        stack = cls(state)
        return stack._make(lambda: stack._fill(tag), seconds)

    def _fill(self, tag: str) -> None:
        for path in (self.switches, self.folder / "backups"):
            path.mkdir()  # otherwise compose makes them as root
        Switches().save(self.switches)
        shutil.copy(HERE / FILE, self.folder / FILE)
        ports = {f"{service.upper()}_PORT": port for service, port in self.state.ports.items()}
        values = {
            "COMPOSE_PROJECT_NAME": self.project, "SANDBOX_IMAGE": tag, "POSTGRES_PASSWORD": self.password, **ports
        }  # fmt: skip
        write_private(self.folder / ".env", "".join(f"{name}={value}\n" for name, value in values.items()))
        self.compose("up", "--detach", "postgres", "redis", "api")
        self.postgres.wait_ready()
        self.sql((HERE.parent / "schema.sql").read_text() + (HERE.parent / "seed.sql").read_text())
        self.compose("up", "--detach", "--no-recreate")  # after the seed: the scheduler loads the tasks only once
        self.redis.wait_ready()
        self.write_target()
        backups.make(self)

    def _end(self) -> None:
        if "docker-stopped" in self.state.broken:
            engine.daemon().resume()
        remove_project(self.docker, self.project)

    # -- the engine

    @cached_property
    def docker(self) -> DockerClient:
        """The engine's client, made when it is needed: a fault suspends the engine."""
        return engine.connect()

    @cached_property
    def _compose(self) -> list[str]:
        return engine.compose_command()

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` in the folder of the project and return its output."""
        return engine.run([*self._compose, *arguments], self.folder)

    def containers(self, service: str) -> list[Container]:
        """Return all containers of a service in whatever state, by number."""
        only: Filters = {"label": [f"{PROJECT_LABEL}={self.project}", f"{SERVICE_LABEL}={service}"]}
        found = self.docker.containers.list(all=True, filters=only, ignore_removed=True)
        return sorted(found, key=lambda container: int(container.labels[NUMBER_LABEL]))

    @staticmethod
    def tell(container: Container, *command: str) -> bytes:
        """Run a command in a container and return its output; SandboxError where it fails."""
        said: Any = container.exec_run([*command], demux=True)  # the stubs do not know demux
        status, (output, complaint) = said
        if status != 0:
            raise SandboxError(f"`{' '.join(command)}` failed in {container.name}: {(complaint or b'').decode()}")
        return bytes(output or b"")

    def override(self, name: str, change: dict[str, Any] | None) -> None:
        """Override parts of compose.yaml for the fault of that name, or undo that; nothing is restarted."""
        self.note(OVERRIDES + name, json.dumps(change) if change else None)
        changes = [json.loads(text) for key, text in self.state.notes.items() if key.startswith(OVERRIDES)]
        path = self.folder / OVERRIDE
        if changes:
            whole: dict[str, Any] = {}
            for each in changes:
                for section, entries in each.items():
                    whole.setdefault(section, {}).update(entries)
            path.write_text(json.dumps(whole, indent=1) + "\n")  # JSON is YAML
        else:
            path.unlink(missing_ok=True)

    def recreate(self, *services: str) -> None:
        """Make new containers of these services from the current compose.yaml."""
        self.compose("up", "--detach", "--no-deps", "--force-recreate", *services)

    def helper(self, name: str, command: Sequence[str], **options: Any) -> Container:
        """Start a container that belongs to the sandbox but not to the judged project."""
        tag = self.postgres.there().attrs["Config"]["Image"]  # every service has the same
        return self.docker.containers.run(
            tag, [*command], name=f"{self.project}-{name}", labels={OURS: self.project}, detach=True, **options
        )

    def found(self, name: str) -> Container | None:
        """Return the helper of that name; None where there is none."""
        try:
            return self.docker.containers.get(f"{self.project}-{name}")
        except NotFound:
            return None

    def client(self, name: str, module: str = "", *arguments: str) -> ComposeClient:
        """Return the client process of that name; it runs the module of `sandbox.services` with these arguments."""
        return ComposeClient(self, f"client-{name}", [f"sandbox.services.{module}", *arguments])

    # -- access

    def dump(self) -> bytes:
        """Return the database as pg_dump writes it."""
        return self.tell(self.postgres.there(), "pg_dump", "--username", ROLE, DATABASE)

    def rdb(self) -> bytes:
        """Return the data of Redis as an RDB file."""
        with self.redis_client(timeout=30) as client:  # saving waits for the disk
            client.save()
        return self.tell(self.redis.there(), "cat", "/data/dump.rdb")

    @property
    def switches(self) -> Path:
        """The folder in which the stand-in services find their switches, the only one that the containers mount."""
        return self.folder / "switches"

    def log(self, service: str) -> Path:
        """Write the engine's logs of a service into a file and return its path."""
        path = self.folder / "logs" / f"{service}.log"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(container.logs() for container in self.containers(service)))
        return path

    def _settings(self) -> tuple[dict[str, str], dict[str, dict[str, Path]]]:
        """Return settings that the checker discovers by itself where this project is the only one."""
        return {"name": self.project, "project": self.project, "docker": engine.address()}, {}

    # -- health

    def require_healthy(self) -> None:
        """Raise NotYet unless every part works and reports so, and every service has exactly its containers."""
        for service in ("postgres", "redis", "api", "scheduler", "worker"):
            _require_whole(service, self.containers(service), WORKERS if service == "worker" else 1)
        with not_yet("a container was removed between two requests", SandboxError, APIError):
            super().require_healthy()


def _require_whole(service: str, containers: list[Container], number: int) -> None:
    require(len(containers) == number, f"{service} has {len(containers)} containers, not {number}")
    for each in containers:
        health = each.attrs["State"].get("Health", {}).get("Status")
        require(health != "unhealthy", f"{each.name} fails its own health check")


def remove_project(client: DockerClient, project: str) -> None:
    """Remove the containers, networks and volumes of a sandbox, which are found by their labels.

    Repeated until none is found, since the engine completes the requests of an interrupted command.
    """

    def require_none() -> None:
        with not_yet(f"not all of {project} can be removed", APIError):  # one is just being made or removed
            removed = _removed(client, project)
        require(not removed, f"{removed} containers, networks and volumes of {project} existed")

    until(require_none, 60, every=0.3)


def _removed(client: DockerClient, project: str) -> int:
    """Remove what exists now and return how many things that were."""
    ours: list[Filters] = [{"label": f"{label}={project}"} for label in (PROJECT_LABEL, OURS)]
    containers = [one for only in ours for one in client.containers.list(all=True, filters=only)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(_remove, containers))
    networks = [one for only in ours for one in client.networks.list(filters=only)]
    for network in networks:
        network.reload()
        for left in network.attrs["Containers"].values():  # of a container that was removed during a restart
            network.disconnect(left["Name"], force=True)
        network.remove()
    volumes = [one for only in ours for one in client.volumes.list(filters=only)]
    for volume in volumes:
        volume.remove(force=True)
    return len(containers) + len(networks) + len(volumes)


def _remove(container: Container) -> None:
    with suppress(NotFound):  # already removed
        container.remove(force=True)
