"""A client that takes every connection slot of PostgreSQL that it can get, and keeps trying."""

from __future__ import annotations

import sys
import time

import psycopg

from sandbox.services.common import connect, start_log

EVERY_SECONDS = 0.02


def main(role: str) -> None:
    """Open connections as this role, and keep them."""
    log = start_log("hoarder")
    held: list[object] = []
    full = False
    while True:
        try:
            held.append(connect("hoarder", role))
            full = False
        except psycopg.OperationalError as error:
            if not full:
                log.info("holding %d connections: %s", len(held), str(error).strip())
            full = True
            time.sleep(EVERY_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
