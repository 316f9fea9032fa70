"""Faults of the host. The machine itself is left alone.

A small disk of the sandbox's own is filled where one can be made. Elsewhere, and for memory, the limits are set so that
any machine exceeds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import disk
from sandbox.fault import Expect, Fault, Stack
from sandbox.polling import require
from sandbox.servers import SandboxError
from sandbox.target import FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


OUT_OF_REACH = 1.0  # a limit of 100 % free


def _limits_in_force(stack: Stack, limits: dict[str, float]) -> None:
    text = (stack.folder / FILE).read_text()
    missing = [f"{name} = {value}" for name, value in limits.items() if f"{name} = {value}" not in text]
    require(not missing, f"the settings lack {missing}")


def _heal(stack: Stack) -> None:
    disk.detach(stack.folder)
    stack.write_target()


def _disk_fault(
    name: str, what: str, cause: str, limit: str, fill: Callable[[Path], None], inodes: int | None = None
) -> Fault:
    alert = "DiskSpaceCritical"
    limits = {limit: OUT_OF_REACH}

    def break_(stack: Stack) -> None:
        try:
            disk.attach(stack.folder, inodes=inodes)
        except SandboxError:
            stack.write_target(limits={alert: limits})
        else:
            fill(stack.folder)
            stack.write_target()  # with the disk that is there now

    def took_hold(stack: Stack) -> None:
        place = disk.place_of(stack.folder)
        if place.is_mount():
            require(disk.is_full(stack.folder), f"{place} is not full")
            require(str(place) in (stack.folder / FILE).read_text(), f"the settings lack {place}")
        else:
            _limits_in_force(stack, limits)

    does = f"uses up the {what} of a small disk of its own; without root, sets the limit to 100 % free"
    return Fault(name, does, Expect(alert, "firing", cause), break_, took_hold, _heal)


DISK_LOW = _disk_fault("disk-low", "space", "space-low", "free", disk.fill_space)
INODES_LOW = _disk_fault("inodes-low", "inodes", "inodes-low", "inodes_free", disk.fill_inodes, disk.FEW_INODES)

MEMORY = {"available": OUT_OF_REACH, "process_share": 0.0}
MEMORY_LOW = Fault(
    name="memory-low",
    does="sets the limits to 100 % of memory available and 0 % used by one process",
    expect=Expect("MemoryUsageCritical", "firing", "process-grown-large"),
    break_=lambda stack: stack.write_target(limits={"MemoryUsageCritical": MEMORY}),
    took_hold=lambda stack: _limits_in_force(stack, MEMORY),
    heal=_heal,
)
