from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from fixtures.clients.docker import Engine
from fixtures.clients.masking import Masker
from fixtures.settings import BadSettings, Origin, Settings, load
from fixtures.target import is_elsewhere
from playbook.evidence import Cost
from tests.projects import NOWHERE, SECRET, Project, nowhere, run_pytest

if TYPE_CHECKING:
    from pathlib import Path

DATABASE_URL = f"postgresql+psycopg://orchestrator:{SECRET}@db:5432/orchestrator"


def options(**given: object) -> SimpleNamespace:
    names = ("target", "api_url", "database_url", "redis_url", "prometheus_url", "alertmanager_url", "grafana_url",
             "docker", "project")  # fmt: skip
    return SimpleNamespace(**(dict.fromkeys(names) | given))


def read(folder: Path, text: str = "", *, environ: dict[str, str] | None = None, **given: object) -> Origin:
    """Read settings where ordinaut.toml has this text."""
    if text:
        (folder / "ordinaut.toml").write_text(text)
    return load(options(**given), folder, environ or {})


# -- what comes before what


def test_the_file_is_read(tmp_path: Path) -> None:
    origin = read(tmp_path, 'name = "mine"\napi_url = "http://file"\n[limits.HighDiskUsage]\ndisk = 0.9\n')
    assert origin.settings.api_url == "http://file"
    assert origin.settings.limits == {"HighDiskUsage": {"disk": 0.9}}
    assert origin.sources["api_url"] == str(tmp_path / "ordinaut.toml")


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    origin = read(tmp_path, 'api_url = "http://file"\n', environ={"API_URL": "http://environment"})
    assert origin.settings.api_url == "http://environment"
    assert origin.sources["api_url"] == "environment API_URL"


def test_the_command_line_comes_before_the_environment(tmp_path: Path) -> None:
    origin = read(tmp_path, environ={"API_URL": "http://environment"}, api_url="http://option")
    assert origin.settings.api_url == "http://option"
    assert origin.sources["api_url"] == "command line --api-url"


def test_each_value_comes_from_its_own_source(tmp_path: Path) -> None:
    origin = read(
        tmp_path, 'redis_url = "redis://file"\n', environ={"DATABASE_URL": DATABASE_URL}, api_url="http://option"
    )
    settings = origin.settings
    assert (settings.redis_url, settings.database_url, settings.api_url) == (
        "redis://file", DATABASE_URL, "http://option",
    )  # fmt: skip


def test_an_empty_variable_is_no_value(tmp_path: Path) -> None:
    origin = read(tmp_path, 'api_url = "http://file"\n', environ={"API_URL": ""})
    assert origin.settings.api_url == "http://file"


def test_a_named_target_is_not_mixed_with_the_environment(tmp_path: Path) -> None:
    (tmp_path / "staging.toml").write_text('api_url = "http://staging"\n')
    origin = read(
        tmp_path,
        'redis_url = "redis://file"\n',
        environ={"DATABASE_URL": DATABASE_URL, "API_URL": "http://environment", "DOCKER_HOST": "tcp://elsewhere"},
        target=str(tmp_path / "staging.toml"),
    )
    settings = origin.settings
    assert (settings.api_url, settings.database_url, settings.redis_url, settings.docker) == (
        "http://staging", None, None, None,
    )  # fmt: skip


def test_the_sandbox_is_found_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "target.toml").write_text('api_url = "http://sandbox"\n')
    origin = read(tmp_path, environ={"ORDINAUT_SANDBOX": str(tmp_path)}, target="sandbox")
    assert origin.settings.api_url == "http://sandbox"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db:5432/x",
        "postgres://u@db/x",
        "postgresql+psycopg://u:p%40ss@db/x",
        "postgresql:///x?host=/run/postgresql",
        "postgresql://u@[::1]:5432/x",
    ],
)
def test_the_forms_of_a_database_url_are_taken(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, environ={"DATABASE_URL": url}).settings.database_url == url


# -- what is wrong

BAD_FILES = {
    "an unknown key": ('api_uri = "http://a"\n', "api_uri"),
    "an unknown key of a table": ('api_url = "http://a"\n[deadlines]\nhours = 1\n', "hours"),
    "a wrong type": ("api_url = 8080\n", "api_url"),
    "a word for a number": ('[deadlines]\ncall = "long"\n', "call"),
    "no TOML": ("api_url = http://a\n", "line 1"),
    "a deadline of nothing": ('api_url = "http://a"\n[deadlines]\ncall = 0\n', "deadlines.call"),
    "a negative deadline": ('api_url = "http://a"\n[deadlines]\nrun = -1\n', "deadlines.run"),
    "a deadline that is no number": ('api_url = "http://a"\n[deadlines]\nrun = nan\n', "deadlines.run"),
    "an endless deadline": ('api_url = "http://a"\n[deadlines]\nconnect = inf\n', "deadlines.connect"),
    "a timezone that is none": ('api_url = "http://a"\ntimezone = "Mars/Phobos"\n', "timezone"),
    "a timezone that is a path": ('api_url = "http://a"\ntimezone = "../../etc/passwd"\n', "timezone"),
    "a limit that is a list": (
        'api_url = "http://a"\n[limits.NoActiveWorkers]\nheartbeat_age = [1]\n',
        "limits",
    ),
}
BAD_ENVIRONMENTS = {
    "no scheme": {"API_URL": "api:8080"},
    "another scheme": {"API_URL": "ftp://api"},
    "no host": {"REDIS_URL": "redis://"},
    "a database without a host": {"DATABASE_URL": f"postgresql:///x_{SECRET}"},
    "a port that is no number": {"DATABASE_URL": f"postgresql://u:{SECRET}@db:five/x"},
    "a port out of range": {"DATABASE_URL": f"postgresql://u:{SECRET}@db:70000/x"},
    "another database": {"DATABASE_URL": f"mysql://u:{SECRET}@db/x"},
    "brackets that do not close": {"API_URL": "http://[::1"},
    "a word": {"DATABASE_URL": SECRET},
    "an engine that is a word": {"DOCKER_HOST": "nonee"},
}


@pytest.mark.parametrize(("text", "says"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_wrong_value_in_the_file_is_named_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadSettings) as raised:
        read(tmp_path, text)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("environ", BAD_ENVIRONMENTS.values(), ids=BAD_ENVIRONMENTS)
def test_a_malformed_url_is_named_in_one_line_without_its_password(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(BadSettings) as raised:
        read(tmp_path, environ=environ)
    (variable,) = environ
    assert f"environment {variable}" in str(raised.value)
    assert "malformed URL" in str(raised.value)
    assert SECRET not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("target", "says"), [("sandbox", "no sandbox is running"), ("gone.toml", "no such settings")])
def test_a_target_that_is_not_there_is_said(tmp_path: Path, target: str, says: str) -> None:
    with pytest.raises(BadSettings, match=says):
        read(tmp_path, target=target, environ={"ORDINAUT_SANDBOX": str(tmp_path)})


# -- what pytest makes of it

BAD_RUNS = {
    "an unknown key": (f'nonsense = "{SECRET}"', "nonsense"),
    "a malformed URL": (f'prometheus_url = "{SECRET}"', "prometheus_url"),
    "no alert of that name": ("[limits.NoActiveWorker]\nheartbeat_age = 60", "there is no alert of that name"),
    "no limit of that name": ("[limits.NoActiveWorkers]\nage = 60", "no limit age (it has: "),
    "a negative limit": (
        "[limits.NoActiveWorkers]\nheartbeat_age = -60",
        "limits.NoActiveWorkers: -60.0 is no length of time",
    ),
    "a limit that is no number": ('[limits.NoActiveWorkers]\nheartbeat_age = "soon"', "is no length of time"),
    "a limit of two dots": ('[limits.NoActiveWorkers]\nheartbeat_age = "1.2.3 s"', "is no length of time"),
    "a limit of ages": ('[limits.NoActiveWorkers]\nheartbeat_age = "999999999999 d"', "longer than any length"),
    "a share above one": ("[limits.NoActiveWorkers]\ndisk_free = 5", "is no share"),
}


@pytest.mark.parametrize(("text", "says"), BAD_RUNS.values(), ids=BAD_RUNS)
def test_a_wrong_setting_stops_the_run_at_once(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "target.toml"
    path.write_text(f"{NOWHERE}\n{text}\n")
    seen = run_pytest(f"--target={path}", f"--output={tmp_path}/output")
    assert seen.returncode == 4
    told = [line for line in (seen.stdout + seen.stderr).splitlines() if says in line]
    assert len(told) == 1
    assert "Traceback" not in seen.stdout + seen.stderr
    assert SECRET not in seen.stdout + seen.stderr
    assert not (tmp_path / "output").exists()


def test_a_limit_of_an_alert_that_is_not_selected_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "target.toml"
    path.write_text(f"{NOWHERE}\n[limits.NoActiveWorkers]\nheartbeat_age = '5 min'\n")
    seen = run_pytest(f"--target={path}", f"--output={tmp_path}/output", "-k", "test_the_api_listens")
    assert seen.returncode == 1


@pytest.mark.parametrize("hosts", ["docker://api", "kubectl://api", "podman://api"])
def test_a_host_that_is_reached_by_more_than_reading_is_a_usage_error(tmp_path: Path, hosts: str) -> None:
    seen = run_pytest(f"--target={nowhere(tmp_path)}", f"--hosts={hosts}")
    assert seen.returncode == 4
    assert "--hosts: a host is reached by local:// or ssh://" in seen.stderr


def test_several_hosts_are_a_usage_error(tmp_path: Path) -> None:
    seen = run_pytest(f"--target={nowhere(tmp_path)}", "--hosts=ssh://a,ssh://b")
    assert seen.returncode == 4
    assert "one host at a time" in seen.stderr + seen.stdout


def test_no_target_at_all_is_a_usage_error_that_says_how_to_name_one(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.add_alert("fine_alert", "\n@trigger()\ndef test_it():\n    'It.'\n")
    seen = run_pytest("--docker=none", cwd=project.folder)
    assert seen.returncode == 4
    assert "--target sandbox" in seen.stderr + seen.stdout
    assert not (project.folder / "reports" / "output").exists()


def test_the_target_is_shown_with_its_sources_and_without_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "target.toml"
    path.write_text(f"{NOWHERE}\n[limits.NoActiveWorkers]\nheartbeat_age = '5 min'\n")
    seen = run_pytest("--show-target", f"--target={path}", "--api-url=http://elsewhere:8080")
    assert seen.returncode == 0
    assert SECRET not in seen.stdout + seen.stderr
    lines = seen.stdout.splitlines()
    assert any("http://elsewhere:8080" in line and "command line --api-url" in line for line in lines)
    assert any("127.0.0.1:1/orchestrator" in line and str(path) in line for line in lines)
    assert any("NoActiveWorkers.heartbeat_age = 5 min" in line for line in lines)


# -- whose host is judged


@pytest.mark.parametrize(
    ("settings", "engine", "elsewhere"),
    [
        (Settings(api_url="http://127.0.0.1:8080"), "none", False),
        (Settings(api_url="http://10.0.0.5:8080"), "none", True),
        (Settings(api_url="http://10.0.0.5:8080", redis_url="redis://localhost:6379/0"), "none", False),
        (Settings(project="ops", api_url="http://172.18.0.5:8080"), "unix:///var/run/docker.sock", False),
        (Settings(project="ops", api_url="http://10.0.0.5:8080"), "tcp://10.0.0.5:2375", True),
    ],
)
def test_the_disks_of_this_machine_are_not_claimed_of_another(settings: Settings, engine: str, elsewhere: bool) -> None:
    asked = Engine(engine, settings.project, settings.deadlines, Masker(set()), Cost())
    assert is_elsewhere(settings, asked) is elsewhere


def test_what_needs_the_host_is_skipped_in_words_where_the_target_is_elsewhere(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text('api_url = "http://192.0.2.1:8080"\ndocker = "none"\n[deadlines]\ncall = 0.5\nconnect = 0.5\n')
    done = run_pytest(f"--target={target}", f"--output={tmp_path / 'output'}", "-k", "memory_is_available", "-rs")
    assert done.returncode == 5, done.stdout
    assert "name its host with --hosts" in done.stdout


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[limits.noactiveworkers]\nheartbeat_age = 60", "there is no alert of that name (one is NoActiveWorkers)"),
        ("[limits.BackupsFailed]\nbackup_age = 60", "limits.BackupsFailed: there is no alert of that name"),
        ('[limits.NoActiveWorkers]\nheartbeat_age = "-3 min"', "limits.NoActiveWorkers: '-3 min' is no length"),
    ],
)
def test_a_table_of_an_alert_that_says_nothing_stops_the_run_with_one_line(
    tmp_path: Path, table: str, words: str, processes: tuple[str, ...]
) -> None:
    target = nowhere(tmp_path)
    target.write_text(f"{target.read_text()}\n{table}\n")
    seen = run_pytest("-m", "sev0", *processes, f"--target={target}", f"--output={tmp_path}/output")
    assert seen.returncode == 4
    assert words in seen.stderr
    assert seen.stderr.strip().count("\n") == 0
    assert "INTERNALERROR" not in seen.stdout
