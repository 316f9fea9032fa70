"""What a target answers, logs and names its files: none of it reaches the terminal as anything but letters."""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from reports.commands.gate import main as gate
from reports.terminal import CleanFile
from tests.projects import NOWHERE, run_pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Judge
    from tests.projects import Project

OBEYED = "\x1b]0;title\x07 \x1b[2J\x1b[31;47m \x9b31m \u202eevil\u2066 \r\x08\x0b\x85\u2028"
HOSTILE = f"{OBEYED}\nFIRING sev0 Forged"
STYLE = re.compile(r"\x1b\[[\d;]*m")
MODES = {
    "plain": (), "v": ("-v",), "vv": ("-vv",), "q": ("-q",), "ra": ("-ra",), "rA": ("-rA", "-v"),
    "short": ("--tb=short",), "long": ("--tb=long", "-l"), "native": ("--tb=native",), "line": ("--tb=line", "-s"),
    "workers": ("-n", "2", "-v"), "colour": ("--color=yes", "-v", "-rA", "--tb=short"),
    "durations": ("--durations=0", "-vv", "--setup-show"),
}  # fmt: skip


class Hostile(BaseHTTPRequestHandler):
    """An API whose health document is hostile, and an engine that answers with hostile errors."""

    def do_GET(self) -> None:
        is_health = self.path == "/health"
        entry = {"status": "unhealthy", "message": f"{HOSTILE} seen"}
        checks = [{"name": name, **entry} for name in ("api", "database", "redis", HOSTILE)]
        body = json.dumps({"checks": checks} if is_health else {"message": HOSTILE}).encode()
        self.send_response(200 if is_health else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hostile_address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def hostile_target(hostile_address: str, tmp_path: Path) -> Path:
    backups = tmp_path / "backups"
    backups.mkdir()
    (backups / f"pg {OBEYED}.sql.gz".replace("/", "")).write_bytes(b"no gzip")
    (backups / "log").mkdir()
    (backups / "log" / "backup.log").write_text(f"PostgreSQL backup FAILED {OBEYED}\n")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    logs = {
        "api": f"{now} ERROR {OBEYED}",
        "worker": json.dumps({"timestamp": now, "level": "ERROR", "message": HOSTILE}),
    }
    for service, line in logs.items():
        (tmp_path / f"{service}.log").write_text(f"{line}\n")
    path = tmp_path / "hostile.toml"
    nowhere = NOWHERE.replace('name = "nowhere"\n', "")
    path.write_text(
        nowhere.replace("http://127.0.0.1:1", f"http://{hostile_address}").replace(
            '"none"', f'"tcp://{hostile_address}"'
        )
        + f'project = {json.dumps("ops " + HOSTILE)}\nname = "hostile"\n'
        + f'[logs]\napi = "{tmp_path}/api.log"\nworker = "{tmp_path}/worker.log"\n'
        + f'[backups]\npostgres = "{backups}"\nredis = "{backups}"\nlogs = "{backups}/log"\n'
    )
    return path


def assert_clean(output: str, *, is_styled: bool = False) -> None:
    seen = STYLE.sub("", output) if is_styled else output
    assert {letter for letter in seen if not letter.isprintable()} <= {"\n", "\t"}
    assert not [line for line in seen.splitlines() if line.startswith("FIRING sev0 Forged")]
    assert "\x1b[31;47m" not in output


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_no_mode_writes_what_a_terminal_obeys(judge: Judge, hostile_target: Path, mode: tuple[str, ...]) -> None:
    seen = judge(*mode, target=hostile_target)
    assert seen.status == 1
    assert {"OrchestratorAPIDown", "OrchestratorDatabaseDown"} <= seen.in_state("firing")
    assert "evil" in seen.output  # there was something to clean
    assert_clean(seen.output, is_styled="--color=yes" in mode)


def test_show_target_the_header_and_wrong_usage_are_clean(hostile_target: Path, hostile_address: str) -> None:
    shown = run_pytest(f"--target={hostile_target}", "--show-target")
    assert "evil" in shown.stdout
    assert_clean(shown.stdout + shown.stderr)
    wrong = hostile_target.with_name("wrong.toml")
    wrong.write_text(f"[exemptions.{json.dumps(HOSTILE)}]\nreason = 'r'\nowner = 'o'\nuntil = 2099-01-01\n")
    refused = run_pytest(f"--target={wrong}", f"--docker=tcp://u:hidden-pw@{hostile_address}", "--project=ops")
    assert refused.returncode == 4
    assert_clean(refused.stdout + refused.stderr)
    assert "hidden-pw" not in refused.stdout + refused.stderr


def test_the_gate_is_clean(hostile_target: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    status = gate(["--wait=0s", f"--target={hostile_target}", f"--output={tmp_path / 'output'}"])
    assert status == 1
    assert_clean(capfdbinary.readouterr().out.decode())


WARNS = f"""
import warnings

@trigger()
def test_it():
    warnings.warn({HOSTILE!r})
"""


def test_warnings_of_libraries_are_cleaned_too(empty_project: Project, judge: Judge, hostile_target: Path) -> None:
    empty_project.add_alert("it_warns", WARNS)
    seen = judge("-v", target=hostile_target, cwd=empty_project.folder)
    assert "evil" in seen.output
    assert {letter for letter in seen.output if not letter.isprintable()} <= {"\n", "\t"}


@pytest.mark.parametrize("is_styled", [True, False])
def test_only_styles_of_pytest_itself_are_written(is_styled: bool) -> None:
    file = StringIO()
    CleanFile(file, is_styled=is_styled).write(f"\r\x1b[31m\x1b[1mfailed\x1b[0m {OBEYED}\n")
    written = file.getvalue()
    assert written.startswith("\r")
    assert ("\x1b[1mfailed" in written) is is_styled
    assert not {letter for letter in STYLE.sub("", written[1:]) if not letter.isprintable()} - {"\n"}
