"""What a sandbox remembers between two commands: `state.json` in its folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from sandbox.processes import Mark

FILE = "state.json"
Form = Literal["embedded", "compose"]


def write_private(path: Path, text: str) -> None:
    """Write a file atomically that only its owner can read."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


@dataclass
class State:
    """Processes, ports, secrets, and the faults in force."""

    folder: Path
    form: Form = "embedded"
    project: str = ""  # of the compose form
    monitoring: bool = False
    password: str = ""
    socket_folder: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    worker_ids: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Mark] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> State:
        """Read the state; FileNotFoundError where there is no sandbox."""
        content = json.loads((folder / FILE).read_text())
        processes = {name: Mark(**each) for name, each in content.pop("processes").items()}
        return cls(folder, processes=processes, **content)

    def save(self) -> None:
        """Write the state into the folder."""
        content = asdict(self)
        del content["folder"]
        write_private(self.folder / FILE, json.dumps(content, indent=1) + "\n")
