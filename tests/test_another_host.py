"""Host facts of another host come through ssh: the same checks, the same bounds."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Judge

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def ssh_config(tmp_path: Path) -> Iterator[Path]:
    """Run an ssh server of this user's own on a free port; give the client's settings for the host `other`."""
    if SSHD is None or shutil.which("ssh") is None:
        assert "CI" not in os.environ, "CI installs openssh-server and openssh-client"
        pytest.skip("needs an ssh server and client (Debian: openssh-server, openssh-client)")
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    port = _free_port()
    (tmp_path / "authorized_keys").write_text((tmp_path / "client.pub").read_text())
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\n"
        f"AuthorizedKeysFile {tmp_path}/authorized_keys\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    config = tmp_path / "ssh_config"
    config.write_text(
        f"Host other\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n"
        f"  IdentityFile {tmp_path}/client\n"
        "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd, as root, asks for it
    with subprocess.Popen([SSHD, "-D", "-e", "-f", str(tmp_path / "sshd_config")], stderr=subprocess.PIPE) as server:
        try:
            _wait_for(port, server)
            yield config
        finally:
            server.terminate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        assert server.poll() is None, server.stderr and server.stderr.read()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("sshd does not listen")


def test_host_facts_come_through_ssh(ssh_config: Path, judge: Judge) -> None:
    seen = judge("--hosts=ssh://other", f"--ssh-config={ssh_config}", "-k", "disk_space or memory_usage")
    assert seen.status == 0, seen.output
    evidence = [page for check in seen.alert("MemoryUsageCritical")["checks"] for page in check["evidence"]]
    assert {page["source"] for page in evidence if "meminfo" in page["command"]} == {"host ssh://other"}


def test_a_host_that_cannot_be_reached_is_unknown(tmp_path: Path, judge: Judge) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(f"Host other\n  HostName 127.0.0.1\n  Port {_free_port()}\n  BatchMode yes\n")
    seen = judge("--hosts=ssh://other", f"--ssh-config={config}", "-k", "memory_usage")
    assert seen.status == 6, seen.output
    assert "cannot be reached" in seen.alert("MemoryUsageCritical")["message"]


def test_several_hosts_are_wrong_usage(judge: Judge) -> None:
    seen = judge("--hosts=ssh://one,ssh://two")
    assert seen.status == 4
    assert "one host at a time" in seen.output
