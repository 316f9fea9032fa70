"""Discovery on a real engine without any settings, and through whatever stands before the engine."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sandbox.breaking import break_stack
from sandbox.compose.faults import FAULTS
from sandbox.compose.stack import OURS, PROJECT_LABEL, SERVICE_LABEL
from sandbox.polling import require, until
from tests.compose.conftest import SECOND, STACK
from tests.compose.proxy import Proxy
from tests.conftest import WITHOUT_ROOTS_RIGHTS, health_run
from tests.expectations import require_green
from tests.ssh import ssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.compose.stack import ComposeStack
    from tests.conftest import Judgement

ENGINE = "/var/run/docker.sock"
BY_HAND = {"postgres": "postgres", "redis": "redis", "api": "api", "worker": "worker", "scheduler": "ops_scheduler_1"}
SERVICES = ("postgres", "redis", "api")

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


@pytest.fixture
def our_engine(running: ComposeStack, tmp_path: Path) -> Iterator[str]:
    """The address of an engine that has only our containers: that of the machine may run another Ordinaut."""
    with Proxy(ENGINE, path=tmp_path / "ours.sock", label=f"{OURS}={running.project}").serving() as proxy:
        yield proxy.url


# Runs a program where the engine's socket is the one that is named first.
IN_PLACE_OF_THE_ENGINE = ("unshare", "--mount", "sh", "-c", f'mount --bind "$0" {ENGINE} && exec "$@"')


# -- nothing but an engine


@root
@pytest.mark.docker
def test_on_its_host_nothing_need_be_configured(sandbox: ComposeStack, our_engine: str, output: Path) -> None:
    ask = partial(health_run, output, under=(*IN_PLACE_OF_THE_ENGINE, our_engine.removeprefix("unix://")))
    require_green(ask("-m", "sev0"))
    seen = ask()
    require_green(seen)
    assert seen.results is not None
    assert len(seen.results["containers"]) == len(sandbox.services)
    written = [path for path in output.rglob("*") if path.is_file()]
    assert written
    for path in written:  # a secret of the containers' environment
        assert sandbox.password.encode() not in path.read_bytes(), path
    assert sandbox.password not in seen.output


@pytest.mark.docker
def test_the_target_is_shown_with_its_sources(sandbox: ComposeStack, our_engine: str, output: Path) -> None:
    shown = health_run(output, "--show-target", DOCKER_HOST=our_engine)
    assert shown.status == 0
    api = sandbox.containers("api")[0].name
    found = {line[:17].strip(): " ".join(line[17:].split()) for line in shown.output.splitlines()}
    assert found["api_url"] == f"http://127.0.0.1:{sandbox.state.ports['api']} {api}, published port"
    database = f"127.0.0.1:{sandbox.state.ports['postgres']}/orchestrator DATABASE_URL of {api}, published port"
    assert found["database_url"] == f"postgresql+psycopg://orchestrator:•••@{database}"
    assert found["project"] == f"{sandbox.project} containers at {our_engine}"
    assert found["timezone"] == "Europe/Chisinau TZ of the api's container"
    assert sandbox.password not in shown.output


@pytest.mark.docker
def test_the_report_says_what_changed_since_the_last_green_run(
    sandbox: ComposeStack, our_engine: str, output: Path
) -> None:
    require_green(health_run(output, DOCKER_HOST=our_engine))
    worker = sandbox.containers("worker")[0]
    worker.restart(timeout=3)
    until(sandbox.require_healthy, seconds=30)
    seen = health_run(output, DOCKER_HOST=our_engine)
    assert seen.results is not None
    (words,) = seen.results["changes"]["sentences"]
    assert words.startswith(f"{worker.name} was restarted at ")


@pytest.fixture(params=[True, False], ids=["published", "unpublished"])
def by_hand(sandbox: ComposeStack, request: pytest.FixtureRequest) -> Iterator[None]:
    """The same containers as compose made, without its labels and with names of somebody's own."""
    described = {service: sandbox.containers(service)[0].attrs for service in BY_HAND}
    ours = {OURS: STACK}
    sandbox.compose("down")
    network = sandbox.docker.networks.create("by-hand", labels=ours)
    try:
        for service, attributes in described.items():
            config = {**attributes["Config"], "Labels": ours, "HostConfig": attributes["HostConfig"]}
            config["HostConfig"]["NetworkMode"] = network.name
            if not request.param:  # their addresses on the network are what is left
                config["HostConfig"]["PortBindings"] = {}
            config["NetworkingConfig"] = {"EndpointsConfig": {network.name: {"Aliases": [service]}}}
            made: Any = sandbox.docker.api.create_container_from_config(config, name=BY_HAND[service])  # type: ignore[no-untyped-call]
            sandbox.docker.api.start(made["Id"])
        until(lambda: require(_is_healthy(sandbox), "the api is not healthy"), seconds=30)
        yield
    finally:
        for name in BY_HAND.values():
            sandbox.docker.containers.get(name).remove(force=True)
        network.remove()
        sandbox.compose("up", "--detach")
        until(sandbox.require_healthy, seconds=30)
        sandbox.sql("DELETE FROM worker_heartbeat")  # of the workers that are no more
        until(sandbox.require_healthy, seconds=30)


def _is_healthy(sandbox: ComposeStack) -> bool:
    container = sandbox.docker.containers.get(BY_HAND["api"])
    said: Any = container.exec_run(["curl", "--silent", "--max-time", "2", "http://localhost:8080/health"])
    return said.exit_code == 0 and bool(json.loads(said.output)["status"] == "healthy")


@pytest.mark.docker
@pytest.mark.usefixtures("by_hand")
def test_containers_made_by_hand_are_known_by_their_names(our_engine: str, output: Path) -> None:
    require_green(health_run(output, "-m", "sev0", DOCKER_HOST=our_engine))
    require_green(health_run(output, DOCKER_HOST=our_engine))


# -- several projects


@pytest.fixture
def second_project(sandbox: ComposeStack) -> Iterator[str]:
    """Containers, never started, that look like another Ordinaut, named as compose v1 does."""
    image = sandbox.containers("api")[0].attrs["Image"]
    made = []
    try:
        for service in SERVICES:
            labels = {PROJECT_LABEL: SECOND, SERVICE_LABEL: service, OURS: sandbox.project}
            made.append(sandbox.docker.containers.create(image, "true", name=f"{SECOND}_{service}_1", labels=labels))
        yield SECOND
    finally:
        for container in made:
            container.remove(force=True)


@pytest.mark.docker
def test_of_several_projects_one_must_be_chosen(
    sandbox: ComposeStack, second_project: str, our_engine: str, output: Path
) -> None:
    seen = health_run(output, "-m", "sev0", DOCKER_HOST=our_engine)
    assert seen.status == 4
    names = ", ".join(sorted((sandbox.project, second_project)))
    assert f"several projects look like Ordinaut: {names}; choose with --project NAME" in seen.output
    require_green(health_run(output, "-m", "sev0", f"--project={sandbox.project}"))
    other = health_run(output, "-m", "sev0", f"--project={second_project}")
    missing = next(check for check in other.alert("NoActiveWorkers")["checks"] if check["outcome"] == "noted")
    assert "no container of the service worker" in missing["message"]  # removed is not skipped


# -- reads only


@pytest.mark.docker
@pytest.mark.parametrize("broken", [False, True], ids=["healthy", "broken"])  # a second wave asks for more
def test_a_proxy_that_refuses_all_but_get_is_enough(
    sandbox: ComposeStack, broken: bool, output: Path, tmp_path: Path
) -> None:
    if broken:
        break_stack(sandbox, FAULTS["workers-stopped"])
    with Proxy(ENGINE, path=tmp_path / "proxy.sock").serving() as proxy:
        seen = health_run(output, f"--project={sandbox.project}", DOCKER_HOST=proxy.url)
    assert proxy.refused == []
    paths = " ".join(path for _, path in proxy.asked)
    assert "/json" in paths
    assert "/logs" in paths
    if broken:
        assert seen.in_state("firing") == {"NoActiveWorkers"}
        assert seen.alert("NoActiveWorkers")["causes"][0]["name"] == "containers-not-running"
        assert "/stats" in paths
        assert " error" not in seen.output, seen.output
    else:
        require_green(seen)


@pytest.mark.docker
def test_what_takes_space_is_asked_by_get_too(sandbox: ComposeStack, output: Path, tmp_path: Path) -> None:
    settings = tmp_path / "ordinaut.toml"
    with Proxy(ENGINE, path=tmp_path / "proxy.sock").serving() as proxy:
        settings.write_text(
            f"docker = '{proxy.url}'\nproject = '{sandbox.project}'\n[limits.DiskSpaceCritical]\nfree = '100 %'\n"
        )
        seen = health_run(output, f"--target={settings}", "-k", "disk_space")
    assert seen.in_state("firing") == {"DiskSpaceCritical"}
    assert "/system/df" in " ".join(path for _, path in proxy.asked)
    assert proxy.refused == []


@pytest.mark.docker
def test_the_proxy_does_refuse(sandbox: ComposeStack, tmp_path: Path) -> None:
    with Proxy(ENGINE, path=tmp_path / "proxy.sock").serving() as proxy:
        command = ["docker", "--host", proxy.url, "stop", sandbox.containers("api")[0].name or ""]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert proxy.refused[-1][0] == "POST"


# -- which engine


@pytest.mark.docker
def test_a_context_names_the_engine(sandbox: ComposeStack, output: Path, tmp_path: Path) -> None:
    with Proxy(ENGINE, path=tmp_path / "proxy.sock").serving() as proxy:
        (tmp_path / "config.json").write_text('{"currentContext": "ours"}')
        folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"ours").hexdigest()
        folder.mkdir(parents=True)
        endpoints = {"docker": {"Host": proxy.url, "SkipTLSVerify": False}}
        (folder / "meta.json").write_text(json.dumps({"Name": "ours", "Metadata": {}, "Endpoints": endpoints}))
        seen = health_run(output, f"--project={sandbox.project}", "-m", "sev0", DOCKER_CONFIG=str(tmp_path))
    require_green(seen)
    assert proxy.asked


@root
@pytest.mark.docker
def test_without_permission_the_rest_is_judged(sandbox: ComposeStack, output: Path, tmp_path: Path) -> None:
    path = tmp_path / "proxy.sock"
    with Proxy(ENGINE, path=path).serving() as proxy:
        os.chown(path, 4711, 4711)
        path.chmod(0o600)
        ask = partial(health_run, under=WITHOUT_ROOTS_RIGHTS)
        named = ask(output / "named", f"--target={sandbox.folder / 'target.toml'}", f"--docker={proxy.url}")
        discovered = ask(output / "not found", DOCKER_HOST=proxy.url)
    for seen in (named, discovered):
        assert seen.status == 6, seen.output
        assert f"no permission on {proxy.url}: add this user to the group `docker`" in seen.output
    assert set(_states(named).values()) - {"skipped"} == {"ok"}  # it has no monitoring
    lines = discovered.output.splitlines()
    assert [line for line in lines if line.startswith("target: ordinaut, not found: no permission on")]
    assert _states(discovered)["OrchestratorAPIDown"] == "unknown"
    assert _states(discovered)["MemoryUsageCritical"] == "ok"


def _states(seen: Judgement) -> dict[str, str]:
    assert seen.results is not None
    return {alert["name"]: alert["state"] for alert in seen.results["alerts"]}


# -- an engine on another host


@pytest.mark.docker
def test_an_engine_by_tcp(sandbox: ComposeStack, output: Path) -> None:
    with Proxy(ENGINE).serving() as proxy:
        seen = health_run(output, f"--project={sandbox.project}", DOCKER_HOST=proxy.url)
    require_green(seen)
    assert proxy.refused == []
    disk = seen.alert("DiskSpaceCritical")  # this machine's disks are not the target's
    assert disk["state"] == "skipped"
    assert "name its host with --hosts" in disk["checks"][0]["message"]


@pytest.mark.docker
def test_an_engine_behind_tls(sandbox: ComposeStack, output: Path, tmp_path: Path) -> None:
    subprocess.run(
        [
            "openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1",
            "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    shutil.copy(tmp_path / "cert.pem", tmp_path / "ca.pem")  # it vouches for itself
    with Proxy(ENGINE, certificates=tmp_path).serving() as proxy:
        ask = partial(health_run, output, "-m", "sev0", f"--project={sandbox.project}", DOCKER_HOST=proxy.url)
        require_green(ask(DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path)))
        without = ask()
    assert without.status == 6, without.output
    assert f"the Docker engine at {proxy.url} cannot be asked" in without.output


@pytest.fixture
def other_host() -> Iterator[str]:
    """The address of a network namespace of its own, which is as far away as another machine."""
    name, address = f"ordinaut-{os.getpid()}", "10.213.77.2"
    for command in (
        f"ip netns add {name}",
        f"ip link add ord-{os.getpid()} type veth peer name eth0 netns {name}",
        f"ip addr add 10.213.77.1/30 dev ord-{os.getpid()}",
        f"ip link set ord-{os.getpid()} up",
        f"ip -n {name} addr add {address}/30 dev eth0",
        f"ip -n {name} link set eth0 up",
        f"ip -n {name} link set lo up",
    ):
        subprocess.run(command.split(), check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)


@root
@pytest.mark.docker
def test_an_engine_by_ssh_on_another_host(sandbox: ComposeStack, other_host: str, output: Path, tmp_path: Path) -> None:
    with ssh_server(tmp_path, "10.213.77.2", "ip", "netns", "exec", other_host) as config:
        arguments = (f"--ssh-config={config}", f"--project={sandbox.project}")
        seen = health_run(output, *arguments, "--hosts=ssh://other", DOCKER_HOST="ssh://other")
        # Its ports are published on the loopback there: unknown, not down.
        assert seen.status == 6, seen.output
        assert not seen.in_state("firing")
        assert "its address is not known" in seen.alert("OrchestratorAPIDown")["message"]
        outcomes = {check["cause"]: check["outcome"] for check in seen.alert("OrchestratorAPIDown")["checks"]}
        assert (outcomes["container-missing"], outcomes["container-paused"]) == ("ok", "ok")
        assert seen.alert("MemoryUsageCritical")["state"] == "ok"  # that host is asked by ssh as well
        elsewhere = health_run(output, *arguments, DOCKER_HOST="ssh://other")
        assert elsewhere.alert("MemoryUsageCritical")["state"] == "skipped"
    until(_no_tunnel_is_left)


def _no_tunnel_is_left() -> None:
    left = [each for each in psutil.process_iter() if "-L" in _line(each) and "ssh" in _line(each)]
    require(not left, f"{left}")


def _line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@root
@pytest.mark.docker
def test_a_host_that_is_frozen_costs_no_more_than_its_deadline(
    sandbox: ComposeStack, output: Path, tmp_path: Path
) -> None:
    with ssh_server(tmp_path) as config:
        server = next(each for each in psutil.process_iter() if str(tmp_path / "sshd_config") in _line(each))
        server.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        seen = health_run(
            output, f"--ssh-config={config}", f"--target={sandbox.folder / 'target.toml'}", "--docker=ssh://other"
        )
        took = time.monotonic() - began
        server.send_signal(signal.SIGCONT)
    assert seen.status == 6, seen.output
    assert "the engine's host did not answer within 2 s" in seen.output
    assert took < 20  # not for ever; how long is measured by `make bench`
