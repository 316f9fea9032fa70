from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import msgspec
import pytest
from msgspec.structs import replace

from reports.history import FILE, REMEMBERED, Earlier, History
from reports.past import ContainerState, Past
from reports.results import Results, Selection, stamp
from sandbox.polling import require, until
from tests.conftest import runs_in
from tests.projects import ROOT, Project, environment, nowhere
from tests.reports.samples import NOON, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge

API = ContainerState("o_api_1", "api", "sha256:a", "2026-03-04T10:00:00Z")
KEEP = 1000


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "output")


def rows(output: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(output / FILE)) as database:
        return database.execute("SELECT run, alert, state FROM judgement ORDER BY run, alert").fetchall()


# -- what is recorded


def test_a_recorded_run_is_read_back(history: History) -> None:
    history.record(run_of(NOON, {"A": "firing", "B": "ok"}), "folder", KEEP)
    past = history.past("mine")
    (firing,), (fine,) = past.records["A"], past.records["B"]
    assert (firing.at, firing.state, firing.value, firing.limit, firing.since) == (NOON, "firing", 3.0, 2.0, NOON)
    assert (fine.state, fine.since) == ("ok", None)


def test_the_newest_come_first_and_only_so_many(history: History) -> None:
    for minute in range(REMEMBERED + 5):
        history.record(run_of(NOON + timedelta(minutes=minute), {"A": "ok"}), "", KEEP)
    moments = [record.at for record in history.past("mine").records["A"]]
    assert len(moments) == REMEMBERED
    assert moments == sorted(moments, reverse=True)
    assert moments[0] == NOON + timedelta(minutes=REMEMBERED + 4)


def test_runs_are_in_the_order_in_which_they_were_recorded(history: History) -> None:
    for number, hours in enumerate((0, 3, 1, -5)):  # the clock was wrong
        started = NOON + timedelta(hours=hours)
        history.record(run_of(started, {"A": "ok"}, containers=[API]), f"run-{number}", 3, honors_for=True)
    past = history.past("mine")
    in_order = [NOON + timedelta(hours=hours) for hours in (-5, 1, 3)]
    assert [record.at for record in past.records["A"]] == past.cron_runs["A"] == in_order
    assert [run.folder for run in history.runs()] == ["run-3", "run-2", "run-1"]
    assert past.green is not None
    assert past.green.at == in_order[0]


def test_another_target_has_another_past(history: History) -> None:
    history.record(run_of(NOON, {"A": "firing"}), "", KEEP)
    assert history.past("yours").records == {}


def test_an_alert_that_was_not_judged_is_not_recorded(history: History) -> None:
    results = run_of(NOON, {"A": "ok", "B": "unknown"})
    results.alerts[1] = replace(results.alerts[1], judged=False)
    history.record(results, "", KEEP)
    assert set(history.past("mine").records) == {"A"}


@pytest.mark.parametrize(
    "more",
    [
        {"states": {"A": "ok", "B": "pending"}},
        {"states": {"A": "ok", "B": "silenced"}},
        {"selection": Selection("sev0", "", [], partial=False)},
        {"selection": Selection("", "", ["checks/sev0"], partial=False)},
        {"selection": Selection("", "", [], partial=True)},
        {"complete": False},
    ],
)  # fmt: skip
def test_a_run_that_left_out_or_suppressed_something_is_not_green(history: History, more: dict[str, Any]) -> None:
    history.record(run_of(NOON, {"A": "ok", "B": "skipped"}, containers=[API]), "", KEEP)
    later = {"states": {"A": "ok"}, "containers": [API], **more}
    history.record(run_of(NOON + timedelta(minutes=5), **later), "", KEEP)
    green = history.past("mine").green
    assert green is not None
    assert green.at == NOON


def test_the_last_green_run_saw_containers_and_found_everything_ok(history: History) -> None:
    history.record(run_of(NOON, {"A": "ok"}, containers=[API]), "", KEEP)
    history.record(run_of(NOON + timedelta(minutes=1), {"A": "ok"}), "", KEEP)
    history.record(run_of(NOON + timedelta(minutes=2), {"A": "firing"}, containers=[API]), "", KEEP)
    green = history.past("mine").green
    assert green is not None
    assert (green.at, green.containers) == (NOON, [API])


def test_runs_are_listed_with_what_was_not_ok(history: History) -> None:
    history.record(run_of(NOON, {"A": "ok"}), "first", KEEP)
    history.record(run_of(NOON + timedelta(minutes=1), {"A": "firing", "B": "unknown", "C": "ok"}), "second", KEEP)
    runs = history.runs()
    assert [run.folder for run in runs] == ["second", "first"]
    assert runs[0].not_ok == "firing sev1 A, unknown sev1 B"


def test_the_runs_of_a_gate_do_not_crowd_out_those_of_cron(history: History) -> None:
    for minute in (0, 5):
        history.record(run_of(NOON + timedelta(minutes=minute), {"A": "ok"}), "", KEEP, honors_for=True)
    for second in range(REMEMBERED + 5):
        history.record(run_of(NOON + timedelta(minutes=6, seconds=second), {"A": "ok"}), "", KEEP)
    assert history.past("mine").cron_runs["A"] == [NOON + timedelta(minutes=5), NOON]


def test_old_runs_are_forgotten(history: History) -> None:
    for minute in range(5):
        history.record(run_of(NOON + timedelta(minutes=minute), {"A": "ok"}), f"run-{minute}", 3)
    assert [run.folder for run in history.runs()] == ["run-4", "run-3", "run-2"]
    assert len(rows(history.path.parent)) == 3


def test_only_the_owner_reads_it(history: History) -> None:
    history.record(run_of(NOON, {"A": "ok"}), "", KEEP)
    with closing(sqlite3.connect(history.path)) as database:
        database.execute("SELECT * FROM run").fetchall()  # WAL and shared memory are there while it is open
        files = list(history.path.parent.glob(FILE + "*"))
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_runs_that_record_at_once_are_all_recorded(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.history.PATIENCE", 30)  # eight do, and the disk may be slow

    def record(number: int) -> None:
        history.record(run_of(NOON, {"A": "ok"}), f"run-{number}", KEEP)

    threads = [threading.Thread(target=record, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {run.folder for run in history.runs()} == {f"run-{number}" for number in range(8)}
    assert len(rows(history.path.parent)) == 8


# -- whole runs


def test_the_second_report_counts_since_from_the_first(sample: Project, judge: Judge, tmp_path: Path) -> None:
    first = judge(target=nowhere(tmp_path), cwd=sample.folder).alert("ItFires")
    until(lambda: require(stamp(datetime.now(UTC)) > first["since"], "it is the same second"), 5)
    seen = judge(target=nowhere(tmp_path), cwd=sample.folder)
    second = seen.alert("ItFires")
    assert second["since"] == first["since"] < second["recent"][-1]["at"]
    assert second["respond_by"] == first["respond_by"]
    assert [point["state"] for point in second["recent"]] == ["firing", "firing"]


def test_a_run_in_four_processes_is_recorded_once(sample: Project, judge: Judge, tmp_path: Path) -> None:
    judge("-n", "4", target=nowhere(tmp_path), cwd=sample.folder)
    assert rows(tmp_path / "output") == [(1, "ItFires", "firing"), (1, "ItIsOk", "ok")]


def test_a_partial_run_is_recorded_for_the_alerts_it_judged(sample: Project, judge: Judge, tmp_path: Path) -> None:
    judge("-k", "it_is_ok", target=nowhere(tmp_path), cwd=sample.folder)
    assert rows(tmp_path / "output") == [(1, "ItIsOk", "ok")]


@pytest.mark.parametrize(("arguments", "selection"), [((), ""), (("checks",), ""), (("checks/sev0",), "checks/sev0")])
def test_the_selection_of_a_folder_is_recorded(
    sample: Project, judge: Judge, tmp_path: Path, arguments: tuple[str, ...], selection: str
) -> None:
    judge(*arguments, target=nowhere(tmp_path), cwd=sample.folder)
    assert History(tmp_path / "output").runs()[0].selection == selection


def test_two_runs_at_the_same_moment_are_both_recorded(sample: Project, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "pytest", f"--target={nowhere(tmp_path)}", f"--output={tmp_path / 'output'}",
        "-p", "no:cacheprovider",
    ]  # fmt: skip
    runs = [
        subprocess.Popen(command, cwd=sample.folder, env=environment(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [1, 1], outputs
    assert [row[0] for row in rows(tmp_path / "output")] == [1, 1, 2, 2]
    assert not [output for output in outputs if "could not" in output]
    assert len(runs_in(tmp_path / "output")) == 2


def test_a_damaged_history_costs_one_warning_and_a_new_one_is_started(
    sample: Project, judge: Judge, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (output / FILE).write_bytes(b"this is no database, whatever it is called" * 100)
    seen = judge(target=nowhere(tmp_path), cwd=sample.folder)
    assert seen.status == 1
    assert seen.output.count("history could not") == 1
    assert (output / "history.damaged").exists()
    assert rows(output) == [(1, "ItFires", "firing"), (1, "ItIsOk", "ok")]
    assert "history could not" not in judge(target=nowhere(tmp_path), cwd=sample.folder).output


def test_a_damaged_history_that_cannot_be_renamed_costs_a_warning_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database, whatever it is called" * 100)
    for error, words in (
        (FileNotFoundError(), "; another run has already renamed it"),
        (OSError("Read-only file system"), "; it could not be renamed: Read-only file system"),
    ):
        monkeypatch.setattr(History, "set_damaged_aside", Mock(side_effect=error))
        earlier = Earlier(tmp_path, "mine")
        assert earlier.past == Past()
        assert earlier.complaint.endswith(words)


def test_in_four_processes_a_damaged_history_costs_one_warning(sample: Project, judge: Judge, tmp_path: Path) -> None:
    lasting = "@trigger()\ndef test_it():\n    assert False\n\nfrom msgspec.structs import replace\n"
    sample.add_alert("it_fires", lasting + "ALERT = replace(ALERT, for_=minutes(2))\n")
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / FILE).write_bytes(b"this is no database, whatever it is called" * 100)
    seen = judge("-n", "2", "--honor-for", target=nowhere(tmp_path), cwd=sample.folder)
    assert (seen.status, seen.in_state("pending")) == (0, {"ItFires"})
    assert seen.output.count("the history could not be read: file is not a database") == 1


def test_a_history_that_is_damaged_inside_is_renamed_too(sample: Project, judge: Judge, tmp_path: Path) -> None:
    output = tmp_path / "output"
    for minute in range(200):
        History(output).record(run_of(NOON + timedelta(minutes=minute), {"A": "ok"}, target="nowhere"), "", KEEP)
    with (output / FILE).open("r+b") as file:
        file.seek(12_288)
        file.write(b"\xff" * 8192)
    seen = judge(target=nowhere(tmp_path), cwd=sample.folder)
    assert seen.status == 1
    assert seen.output.count("history could not") == 1
    assert (output / "history.damaged").exists()
    assert rows(output) == [(1, "ItFires", "firing"), (1, "ItIsOk", "ok")]


def test_a_history_that_cannot_be_written_costs_one_warning(sample: Project, judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "output" / FILE).mkdir(parents=True)  # nobody writes to a folder as to a file, not even root
    seen = judge(target=nowhere(tmp_path), cwd=sample.folder)
    assert seen.status == 1
    assert seen.output.count("history could not") == 1
    assert seen.folder is not None


def test_a_locked_history_is_waited_for_and_then_not_written(sample: Project, judge: Judge, tmp_path: Path) -> None:
    judge(target=nowhere(tmp_path), cwd=sample.folder)
    with closing(sqlite3.connect(tmp_path / "output" / FILE, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        seen = judge(target=nowhere(tmp_path), cwd=sample.folder)
        database.execute("ROLLBACK")
    assert seen.status == 1
    assert seen.output.count("history could not be written: database is locked") == 1
    assert {row[0] for row in rows(tmp_path / "output")} == {1}


KILLER = '''
"""Kills its own process before the n-th operation on files of the output folder, as SIGKILL at that moment would."""

import os
import signal
import sys

left = int(os.environ["KILL_BEFORE"])
folder = os.environ["KILL_IN"]

def count(event, arguments):
    global left
    paths = [os.fsdecode(each) for each in arguments if isinstance(each, (str, bytes, os.PathLike))]
    if event in EVENTS and any(folder in path for path in paths):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

EVENTS = {"open", "os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "sqlite3.connect", "tempfile.mkdtemp"}
sys.addaudithook(count)
'''


def test_a_run_that_is_killed_at_any_moment_leaves_what_was_there(
    sample: Project, judge: Judge, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    first = judge(target=nowhere(tmp_path), cwd=sample.folder)
    assert first.folder is not None
    report = (first.folder / "report.html").read_text()
    (sample.folder / "killer.py").write_text(KILLER)
    command = [
        sys.executable, "-m", "pytest", "-p", "killer", f"--target={nowhere(tmp_path)}", f"--output={output}",
        "-p", "no:cacheprovider",
    ]  # fmt: skip
    for operations in range(0, 100, 3):
        run = subprocess.run(
            command, cwd=sample.folder, env=environment(KILL_BEFORE=str(operations), KILL_IN=str(output)),
            stdout=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        latest = (output / "latest").resolve()
        msgspec.json.decode((latest / "results.json").read_bytes(), type=Results)
        assert "</html>" in (latest / "report.html").read_text()
        assert (first.folder / "report.html").read_text() == report
        recorded = History(output).runs()
        assert recorded[-1].folder == first.folder.name
        assert all((output / run.folder / "results.json").exists() for run in recorded)
        if run.returncode != -signal.SIGKILL:
            break
    assert (run.returncode, operations > 15) == (1, True)  # in the end it lived


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_leaves_what_was_there(sample: Project, judge: Judge, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(output)], check=True)
    try:
        first = judge(target=nowhere(tmp_path), cwd=sample.folder)
        assert first.folder is not None
        filler = output / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        assert shutil.disk_usage(output).free == 0
        seen = judge(target=nowhere(tmp_path), cwd=sample.folder)
        assert seen.status == 1
        assert "the report could not be written" in seen.output
        assert "respond by " + first.alert("ItFires")["respond_by"] in seen.output  # since the first
        assert (output / "latest").resolve() == first.folder
        assert json.loads((first.folder / "results.json").read_text()) == first.results
        assert [run.folder for run in History(output).runs()] == [first.folder.name]
        filler.unlink()
        assert judge(target=nowhere(tmp_path), cwd=sample.folder).folder is not None
    finally:
        subprocess.run(["umount", str(output)], check=True)


def test_reports_and_history_are_kept_for_the_given_number_of_runs(
    sample: Project, judge: Judge, tmp_path: Path
) -> None:
    for _ in range(3):
        seen = judge("--keep=2", target=nowhere(tmp_path), cwd=sample.folder)
    assert {row[0] for row in rows(tmp_path / "output")} == {2, 3}
    assert len(runs_in(tmp_path / "output")) == 2
    assert seen.folder in runs_in(tmp_path / "output")


def test_less_than_one_run_cannot_be_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--keep=0"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert "is not a number of runs" in done.stderr
