"""The compose form of the sandbox: the same services as containers of one compose project."""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import tarfile
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import APIError, NotFound

from sandbox import backups, processes
from sandbox.compose import engine, image
from sandbox.polling import NotYet, require, until
from sandbox.servers import DATABASE, ROLE, SandboxError
from sandbox.stack import PORTS, Stack
from sandbox.state import State, write_private
from sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from docker import DockerClient
    from docker.models.containers import Container

    from sandbox.service import Condition

    Filters = dict[str, str | list[str] | bool]

HERE = Path(__file__).resolve().parent
PROJECT = "ordinaut-sandbox"
PROJECT_LABEL, SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
OURS = "ordinaut.sandbox"  # the label of whatever belongs to a sandbox, compose's or not; its value is the project
WORKERS = 2
FILE, OVERRIDE = "compose.yaml", "compose.override.yaml"
DATA = "/var/lib/postgresql/data"
START = 30.0
OVERRIDES = "override "  # how the notes of changes to compose.yaml are called


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

    def stop(self) -> None:
        """End it, by force after its grace period; the engine does not start it again."""
        self.thaw()
        if container := self.container:
            container.stop()


class ComposeWorker(ComposeService):
    """A worker; each start gives it a new id, which it tells in its log."""

    def __init__(self, stack: ComposeStack, number: int) -> None:
        super().__init__(
            stack,
            f"worker-{number}",
            lambda: stack.require_heartbeat(self.worker_id),
            service="worker",
            index=number - 1,  # in order: one that is made anew may have any number
        )

    @property
    def worker_id(self) -> str:
        """Its id in worker_heartbeat."""
        told = re.findall(r"worker (worker-\S+) started", self.there().logs().decode())
        require(told, f"{self.name} has not told its id")
        return str(told[-1])


class ComposePostgres(ComposeService):
    """The database server."""

    def start_held_up(self) -> None:
        """Start it so that it stays in its recovery."""
        container = self.there()
        users = self._stack.tell(container, "id", "-u", "postgres") if container.status == "running" else ""
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
        """Let a held-up start come to its end."""
        self._stack.tell(self.there(), "rm", "-f", f"{DATA}/held-up")
        self.start()

    def stop(self) -> None:
        """Ask it to end; a start that was never released would hang the next one."""
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
    """A whole Ordinaut as a compose project, which its folder describes."""

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
        """Make a new sandbox and return when it is healthy; whatever goes wrong, nothing of it is left."""
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
            path.mkdir()  # before compose does, as root
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
        self.compose("up", "--detach", "--no-recreate")  # after the seed: the scheduler looks at the tasks but once
        self.redis.wait_ready()
        self.write_target()
        backups.make(self)

    def _end(self) -> None:
        if "docker-stopped" in self.state.broken:
            engine.resume()
        remove_project(self.docker, self.project)

    # -- the engine

    @cached_property
    def docker(self) -> DockerClient:
        """The engine's client: made when it is needed, since a fault is that the engine does not answer."""
        return engine.connect()

    @cached_property
    def _compose(self) -> list[str]:
        return engine.compose_command()

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` on the project, as one would in its folder."""
        return engine.run([*self._compose, *arguments], self.folder)

    def containers(self, service: str) -> list[Container]:
        """Return all containers of a service in order, whatever they do."""
        only: Filters = {"label": [f"{PROJECT_LABEL}={self.project}", f"{SERVICE_LABEL}={service}"]}
        found = self.docker.containers.list(all=True, filters=only, ignore_removed=True)
        return sorted(found, key=lambda container: int(container.labels[NUMBER_LABEL]))

    def tell(self, container: Container, *command: str) -> str:
        """Run a command in a container and return what it printed."""
        return self._output(container, command).decode()

    @staticmethod
    def _output(container: Container, command: Sequence[str]) -> bytes:
        said: Any = container.exec_run([*command], demux=True)  # typed as what it is without demux
        status, (output, complaint) = said
        if status != 0:
            raise SandboxError(f"`{' '.join(command)}` failed in {container.name}: {(complaint or b'').decode()}")
        return bytes(output or b"")

    def override(self, name: str, change: dict[str, Any] | None) -> None:
        """Change compose.yaml as the fault of that name needs it, or take its change back; nothing is restarted."""
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
        """Let compose make these services' containers as compose.yaml says now."""
        self.compose("up", "--detach", "--no-deps", "--force-recreate", *services)

    def helper(self, name: str, command: Sequence[str], **options: Any) -> Container:
        """Start a container that belongs to the sandbox, and not to the project that is judged."""
        tag = next(
            line.partition("=")[2]
            for line in (self.folder / ".env").read_text().splitlines()
            if line.startswith("SANDBOX_IMAGE=")
        )
        return self.docker.containers.run(
            tag, [*command], name=f"{self.project}-{name}", labels={OURS: self.project}, detach=True, **options
        )

    def found(self, name: str) -> Container | None:
        """Return a helper by its name; None where there is none."""
        try:
            return self.docker.containers.get(f"{self.project}-{name}")
        except NotFound:
            return None

    def client(self, name: str, module: str = "", *arguments: str) -> ComposeClient:
        """Return a client, found again by its name."""
        return ComposeClient(self, f"client-{name}", [f"sandbox.services.{module}", *arguments])

    # -- the ways in

    def dump(self) -> bytes:
        """Return what pg_dump writes of the database."""
        return self._output(self.postgres.there(), ["pg_dump", "--username", ROLE, DATABASE])

    def rdb(self) -> bytes:
        """Return what Redis saves of its data."""
        with self.redis_client(timeout=30) as client:  # it waits for the disk
            client.save()
        return self._output(self.redis.there(), ["cat", "/data/dump.rdb"])

    # -- what faults use besides

    @property
    def switches(self) -> Path:
        """The folder in which the stand-in services find their switches: the containers see this one alone."""
        return self.folder / "switches"

    def log(self, service: str) -> Path:
        """Write what the engine has of a service's log into a file, and return that."""
        path = self.folder / "logs" / f"{service}.log"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(container.logs() for container in self.containers(service)))
        return path

    def _settings(self) -> tuple[dict[str, str], dict[str, dict[str, Path]]]:
        """Return the checker's settings; it finds the same by itself where this project is the only one."""
        return {"name": self.project, "project": self.project, "docker": engine.address()}, {}

    # -- health

    def require_healthy(self) -> None:
        """Raise NotYet unless every part works and says so, and no container is more or less than there should be."""
        for service in ("postgres", "redis", "api", "scheduler", "worker"):
            _require_whole(service, self.containers(service), WORKERS if service == "worker" else 1)
        try:
            super().require_healthy()
        except (SandboxError, APIError) as error:  # a container that went between two questions
            raise NotYet(str(error)) from error


def _require_whole(service: str, containers: Iterable[Container], number: int) -> None:
    found = [*containers]
    require(len(found) == number, f"{service} has {len(found)} containers")
    for each in found:
        health = each.attrs["State"].get("Health", {}).get("Status")
        require(health != "unhealthy", f"{each.name} is unhealthy by its own health check")


def remove_project(client: DockerClient, project: str) -> None:
    """Remove what the engine has of a sandbox, by its labels: containers, networks, volumes.

    It is looked for until nothing is found: what an interrupted command asked for, the engine makes to the end.
    """

    def require_none() -> None:
        try:
            removed = _removed(client, project)
        except APIError as error:  # something of it is being made, or unmade, now
            raise NotYet(f"not all of {project} can be removed: {error}") from error
        require(not removed, f"{removed} containers, networks and volumes of {project} were there")

    until(require_none, 60, every=0.3)


def _removed(client: DockerClient, project: str) -> int:
    """Remove what is there now, and say how much that was."""
    ours: list[Filters] = [{"label": f"{label}={project}"} for label in (PROJECT_LABEL, OURS)]
    containers = [one for only in ours for one in client.containers.list(all=True, filters=only)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(_remove, containers))
    networks = [one for only in ours for one in client.networks.list(filters=only)]
    for network in networks:
        network.reload()
        for left in network.attrs["Containers"].values():  # of a container that went as it was being started again
            network.disconnect(left["Name"], force=True)
        network.remove()
    volumes = [one for only in ours for one in client.volumes.list(filters=only)]
    for volume in volumes:
        volume.remove(force=True)
    return len(containers) + len(networks) + len(volumes)


def _remove(container: Container) -> None:
    try:
        container.remove(force=True)
    except NotFound:
        return  # somebody else was quicker
