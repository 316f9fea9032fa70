"""A database client that runs the statements it is given in one session, and then sits there."""

from __future__ import annotations

import signal
import sys

import psycopg

from sandbox.services.common import libpq_url, start_log


def main(application_name: str, *statements: str) -> None:
    """Run the statements; the session stays open, in whatever state they left it."""
    log = start_log("session")
    with psycopg.connect(libpq_url(), autocommit=True, application_name=application_name) as connection:
        for statement in statements:
            log.info("%s: %s", application_name, statement)
            try:
                connection.execute(statement)
            except psycopg.DataError as error:  # how a transaction is made to abort
                log.info("%s: %s", application_name, error)
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
