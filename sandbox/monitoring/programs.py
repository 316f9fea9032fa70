"""The programs that the monitoring needs, from Debian packages, and their commands."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "prometheus-postgres-exporter": "prometheus-postgres-exporter",
    "prometheus-redis-exporter": "prometheus-redis-exporter",
    "prometheus-node-exporter": "prometheus-node-exporter",
}
# Unlike the default, this includes overlays: in a container the root file system is one.
NO_FILE_SYSTEMS = "^(autofs|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|mqueue|nsfs|proc|securityfs|sysfs|tracefs)$"
# Below /tmp there are the small disks that tests fill, also those of other sandboxes.
NO_MOUNTS = "^/(dev|proc|run|sys|mnt|media|tmp|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)"
Command = list[str]


def require_all() -> None:
    """Raise SandboxError unless every program is installed."""
    missing = {package: None for program, package in PACKAGES.items() if shutil.which(program) is None}
    if missing:
        raise SandboxError(f"the monitoring needs Debian packages: apt-get install {' '.join(missing)}")


def prometheus(folder: Path, port: int) -> Command:
    """Return the command that runs Prometheus."""
    return [
        "prometheus",
        f"--config.file={folder / 'prometheus.json'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
        "--rules.alert.resend-delay=5s",  # a notification sent during a reload is lost
    ]


def alertmanager(folder: Path, port: int, cluster_port: int) -> Command:
    """Return the command that runs Alertmanager, as a cluster of one."""
    return [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.json'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--cluster.listen-address=127.0.0.1:{cluster_port}",
        f"--cluster.advertise-address=127.0.0.1:{cluster_port}",
        "--cluster.gossip-interval=20ms",  # a cluster of one is ready after thirty of these
    ]


def postgres_exporter(queries: Path, port: int) -> Command:
    """Return the command that runs the PostgreSQL exporter; its environment has the address of the database."""
    return [
        "prometheus-postgres-exporter",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--extend.query-path={queries}",
        "--disable-settings-metrics",
    ]


def redis_exporter(url: str, port: int) -> Command:
    """Return the command that runs the Redis exporter."""
    return ["prometheus-redis-exporter", "-redis.addr", url, "-web.listen-address", f"127.0.0.1:{port}"]


def node_exporter(textfiles: Path, port: int) -> Command:
    """Return the command that runs the node exporter, which also exports the text files in a folder."""
    return [
        "prometheus-node-exporter",
        f"--web.listen-address=127.0.0.1:{port}",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in ("filesystem", "meminfo", "textfile")),
        f"--collector.filesystem.fs-types-exclude={NO_FILE_SYSTEMS}",
        f"--collector.filesystem.mount-points-exclude={NO_MOUNTS}",
        f"--collector.textfile.directory={textfiles}",
    ]
