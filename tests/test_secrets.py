from __future__ import annotations

import threading
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest

from fixtures.clients.masking import secrets_in_url
from sandbox.breaking import break_stack
from sandbox.faults import FAULTS
from tests.projects import Project, nowhere

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

MARKUP = "<img src=x onerror=alert(1)>"
IN_A_URL = "HiddenInAUrl1"
IN_A_QUERY = "HiddenInAQuery2"
IN_A_QUANTITY = "HiddenInAQuantity4"
IN_THE_PING = "hidden-in-the-ping-3"
STATEMENT = f"SELECT pg_sleep(60) /* {MARKUP} token={IN_A_QUERY} */"


@pytest.fixture
def own_secrets(sandbox: EmbeddedStack) -> set[str]:
    """The passwords that the sandbox's own settings hold."""
    settings = tomllib.loads((sandbox.folder / "target.toml").read_text())
    return secrets_in_url(settings["database_url"]) | secrets_in_url(settings["redis_url"])


@pytest.fixture
def slow_query(sandbox: EmbeddedStack) -> Iterator[None]:
    """A statement that runs, with a token and with markup in its text."""
    url = tomllib.loads((sandbox.folder / "target.toml").read_text())["database_url"]
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:

        def run() -> None:
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute(STATEMENT)

        thread = threading.Thread(target=run)
        thread.start()
        yield
        connection.cancel()
        thread.join()


@pytest.fixture
def settings(sandbox: EmbeddedStack, tmp_path: Path) -> Path:
    """The sandbox's settings, with limits that make the slow query, and more than it, fire.

    A Prometheus is named that is not there, at an address with a password: what is measured without it says so.
    """
    text = (sandbox.folder / "target.toml").read_text()
    path = tmp_path / "target.toml"
    prometheus = f'prometheus_url = "http://checks:{IN_A_QUANTITY}@127.0.0.1:1"'
    path.write_text(f'{prometheus}\n{text}\n[limits.DatabaseSlowQueries]\nstatement_age = "0.1 s"\n')
    return path


PRINTED = "HiddenInAPrint4"
PRINTS = f"""
@pytest.fixture
def talks():
    print("token={PRINTED}")
    yield
    print("token={PRINTED}")

@trigger()
def test_it(talks):
    print("token={PRINTED}")
    secret = "{PRINTED}"
    {{}}
"""


@pytest.mark.parametrize("body", ["pass", "assert not secret, 'it is bad'", "raise OSError('lost')"])
@pytest.mark.parametrize("arguments", [(), ("-n", "2"), ("-l", "--tb=long", "-rA", "-v")])
def test_what_a_check_prints_and_holds_is_in_no_output(
    judge: Judge, tmp_path: Path, body: str, arguments: tuple[str, ...]
) -> None:
    project = Project(tmp_path / "project")
    project.add_alert("it_talks", PRINTS.format(body))
    seen = judge(*arguments, target=nowhere(tmp_path), cwd=project.folder)
    assert PRINTED not in seen.output
    assert seen.folder is not None
    assert [path for path in seen.folder.iterdir() if PRINTED in path.read_text()] == []


@pytest.mark.usefixtures("slow_query")
@pytest.mark.parametrize("arguments", [(), ("-n", "2"), ("-l", "--tb=long")])
def test_no_secret_and_no_markup_survives_into_any_output(
    sandbox: EmbeddedStack,
    judge: Judge,
    settings: Path,
    tmp_path: Path,
    own_secrets: set[str],
    arguments: tuple[str, ...],
) -> None:
    break_stack(sandbox, FAULTS["workers-stopped"])
    now = datetime.now(UTC).isoformat()
    with sandbox.log("worker").open("a") as log:
        log.write(
            f'{{"timestamp": "{now}", "level": "ERROR", "message": "{MARKUP} amqp://u:{IN_A_URL}@mq/ is gone"}}\n'
        )
    summary, metrics = tmp_path / "summary.md", tmp_path / "metrics.prom"
    seen = judge(
        "-v", *arguments, f"--metrics={metrics}", f"--ping=http://127.0.0.1:1/{IN_THE_PING}",
        "-o", f"cache_dir={tmp_path / 'cache'}",
        target=settings, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary),
    )  # fmt: skip
    assert {"NoActiveWorkers", "DatabaseSlowQueries"} <= seen.in_state("firing")
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path != settings]
    names = {path.name for path in files}
    assert {"report.html", "results.json", "junit.xml", "index.html", "summary.md", "metrics.prom"} <= names
    written = {str(path): path.read_bytes() for path in files} | {"terminal": seen.output.encode()}
    for place, content in written.items():
        for secret in {IN_A_URL, IN_A_QUERY, IN_A_QUANTITY, IN_THE_PING, *own_secrets}:
            assert secret.encode() not in content, f"{secret} in {place}"
        if place.endswith((".html", ".md")):
            assert MARKUP.encode() not in content, place
    assert seen.folder is not None
    told = (seen.folder / "results.json").read_text()
    assert "onerror=alert(1)" in told  # what was to be masked was there to be told
    assert "amqp://u:•••@mq/" in told
    assert "http://checks:•••@127.0.0.1:1" in seen.alert("HighAPILatency")["measured"]["text"]
