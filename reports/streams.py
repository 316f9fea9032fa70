"""Standard output and error that fail no run: what can no longer be printed is lost, and the exit status stays.

pyproject.toml has pytest load this before it takes hold of its streams; the commands call `guard` themselves.
"""

from __future__ import annotations

import io
import os
import sys


class _Unfailing(io.TextIOWrapper):
    """A stream that leads nowhere from the moment when its reader is gone, or its disk is full."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def guard() -> None:
    """Keep a stream that is closed, or will be, from failing this process; the programs that it starts have one too."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # what is opened next would be taken for it
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  until the process ends
        elif stream is not getattr(sys, f"__{name}__") or type(stream) is not io.TextIOWrapper:
            continue  # somebody else's
        how = stream.encoding, stream.errors, None, stream.line_buffering, stream.write_through
        stream = _Unfailing(stream.detach(), *how)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


guard()
