"""Switches that make the stand-in services misbehave: a small file that they read repeatedly."""

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
    """The switches; by default no service misbehaves."""

    api: Literal["", "error", "garbage", "rate-limited", "slow", "stale"] = ""
    workers_take: bool = True  # whether workers take items from the queue; they send heartbeats in any case
    workers_record: bool = True  # whether workers write runs to task_run
    scheduler_fails: bool = False  # whether the scheduler exits with an error before it loads any task

    def save(self, folder: Path) -> None:
        """Write the switches where the services of this sandbox read them."""
        write_private(folder / FILE, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Switches:
        """Return the switches in a folder."""
        return cls(**json.loads((folder / FILE).read_text()))


def current() -> Switches:
    """Return the switches of the sandbox to which the calling service belongs."""
    return Switches.load(Path(os.environ[VARIABLE]).parent)
