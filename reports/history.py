"""The history: what runs found, in an SQLite file beside the reports. Its errors do not affect the exit status.

Runs are in the order in which they were recorded: the clock may have been wrong for some of them.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from playbook.evidence import Unknown
from playbook.suppression import Held
from reports.past import ContainerState, Green, Past, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playbook.alert import Alert
    from reports.results import Results

FILE = "history.sqlite"
REMEMBERED = 30  # runs of an alert: what a picture of it has room for
PATIENCE = 2.0  # seconds, where another run is writing
ROOM = 1024**2  # bytes that must be left: several times what a run takes

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY, target TEXT NOT NULL, started_at REAL NOT NULL, duration REAL NOT NULL,
    verdict TEXT NOT NULL, complete INTEGER NOT NULL, selection TEXT NOT NULL, folder TEXT NOT NULL,
    containers TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS run_by_verdict ON run (target, verdict);
CREATE TABLE IF NOT EXISTS judgement (
    target TEXT NOT NULL, alert TEXT NOT NULL, started_at REAL NOT NULL,
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    severity INTEGER NOT NULL, state TEXT NOT NULL, value REAL, bound REAL, since REAL,
    honors_for INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (target, alert, started_at, run)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS judgement_of_run ON judgement (run);
CREATE INDEX IF NOT EXISTS judgement_by_run ON judgement (target, alert, run);
CREATE INDEX IF NOT EXISTS judgement_of_cron_by_run ON judgement (target, alert, run) WHERE honors_for;
"""


class Run(Struct, frozen=True):
    """One run as the list of runs shows it; `not_ok` are the alerts in words, with state and severity."""

    target: str
    started_at: datetime
    duration_seconds: float
    verdict: str
    complete: bool
    selection: str
    folder: str
    not_ok: str

    @property
    def at(self) -> str:
        """When it started, as people read it."""
        return self.started_at.isoformat(" ", "seconds")[:19]


class History:
    """The history in a folder of reports. Its methods raise sqlite3.Error or OSError."""

    def __init__(self, root: Path) -> None:
        self.path = root / FILE

    def past(self, target: str) -> Past:
        """Return the past of a target; empty where nothing was recorded yet."""
        if not self.path.exists():
            return Past()
        with self._reading() as database:
            records = {
                alert: [
                    Record(_moment(at), state, value, bound, None if since is None else _moment(since))
                    for at, state, value, bound, since in database.execute(
                        "SELECT started_at, state, value, bound, since FROM judgement"
                        " WHERE target = ? AND alert = ? ORDER BY run DESC LIMIT ?",
                        (target, alert, REMEMBERED),
                    )
                ]
                for (alert,) in database.execute("SELECT DISTINCT alert FROM judgement WHERE target = ?", (target,))
            }
            cron_runs = {
                alert: [
                    _moment(at)
                    for (at,) in database.execute(
                        "SELECT started_at FROM judgement WHERE target = ? AND alert = ? AND honors_for"
                        " ORDER BY run DESC LIMIT ?",
                        (target, alert, REMEMBERED),
                    )
                ]
                for alert in records
            }
            green = database.execute(
                "SELECT started_at, containers FROM run WHERE target = ? AND verdict = 'ok' AND complete"
                " AND selection = '' AND containers != '[]' AND NOT EXISTS"
                " (SELECT 1 FROM judgement WHERE judgement.run = run.id AND state NOT IN ('ok', 'skipped'))"
                " ORDER BY id DESC LIMIT 1",
                (target,),
            ).fetchone()
        containers = msgspec.json.decode(green[1], type=list[ContainerState]) if green else []
        return Past(records, Green(_moment(green[0]), containers) if green else None, cron_runs)

    def record(self, results: Results, folder: str, keep: int, *, honors_for: bool = False) -> None:
        """Add a run with the alerts whose trigger it judged, in one transaction, and delete all but the newest runs.

        A run that `honors_for` is one of cron's: the usual interval is that between those.
        """
        started = datetime.fromisoformat(results.started_at).timestamp()
        with closing(self._connect()) as database, database:
            cursor = database.execute(
                "INSERT INTO run (target, started_at, duration, verdict, complete, selection, folder, containers)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    results.target, started, results.duration_seconds, results.verdict, results.complete,
                    results.selection.text, folder, json.dumps([asdict(c) for c in results.containers]),
                ),
            )  # fmt: skip
            database.executemany(
                "INSERT INTO judgement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        results.target, alert.name, started, cursor.lastrowid, alert.severity, alert.state,
                        alert.measured.value if alert.measured else None, alert.limit.value if alert.limit else None,
                        datetime.fromisoformat(alert.since).timestamp() if alert.since else None, honors_for,
                    )
                    for alert in results.alerts if alert.judged
                ],
            )  # fmt: skip
            database.execute("DELETE FROM run WHERE id NOT IN (SELECT id FROM run ORDER BY id DESC LIMIT ?)", (keep,))

    def runs(self) -> list[Run]:
        """List the runs, newest first."""
        with self._reading() as database:
            return [
                Run(target, _moment(at), duration, verdict, bool(complete), selection, folder, not_ok or "")
                for target, at, duration, verdict, complete, selection, folder, not_ok in database.execute(
                    "SELECT target, started_at, duration, verdict, complete, selection, folder,"
                    " (SELECT group_concat(text, ', ') FROM (SELECT state || ' sev' || severity || ' ' || alert AS text"
                    " FROM judgement WHERE judgement.run = run.id AND state NOT IN ('ok', 'skipped')"
                    " ORDER BY state != 'firing', severity, alert))"
                    " FROM run ORDER BY id DESC"
                )
            ]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Open the file to read it; without room or permission for the journal, as an immutable one."""
        try:
            database = self._connect()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise
            database = sqlite3.connect(f"file:{quote(str(self.path))}?immutable=1", uri=True)
        with closing(database):
            yield database

    def _connect(self) -> sqlite3.Connection:
        """Open the file, readable by the owner alone, and create the tables that it lacks."""
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
        database = sqlite3.connect(self.path, timeout=PATIENCE)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA foreign_keys = ON")
            database.executescript(_SCHEMA)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def try_to_write(self) -> None:
        """Raise what recording a run now would raise: no permission, no room, another run that holds the file."""
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")
            database.rollback()
        with tempfile.TemporaryFile(dir=self.path.parent) as trial:
            trial.write(bytes(ROOM))
            trial.flush()

    def set_damaged_aside(self) -> None:
        """Rename a damaged file to history.damaged, so that the next run starts a new one."""
        self.path.replace(self.path.with_suffix(".damaged"))
        for rest in ("-wal", "-shm"):
            self.path.with_name(FILE + rest).unlink(missing_ok=True)


class Earlier:
    """The earlier runs of one target, read when first asked for; where they cannot be read, `complaint` says why."""

    def __init__(self, root: Path, target: str) -> None:
        self._root = root
        self._target = target
        self.complaint = ""

    @cached_property
    def past(self) -> Past:
        """What earlier runs found."""
        history = History(self._root)
        try:
            return history.past(self._target)
        except (sqlite3.Error, OSError, ValueError) as error:
            self.complaint = f"the history could not be read: {error}"
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                self.complaint += f"; {_set_aside(history)}"
            return Past()

    @cached_property
    def _unwritable(self) -> str:
        """Why this run cannot be recorded; empty where it can."""
        try:
            History(self._root).try_to_write()
        except (sqlite3.Error, OSError) as error:
            return str(error)
        return ""

    def failing_since(self, alert: Alert, now: datetime) -> Held:
        """Return the moment since which an alert's condition has held, this run included, and how often runs look.

        Raises Unknown where this run cannot be recorded: each later run would see the condition begin just then.
        """
        past = self.past  # first: a damaged file is renamed
        if self._unwritable:
            raise Unknown(f"the history cannot be written: {self._unwritable}")
        interval = past.usual_interval(alert.name) or timedelta(0)
        return Held(past.since(alert.name, "firing", alert.for_, now), interval)


def _set_aside(history: History) -> str:
    """Rename a damaged history, and say what happened."""
    try:
        history.set_damaged_aside()
    except FileNotFoundError:
        return "another run has already renamed it"
    except OSError as error:
        return f"it could not be renamed: {error}"
    return "moved to history.damaged; started a new one"


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
