"""A database client that runs statements in one session and then keeps it open."""

from __future__ import annotations

import signal
import sys

import psycopg

from sandbox.services.common import connect, start_log


def main(application_name: str, *statements: str) -> None:
    """Run the statements and keep the session open in the state in which they leave it."""
    log = start_log("session")
    with connect(application_name) as connection:
        for statement in statements:
            log.info("%s: %s", application_name, statement)
            try:
                connection.execute(statement)
            except psycopg.DataError as error:  # aborts the transaction, as intended
                log.info("%s: %s", application_name, error)
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
