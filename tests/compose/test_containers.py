"""Facts about containers, read from real small ones of a project of their own, each in another state."""

from __future__ import annotations

import os
import re
import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from docker.errors import APIError

from fixtures.clients.compose import PROJECT_LABEL, SERVICE_LABEL
from fixtures.clients.docker import LOG_BYTES, LOG_LINES
from fixtures.platform.containers import Containers, EngineAnswer, container_usage, engine_answer
from fixtures.platform.logs import LINE_CAP, RECENT, LogTail, worker_log
from fixtures.settings import Settings
from playbook.evidence import Unknown
from playbook.quantities import Share, listed
from sandbox.compose import engine, image
from sandbox.polling import NotYet, require, until
from tests.compose.conftest import FACTS
from tests.targets import engine_at, target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient
    from docker.models.containers import Container

    from fixtures.target import Target

    Run = Callable[..., Container]

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("engine_answers")]

SECRET = "s3cret-of-the-redis"
LOGGED = f"""
import sys
print("2026-03-04 12:00:00 INFO a line of text")
print('{{"timestamp": "2026-03-04T12:00:01Z", "level": "error", "message": "a line of JSON"}}', file=sys.stderr)
sys.stdout.flush()
sys.stdout.buffer.write(b"ERROR \\xff\\xfe is not text, redis://:{SECRET}@redis:6379/0\\n")
print("ERROR " + "x" * 40_000)
"""


@pytest.fixture(scope="module")
def client(engine_answers: None) -> DockerClient:  # noqa: ARG001  it comes first
    return engine.connect()


@pytest.fixture
def run(client: DockerClient) -> Iterator[Run]:
    """Return a function that creates a container of a service, and does not start it."""
    tag = image.ensure(client)
    made: list[Container] = []

    def make(service: str, *command: str, **options: Any) -> Container:
        labels = {PROJECT_LABEL: FACTS, SERVICE_LABEL: service}
        name = f"{FACTS}-{service}-{len(made) + 1}"
        made.append(client.containers.create(tag, [*command], name=name, labels=labels, **options))
        return made[-1]

    yield make
    for container in made:
        container.remove(force=True)


def target() -> Target:
    return target_of(Settings(), engine_at(engine.address(), FACTS), SECRET)


def containers() -> Containers:
    """Return the containers as they are now."""
    answer: EngineAnswer = engine_answer.probe.read(target())
    assert answer.containers is not None, answer
    return answer.containers


def worker_lines() -> LogTail:
    """Return the end of the workers' log as it is now."""
    found: LogTail = worker_log.probe.read(target())
    return found


def ended(container: Container) -> None:
    """Wait until it has ended."""
    container.wait(timeout=10)


def test_each_state_is_distinguished(run: Run) -> None:
    run("postgres", "true")
    ended_badly = run("redis", "sh", "-c", "exit 3")
    paused = run("scheduler", "sleep", "60")
    looping = run("worker", "sh", "-c", "exit 4", restart_policy={"Name": "always"})
    for container in (ended_badly, paused, looping):
        container.start()
    paused.pause()
    ended(ended_badly)

    def restarted() -> Containers:
        found = containers()
        require(found.failing_at_start("worker"), "it is not restarted now")
        require(all(one.status == "restarting" for one in found.of("worker")), "it runs for a moment")
        return found

    seen = until(restarted, 30)
    assert listed(seen.not_started("postgres")) == f"{FACTS}-postgres-1 is created"
    (crashed,) = seen.crashed("redis")
    assert (crashed.status, crashed.exit_code, crashed.oom_killed) == ("exited", 3, False)
    assert crashed.ended_at is not None
    assert datetime.now(UTC) - crashed.ended_at < timedelta(seconds=30)
    assert [container.name for container in seen.paused("scheduler")] == [f"{FACTS}-scheduler-3"]
    (failing,) = seen.of("worker")
    assert failing.restarts >= 1
    assert "with exit code 4 since 20" in str(failing)
    assert " since it was created 20" in str(failing)
    assert seen.missing("api") == f"project {FACTS} has no container of the service api"


def test_memory_near_its_limit_is_seen(run: Run) -> None:
    run("api", "python3", "-c", "x = b'x' * (58 << 20); import time; time.sleep(60)", mem_limit="64m").start()
    run("worker", "sleep", "60", mem_limit="64m").start()

    def near() -> list[str]:
        try:
            found = container_usage.probe.read(target()).near_limit(Share(0.85))
        except Unknown as error:
            raise NotYet(str(error)) from error
        require(found, "it has not grown yet")
        return [usage.container for usage in found]

    assert until(near, 30) == [f"{FACTS}-api-1"]


def refused(container: Container) -> None:
    with pytest.raises(APIError, match=r"in use|already allocated"):
        container.start()


def test_a_container_that_holds_a_port_is_named(run: Run, client: DockerClient) -> None:
    ports: Any = {"8080/tcp": ("127.0.0.1", None)}  # typed without the port that the engine chooses
    holder = client.containers.run(image.ensure(client), ["sleep", "60"], ports=ports, detach=True)
    try:
        holder.reload()
        port = int(holder.attrs["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"])
        refused(run("api", "true", ports={"8080/tcp": ("127.0.0.1", port)}))
        seen = containers()
        assert [container.service for container in seen.without_port("api")] == ["api"]
        assert seen.port_holders == (f"port {port} is held by the container {holder.name}",)
    finally:
        holder.remove(force=True)


def test_a_process_that_holds_a_port_is_named(run: Run) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        refused(run("api", "true", ports={"8080/tcp": ("127.0.0.1", port)}))
        holders = listed(containers().port_holders)
        assert re.fullmatch(rf"port {port} is held by \S+ \(pid {os.getpid()}\)", holders)


def test_the_last_lines_of_all_replicas_are_read(run: Run) -> None:
    logs = [run("worker", "python3", "-c", LOGGED), run("worker", "seq", "-f", "INFO %.0f", "1000")]
    for container in logs:
        container.start()
        ended(container)
    text = target().engine.log("worker", RECENT)
    assert len(text.encode()) < 2 * LOG_BYTES
    lines = text.split("\n")
    assert lines == sorted(lines)
    assert len(lines) <= 2 * LOG_LINES
    seen = worker_lines()
    assert len(seen.lines) == LOG_LINES
    assert seen.lines[-1].text == "INFO 1000"


def test_lines_are_decoded_classified_and_masked(run: Run) -> None:
    container = run("worker", "python3", "-c", LOGGED)
    container.start()
    ended(container)
    errors = sorted(line.text for line in worker_lines().errors(RECENT))
    assert errors[-1] == "a line of JSON"
    assert errors[-2].startswith("ERROR \ufffd\ufffd is not text")
    assert SECRET not in "".join(errors)
    assert max(map(len, errors)) <= LINE_CAP


def test_a_long_log_is_cut(run: Run) -> None:
    container = run("worker", "python3", "-c", "for n in range(40): print(n, 'x' * 15_000)")
    container.start()
    ended(container)
    text = target().engine.log("worker", RECENT)
    assert LOG_BYTES // 2 < len(text) <= LOG_BYTES
    assert text.split("\n")[-1].split(" ")[1] == "39"
