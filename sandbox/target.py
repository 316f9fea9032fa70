"""The settings file that a sandbox writes for the checker: `target.toml`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "target.toml"
# The machine the sandbox happens to stand on is not judged.
HOST_LIMITS = {"disk_free": 0.001, "memory_available": 0.001}
ALERTS_WITH_HOST_LIMITS = ("OrchestratorAPIDown", "OrchestratorDatabaseDown", "NoActiveWorkers")


def write(
    folder: Path,
    *,
    api_url: str,
    database_url: str,
    redis_url: str,
    logs: Mapping[str, Path],
    mount: Path | None = None,
) -> None:
    """Write the settings, readable by the owner alone since they hold a password."""
    lines = [
        "# Written by `python -m sandbox`; faults rewrite it.",
        f"name = {_text('sandbox')}",
        f"api_url = {_text(api_url)}",
        f"database_url = {_text(database_url)}",
        f"redis_url = {_text(redis_url)}",
        f"docker = {_text('none')}",
        f"timezone = {_text('Europe/Chisinau')}",
        "",
        "[logs]",
        *(f"{service} = {_text(str(path))}" for service, path in logs.items()),
        "",
        "[host]",
        f"mounts = [{_text(str(mount or folder))}]",
    ]
    for alert in ALERTS_WITH_HOST_LIMITS:
        lines += ["", f"[limits.{alert}]", *(f"{name} = {value}" for name, value in HOST_LIMITS.items())]
    write_private(folder / FILE, "\n".join(lines) + "\n")


def _text(value: str) -> str:
    return json.dumps(value)  # a JSON string is a TOML string
