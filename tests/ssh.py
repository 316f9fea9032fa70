"""An ssh server that this user runs on a free port, and the client's settings for it."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.polling import NotYet, until
from sandbox.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")


@contextmanager
def ssh_server(folder: Path, address: str = "127.0.0.1", *within: str) -> Iterator[Path]:
    """Run an ssh server; return the path of the client's settings, in which its host is called `other`.

    `within` is a command that runs another one, as `ip netns exec NAME` does.
    """
    if SSHD is None or shutil.which("ssh") is None:
        assert "CI" not in os.environ, "CI installs openssh-server and openssh-client"
        pytest.skip("needs an ssh server and client (Debian: openssh-server, openssh-client)")
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = free_port()
    (folder / "authorized_keys").write_text((folder / "client.pub").read_text())
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress {address}\nHostKey {folder}/host\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    config = folder / "ssh_config"
    config.write_text(
        f"Host other\n  HostName {address}\n  Port {port}\n  User {getpass.getuser()}\n"
        f"  IdentityFile {folder}/client\n"
        "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd, as root, asks for it
    command = [*within, SSHD, "-D", "-e", "-f", str(folder / "sshd_config")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as server:
        try:
            until(lambda: _require_listening(address, port, server))
            yield config
        finally:
            server.terminate()


def _require_listening(address: str, port: int, server: subprocess.Popen[bytes]) -> None:
    assert server.poll() is None, server.stderr and server.stderr.read()
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError as error:
        raise NotYet(f"sshd does not listen: {error}") from error
