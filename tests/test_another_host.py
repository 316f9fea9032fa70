"""Host facts of another host come through ssh: the same checks, the same bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ssh import free_port, ssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Judge


@pytest.fixture
def ssh_config(tmp_path: Path) -> Iterator[Path]:
    """The client's settings for an ssh server that runs."""
    with ssh_server(tmp_path) as config:
        yield config


def test_host_facts_come_through_ssh(ssh_config: Path, judge: Judge) -> None:
    seen = judge("--hosts=ssh://other", f"--ssh-config={ssh_config}", "-k", "disk_space or memory_usage")
    assert seen.status == 0, seen.output
    evidence = [page for check in seen.alert("MemoryUsageCritical")["checks"] for page in check["evidence"]]
    assert {page["source"] for page in evidence if "meminfo" in page["command"]} == {"host ssh://other"}


def test_a_host_that_cannot_be_reached_is_unknown(tmp_path: Path, judge: Judge) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(f"Host other\n  HostName 127.0.0.1\n  Port {free_port()}\n  BatchMode yes\n")
    seen = judge("--hosts=ssh://other", f"--ssh-config={config}", "-k", "memory_usage")
    assert seen.status == 6, seen.output
    assert "cannot be reached" in seen.alert("MemoryUsageCritical")["message"]


def test_several_hosts_are_wrong_usage(judge: Judge) -> None:
    seen = judge("--hosts=ssh://one,ssh://two")
    assert seen.status == 4
    assert "one host at a time" in seen.output
