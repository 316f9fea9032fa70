"""What the stand-in services are told to do wrong: a small file they read as they go."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from sandbox.state import write_private

FILE = "switches.json"
VARIABLE = "SANDBOX_SWITCHES"


@dataclass(frozen=True)
class Switches:
    """All as it should be, unless said otherwise."""

    api: Literal["", "error", "garbage", "rate-limited", "slow"] = ""
    workers_take: bool = True  # whether workers take items from the queue; their heartbeats go on
    workers_record: bool = True  # whether a run is written to task_run
    scheduler_fails: bool = False  # whether the scheduler ends with an error before it has loaded any task

    def save(self, folder: Path) -> None:
        """Write them where the services of this sandbox read them."""
        write_private(folder / FILE, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Switches:
        """Read the switches of a sandbox."""
        return cls(**json.loads((folder / FILE).read_text()))


def current() -> Switches:
    """Read the switches of the sandbox that the calling service belongs to."""
    return Switches.load(Path(os.environ[VARIABLE]).parent)
