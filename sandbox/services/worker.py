"""The stand-in worker: leases an item, runs it, records it, deletes it; sends heartbeats between items."""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

from sandbox.services.common import connect, start_log
from sandbox.switches import Switches, current

if TYPE_CHECKING:
    from psycopg.rows import DictRow

POLL_SECONDS = 0.25
PAUSE_AFTER_ERROR = 0.5
BACK_OFF_SECONDS = 0.5

TAKE = """
UPDATE due_work SET locked_by = %(worker)s, locked_until = now() + interval '60 seconds'
WHERE id = (SELECT id FROM due_work WHERE run_at <= now() AND (locked_until IS NULL OR locked_until <= now())
            ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, task_id
"""
HEARTBEAT = """
INSERT INTO worker_heartbeat (worker_id, last_seen, processed_count, pid, hostname)
VALUES (%(worker)s, now(), %(processed)s, %(pid)s, %(hostname)s)
ON CONFLICT (worker_id) DO UPDATE SET last_seen = now(), processed_count = excluded.processed_count
"""
RECORD = """
INSERT INTO task_run
    (task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output)
VALUES
    (%(task_id)s, %(worker)s, now() + interval '60 seconds', %(started)s, clock_timestamp(), %(success)s,
     %(error)s, %(attempt)s, %(output)s)
"""


class StepError(Exception):
    """A step of a pipeline failed."""


def run_step(step: dict[str, Any]) -> object:
    """Run one step of a pipeline and return its output; StepError where it fails."""
    arguments = step.get("with", {})
    match step.get("uses"):
        case "noop":
            return None
        case "echo":
            return arguments.get("text")
        case "sleep":
            time.sleep(float(arguments["seconds"]))
            return None
        case "fail":
            raise StepError(arguments.get("text", "told to fail"))
        case other:
            raise StepError(f"no tool is called {other!r}")


@dataclass
class Worker:
    """One polling worker."""

    log: logging.Logger
    name: str = field(default_factory=lambda: os.environ.get("WORKER_ID") or f"worker-{uuid4()}")
    heartbeat_seconds: float = field(default_factory=lambda: float(os.environ.get("HEARTBEAT_SECONDS", "30")))
    processed: int = 0
    last_heartbeat: float = -float("inf")

    def run(self) -> None:
        """Work until killed; wait for the database where it does not answer."""
        self.log.info("worker %s started", self.name)
        while True:
            try:
                with connect("orchestrator-worker") as connection:
                    while True:
                        self.turn(connection)
            except psycopg.Error as error:
                self.log.error("database error, trying again: %s", error)  # noqa: TRY400  a line, no traceback
                time.sleep(PAUSE_AFTER_ERROR)

    def turn(self, connection: psycopg.Connection[DictRow]) -> None:
        """Send a heartbeat when one is due, then run one item or wait for the poll interval."""
        switches = current()
        if time.monotonic() - self.last_heartbeat >= self.heartbeat_seconds:
            process = {"pid": os.getpid(), "hostname": socket.gethostname()}
            connection.execute(HEARTBEAT, {"worker": self.name, "processed": self.processed, **process})
            self.last_heartbeat = time.monotonic()
        item = connection.execute(TAKE, {"worker": self.name}).fetchone() if switches.workers_take else None
        if item is None:
            time.sleep(min(POLL_SECONDS, self.heartbeat_seconds))
            return
        try:
            self.work(connection, item, switches)
        finally:
            # Also where the run could not be recorded, as in the real one.
            self.processed += 1
            connection.execute("DELETE FROM due_work WHERE id = %s", (item["id"],))

    def work(self, connection: psycopg.Connection[DictRow], item: DictRow, switches: Switches) -> None:
        """Run the item's task until an attempt succeeds or none is left; record each attempt."""
        task = connection.execute(
            "SELECT title, payload, max_retries FROM task WHERE id = %s", (item["task_id"],)
        ).fetchone()
        if task is None:
            raise psycopg.DataError(f"due_work {item['id']} names a task that is gone")
        for attempt in range(1, task["max_retries"] + 2):
            started = connection.execute("SELECT clock_timestamp() AS now").fetchone()
            output, error = {}, None
            try:
                for step in task["payload"].get("pipeline", []):
                    output[step.get("id", "")] = run_step(step)
            except StepError as failure:
                error = str(failure)
            if switches.workers_record:
                connection.execute(
                    RECORD,
                    {
                        "task_id": item["task_id"],
                        "worker": self.name,
                        "started": started and started["now"],
                        "success": error is None,
                        "error": error,
                        "attempt": attempt,
                        "output": Jsonb(output),
                    },
                )
            if error is None:
                self.log.info("task %s done", task["title"])
                return
            self.log.warning("task %s failed in attempt %d: %s", task["title"], attempt, error)
            time.sleep(BACK_OFF_SECONDS)


if __name__ == "__main__":
    Worker(start_log("worker")).run()
