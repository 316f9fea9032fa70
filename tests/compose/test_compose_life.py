"""Up, status, down in containers: as compose would make them, and with nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.__main__ import main
from sandbox.compose import engine
from sandbox.compose.faults import OWN
from sandbox.compose.stack import OURS, PROJECT_LABEL, SERVICE_LABEL, ComposeStack
from sandbox.embedded import REPOSITORY
from sandbox.polling import require, until
from sandbox.servers import SandboxError
from sandbox.state import State
from tests.compose.conftest import LIFE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Filters = dict[str, str | list[str] | bool]
SERVICES = ["postgres", "redis", "api", "scheduler", "worker", "worker"]

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("engine_answers")]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a place for a sandbox, which is ended if a test fails to."""
    place = tmp_path / "sandbox"
    yield place
    main(["down", "--dir", str(place)])


def of(project: str) -> list[str]:
    """Return what the engine has of a project: containers, volumes, networks."""
    client = engine.connect()
    found: list[str] = []
    for label in (PROJECT_LABEL, OURS):
        only: Filters = {"label": f"{label}={project}"}
        found += [str(each.name) for each in client.containers.list(all=True, filters=only)]
        found += [str(each.name) for each in client.volumes.list(filters=only)]
        found += [str(each.name) for each in client.networks.list(filters=only)]
    return found


def require_nothing_left(folder: Path) -> None:
    """Raise NotYet while there is anything of the sandbox."""
    require(not of(LIFE), f"still there: {of(LIFE)}")
    require(not folder.exists(), f"{folder} is still there")


def inspected(stack: ComposeStack, service: str) -> dict[str, Any]:
    """Return what the engine says of a service's first container."""
    return stack.containers(service)[0].attrs


def test_containers_are_as_compose_makes_them(running: ComposeStack) -> None:
    only: Filters = {"label": f"{PROJECT_LABEL}={running.project}"}
    found = running.docker.containers.list(all=True, filters=only)
    assert sorted(each.labels[SERVICE_LABEL] for each in found) == sorted(SERVICES)
    for each in found:
        assert each.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
        assert list(each.attrs["NetworkSettings"]["Networks"]) == [f"{running.project}_default"]
    for service in ("postgres", "redis", "api"):
        assert "Health" in inspected(running, service)["State"]


def test_services_have_the_environment_of_the_real_ones(running: ComposeStack) -> None:
    for service in ("api", "scheduler", "worker"):
        variables = dict(pair.split("=", 1) for pair in inspected(running, service)["Config"]["Env"])
        password = running.password
        assert variables["DATABASE_URL"] == f"postgresql+psycopg://orchestrator:{password}@postgres:5432/orchestrator"
        assert variables["REDIS_URL"] == "redis://redis:6379/0"
        assert variables["TZ"] == "Europe/Chisinau"


def test_ports_are_published_on_this_machine_alone(running: ComposeStack) -> None:
    for service, port in {"postgres": 5432, "redis": 6379, "api": 8080}.items():
        published = inspected(running, service)["NetworkSettings"]["Ports"][f"{port}/tcp"]
        assert published == [{"HostIp": "127.0.0.1", "HostPort": str(running.state.ports[service])}]
    for service in ("scheduler", "worker"):
        assert not inspected(running, service)["NetworkSettings"]["Ports"]


def test_the_servers_are_as_the_real_ones(running: ComposeStack) -> None:
    ((superuser,),) = running.sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'orchestrator'")
    assert superuser
    extensions = {name for (name,) in running.sql("SELECT extname FROM pg_extension")}
    assert {"pg_stat_statements", "pgcrypto", "uuid-ossp"} <= extensions
    assert running.sql("SELECT calls FROM pg_stat_statements LIMIT 1")
    with running.redis_client() as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_a_worker_tells_its_container(running: ComposeStack) -> None:
    for worker in running.workers:
        ((hostname,),) = running.sql("SELECT hostname FROM worker_heartbeat WHERE worker_id = %s", (worker.worker_id,))
        assert str(worker.there().id).startswith(hostname)


def test_compose_commands_work_in_its_folder(running: ComposeStack) -> None:
    assert len(running.compose("ps", "--quiet").split()) == len(SERVICES)
    running.compose("config", "--quiet")
    running.compose("restart", "api")
    until(running.require_healthy, 30)


def test_data_survives_new_containers(running: ComposeStack) -> None:
    runs = running.sql("SELECT count(*) FROM task_run")[0][0]
    with running.redis_client() as client:
        client.set("kept", "yes")
    running.compose("up", "--detach", "--no-deps", "--force-recreate", "postgres", "redis")
    until(running.require_healthy, 30)
    assert running.sql("SELECT count(*) FROM task_run")[0][0] >= runs
    with running.redis_client() as client:
        assert client.getdel("kept") == b"yes"


def test_a_project_that_is_there_is_not_taken(running: ComposeStack, folder: Path) -> None:
    with pytest.raises(SandboxError, match=f"has a project {running.project} already"):
        ComposeStack.up(folder, running.project)
    running.require_healthy()


@pytest.mark.parametrize("name", ["", "Upper", "two words", "-dash"])
def test_a_project_has_a_name_that_compose_takes(folder: Path, name: str) -> None:
    with pytest.raises(SandboxError, match="is no name for a compose project"):
        ComposeStack.up(folder, name)


def test_the_command_line_brings_it_up_and_down(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--dir", str(folder)]
    assert main(["up", "--compose", "--project", LIFE, *place]) == 0
    assert State.load(folder).form == "compose"
    assert main(["break", "api-paused", *place]) == 0
    assert main(["break", "api-removed-twice", *place]) == 1
    capsys.readouterr()
    assert main(["status", *place]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["postgres", "running"], ["redis", "running"], ["api", "frozen"], ["scheduler", "running"],
        ["worker-1", "running"], ["worker-2", "running"], ["faults:", "api-paused"],
    ]  # fmt: skip
    assert main(["up", "--compose", "--project", LIFE, *place]) == 1
    assert main(["heal", *place]) == 0
    assert main(["break", "api-port-taken", *place]) == 0
    stack = ComposeStack.load(folder)
    OWN["postgres-disk-full"].break_(stack)  # has a volume and a container of its own
    image = stack.api.there().image or ""
    on_its_network = stack.docker.containers.run(image, ["sleep", "60"], network=f"{LIFE}_default", detach=True)
    assert main(["down", *place]) == 0
    on_its_network.remove(force=True)
    require_nothing_left(folder)
    assert main(["down", *place]) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_up_leaves_nothing(folder: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "sandbox", "up", "--compose", "--project", LIFE, "--dir", str(folder)]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
        # A test run in the background of a script may have SIGINT ignored, which a child would inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as up:
        until(lambda: require(of(LIFE), "nothing is made yet"), 30)
        up.send_signal(number)
        assert up.wait(30) == 128 + number
    require_nothing_left(folder)


def test_the_settings_are_the_owners_alone(running: ComposeStack) -> None:
    for name in ("target.toml", "state.json", ".env"):
        assert (running.folder / name).stat().st_mode & 0o077 == 0


def test_a_switch_reaches_the_containers(running: ComposeStack) -> None:
    running.switch(api="error")
    try:
        seen = running.tell(running.api.there(), "cat", "/run/ordinaut/switches.json")
        assert json.loads(seen)["api"] == "error"
    finally:
        running.switch(api="")


def test_the_embedded_form_needs_no_engine() -> None:
    code = "import sys, sandbox.__main__, sandbox.faults; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_an_engine_that_answers_is_not_started_again() -> None:
    said = subprocess.run([REPOSITORY / ".ci" / "docker"], capture_output=True, text=True, check=True)
    assert said.stdout == "docker: an engine answers\n"
