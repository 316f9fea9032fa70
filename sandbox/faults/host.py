"""Faults of the host. The machine itself is left alone: the limits are moved to where its figures are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.fault import Expect, Fault
from sandbox.polling import require
from sandbox.target import FILE

if TYPE_CHECKING:
    from sandbox.stack import Stack
    from sandbox.target import Limits


def _moved(name: str, does: str, alert: str, cause: str, limits: dict[str, float]) -> Fault:
    moved: Limits = {alert: limits}

    def in_force(stack: Stack) -> None:
        text = (stack.folder / FILE).read_text()
        missing = [f"{name} = {value}" for name, value in limits.items() if f"{name} = {value}" not in text]
        require(not missing, f"the settings lack {missing}")

    return Fault(
        name=name,
        does=does,
        expect=Expect(alert, "firing", cause),
        break_=lambda stack: stack.write_target(limits=moved),
        took_hold=in_force,
        heal=lambda stack: stack.write_target(),
    )


DISK_LOW = _moved(
    "disk-low", "asks for more free space than any disk has", "DiskSpaceCritical", "space-low", {"free": 1.0}
)
INODES_LOW = _moved(
    "inodes-low", "asks for more free inodes than any disk has", "DiskSpaceCritical", "inodes-low", {"inodes_free": 1.0}
)
MEMORY_LOW = _moved(
    "memory-low",
    "asks for more available memory than any machine has, and for processes that hold none",
    "MemoryUsageCritical",
    "process-grown-large",
    {"available": 1.0, "process_share": 0.0},
)
