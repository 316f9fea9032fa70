"""The settings file that a sandbox writes for the checker: `target.toml`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox import disk
from sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "target.toml"
Limits = dict[str, dict[str, float]]
DROPPED_WITHIN = 10  # seconds: Prometheus scrapes every second and resends alerts every five seconds

# The machine that runs the sandbox is not judged.
_HOST = {"disk_free": 0.001, "memory_available": 0.001}
NOT_THE_MACHINE: Limits = {
    "OrchestratorAPIDown": _HOST,
    "OrchestratorDatabaseDown": _HOST,
    "NoActiveWorkers": _HOST,
    "HighAPILatency": {"memory_available": 0.001},
    "DiskSpaceCritical": {"free": 0.001, "inodes_free": 0.001},
    "MemoryUsageCritical": {"available": 0.001, "process_share": 1.0, "shared_buffers": 1.0},
}


def write(folder: Path, keys: Mapping[str, str], own: Mapping[str, Mapping[str, Path]], limits: Limits) -> None:
    """Write the settings (keys, a form's own tables, limits), readable by the owner alone: they contain a password."""
    backups, place = folder / "backups", disk.place_of(folder)
    tables: dict[str, Mapping[str, object]] = {
        **own,
        "prometheus": {"dropped_within": DROPPED_WITHIN},
        "host": {"mounts": [str(folder), *([str(place)] if place.is_mount() else [])]},
        "backups": {"postgres": backups / "postgres" / "daily", "redis": backups / "redis", "logs": backups / "log"},
    }
    ours = NOT_THE_MACHINE
    tables |= {f"limits.{alert}": ours.get(alert, {}) | limits.get(alert, {}) for alert in ours | limits}
    name = "sandbox" if folder.name == ".sandbox" else f"sandbox-{keys['api_url'].rpartition(':')[2]}"
    top = {"name": name, "docker": "none", "timezone": "Europe/Chisinau", **keys}
    lines = ["# Written by `python -m sandbox`; faults rewrite it.", *_rows(top)]
    for table, rows in tables.items():
        lines += ["", f"[{table}]", *_rows(rows)]
    write_private(folder / FILE, "\n".join(lines) + "\n")


def _rows(table: Mapping[str, object]) -> list[str]:
    # Strings, numbers and lists of them are written alike in JSON and TOML.
    return [f"{name} = {json.dumps(value, default=str)}" for name, value in table.items()]
