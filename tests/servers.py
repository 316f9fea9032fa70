"""Programs that serve for as long as a test needs them."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from sandbox.http import CLIENT
from sandbox.polling import NotYet, require, until

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 30  # seconds


@contextmanager
def serving(*command: str, ready: str) -> Iterator[None]:
    """Run a server until the block ends; `ready` is a URL that answers with success once it has started."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: _require_ready(process, ready), START)
            yield
        finally:
            process.kill()


def _require_ready(process: subprocess.Popen[bytes], url: str) -> None:
    assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
    try:
        require(CLIENT.get(url, timeout=2).is_success, f"{url} is not ready")
    except httpx.TransportError as error:
        raise NotYet(str(error)) from error
