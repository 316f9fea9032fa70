from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from reports.results import SCHEMA_VERSION
from reports.schema import FILE, generated
from sandbox.breaking import break_stack
from sandbox.faults import FAULTS
from tests.conftest import health_run
from tests.projects import Project, nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge, Judgement

SCHEMA = json.loads(FILE.read_text())
VALIDATOR = Draft202012Validator(SCHEMA)


def mistakes(results: dict[str, Any] | None) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(results)]


def objects(thing: Any) -> list[dict[str, Any]]:
    """Return every schema of an object that is part of the schema."""
    if isinstance(thing, list):
        return [found for each in thing for found in objects(each)]
    if not isinstance(thing, dict):
        return []
    own = [thing] if thing.get("type") == "object" else []
    return own + [found for each in thing.values() for found in objects(each)]


def test_the_file_is_as_it_is_generated() -> None:
    assert FILE.read_text() == generated(), "results.schema.json is out of date: run `make readme`"


def test_it_is_a_json_schema_of_this_version() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["Results"]["properties"]["schema_version"] == {"enum": [SCHEMA_VERSION]}


def test_no_object_may_have_a_key_that_the_schema_does_not_name() -> None:
    assert all(each["additionalProperties"] is not True for each in objects(SCHEMA))
    for each in objects(SCHEMA):
        assert set(each.get("required", ())) == set(each.get("properties", ()))


def test_a_healthy_run_follows_the_schema(judge: Judge) -> None:
    assert mistakes(judge().results) == []


@pytest.mark.parametrize("fault", ["workers-stopped", "postgres-stopped", "checker-password", "errors-in-the-log"])
def test_a_broken_run_follows_the_schema(judge: Judge, sandbox: EmbeddedStack, fault: str) -> None:
    break_stack(sandbox, FAULTS[fault])
    assert mistakes(judge().results) == []


@pytest.mark.parametrize("arguments", [("-x",), ("-n", "2"), ("-k", "no_check_is_called_so"), ("-m", "sev0")])
def test_any_other_run_follows_the_schema(judge: Judge, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert mistakes(judge(*arguments, target=nowhere(tmp_path)).results) == []


def test_a_run_with_a_broken_module_follows_the_schema(judge: Judge, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.add_module("broken_alert", "1 / 0\n")
    assert mistakes(judge(target=nowhere(tmp_path), cwd=project.folder).results) == []


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Judgement:
    """One run for all tests; each breaks a copy of its results."""
    place = tmp_path_factory.mktemp("seen")
    return health_run(place / "output", f"--target={nowhere(place)}", "-k", "test_the_api_listens")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), "ok"),
        (("exit_status",), 0),
        (("schema_version",), 1),
        (("started_at",), "yesterday"),
        (("surprise",), 1),
        (("alerts", 0, "state"), "noted"),
        (("alerts", 0, "severity"), 4),
        (("alerts", 0, "message"), ""),
        (("alerts", 0, "respond_by"), None),
        (("alerts", 0, "surprise"), 1),
        (("alerts", 0, "causes", 0, "runbook_anchor"), "Not An Anchor"),
        (("alerts", 0, "checks", 0, "outcome"), "noted"),
        (("alerts", 0, "checks", 0, "evidence", 0, "took_ms"), -1),
        (("probes", 0, "error"), ""),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else str(value),
)
def test_a_violation_is_found(seen: Judgement, path: tuple[str | int, ...], value: object) -> None:
    results = copy.deepcopy(seen.results)
    assert mistakes(results) == []
    place: Any = results
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert mistakes(results) != []
