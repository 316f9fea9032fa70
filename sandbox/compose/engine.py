"""The Docker engine and the compose command that the sandbox uses."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import psutil
import requests
from docker.errors import DockerException

from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docker import DockerClient

HERE = Path(__file__).resolve().parent
PATIENCE = 60  # seconds for one call, including the grace period of a container that is stopped


def address() -> str:
    """Return the engine's address, which the client reads from the environment."""
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


def connect(seconds: int = PATIENCE) -> DockerClient:
    """Return a client of the engine in DOCKER_HOST, or of the local one; SandboxError where it does not answer."""
    try:
        client = docker.from_env(timeout=seconds)
        client.ping()
    except (DockerException, requests.RequestException) as error:
        raise SandboxError(f"no Docker engine answers (`.ci/docker start` starts one, as root): {error}") from error
    return client


def answers(seconds: int = 1) -> bool:
    """Return whether the engine answers within `seconds`."""
    try:
        return bool(docker.from_env(timeout=seconds).ping())
    except (DockerException, requests.RequestException):
        return False


def daemon() -> psutil.Process:
    """Return the process of the engine, which must be one of this machine."""
    if not address().startswith("unix:"):
        raise SandboxError(f"the engine at {address()} is not a process of this machine")
    found = [each for each in psutil.process_iter(["name"]) if each.info["name"] == "dockerd"]
    if len(found) != 1:
        raise SandboxError(f"{len(found)} processes are called dockerd: cannot choose the one to suspend")
    return found[0]


def compose_command() -> list[str]:
    """Return `docker compose`; where only v1 is installed, install a plugin that calls it."""
    try:
        said = subprocess.run([HERE / "plugin"], capture_output=True, text=True, check=True)  # noqa: S603  our own
    except (OSError, subprocess.CalledProcessError) as error:
        raise SandboxError(f"the compose plugin could not be installed: {error}") from error
    if said.stdout.strip():
        print(said.stdout.strip(), flush=True)
    return ["docker", "compose"]


def run(command: Sequence[str], folder: Path | None = None) -> str:
    """Return the output of a command; SandboxError with its last three lines where it fails."""
    try:
        done = subprocess.run(  # noqa: S603  our own
            command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise SandboxError(f"{command[0]} is not installed") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise SandboxError(f"`{' '.join(command[:4])} …` failed: {' / '.join(said) or 'no output'}")
    return done.stdout
