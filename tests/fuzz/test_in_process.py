"""What a target answers may be anything: a probe makes a fact of it or says why not, and shows no secret of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from fixtures.api import health, latency
from fixtures.clients.docker import Engine
from fixtures.clients.engine import EngineClient
from fixtures.clients.masking import Masker
from fixtures.monitoring import alertmanager, dashboards, labels, rules, scraping, series, silences
from fixtures.platform import containers, logs
from fixtures.settings import Settings, settings_of_target
from fixtures.target import Target
from playbook.evidence import Absent, Unknown
from playbook.probe import Probe, Probes
from playbook.target import BadSettings
from tests.fuzz.answers import SECRET, documents, texts
from tests.fuzz.test_whole_runs import CONTROL
from tests.fuzz.worlds import PARTS, Bent, servers
from tests.targets import ALERTS, context

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

EACH = 720  # examples: 5,040 in the seven tests of this file
fuzzed = settings(max_examples=EACH, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
ASKED: dict[str, tuple[ModuleType, ...]] = {
    "api": (health, latency),
    "prometheus": (scraping, rules, series, labels, latency, alertmanager),
    "alertmanager": (alertmanager, silences),
    "grafana": (dashboards,),
    "docker": (containers,),
}
SETTINGS = Settings(
    name="fuzzed", project="ordinaut", docker="tcp://docker:1", api_url="http://api", grafana_url="http://grafana",
    prometheus_url="http://prometheus", alertmanager_url="http://alertmanager",
)  # fmt: skip


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Bent]:
    """Have every server answer as this says, without a network; what is not in it answers as a real one does."""
    hows: dict[str, Bent] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        part = request.url.host
        if part not in PARTS:
            return httpx.Response(404, stream=httpx.ByteStream(b""))
        status, headers, body = hows.get(part, Bent()).answer(part, request.url.raw_path.decode())
        return httpx.Response(status, headers=dict(headers), stream=httpx.ByteStream(body))

    class Client(httpx.Client):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options | {"transport": httpx.MockTransport(answer)})

    class Api:
        """What the engine's SDK returns: documents of any kind."""

        api_version = "1.44"

        def __enter__(self) -> Api:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def version(self, **_: object) -> Any:
            return self._document("/")

        def containers(self, **_: object) -> Any:
            return self._document("/v1.44/containers/json")

        def inspect_container(self, _: object) -> Any:
            return self._document("/v1.44/containers/")

        def stats(self, *_: object, **__: object) -> Any:
            return self._document("/v1.44/containers/")

        def df(self) -> Any:
            return self._document("/v1.44/system/df")

        def info(self) -> Any:
            return self._document("/v1.44/info")

        @staticmethod
        def _document(path: str) -> Any:
            return json.loads(hows.get("docker", Bent()).answer("docker", path)[2])

    monkeypatch.setattr(httpx, "Client", Client)
    monkeypatch.setattr(EngineClient, "_client", lambda *_: Api())
    return hows


def target() -> Target:
    """Return a target of which nothing was asked yet."""
    shared = context()
    return Target(SETTINGS, Engine(SETTINGS.docker, SETTINGS.project, shared, Masker(set())), shared, ALERTS)


def probes_in(*modules: ModuleType) -> list[Probe[Any]]:
    named = [value for module in modules for value in vars(module).values() if hasattr(value, "probe")]
    return [value.probe for value in named if isinstance(value.probe, Probe)]


def observe(of: Target, *probes: Probe[Any]) -> list[object]:
    """Return the facts of probes, without those that say why there is none; all that is noted may be shown."""
    run = Probes(of)
    run.start(probes)
    facts = []
    for each in probes:
        try:
            facts.append(run.fact(each))
        except (Unknown, Absent) as answer:
            require_clean(each.name, str(answer))
        for page in run.evidence(each.name):
            require_clean(f"{each.name}: {page.command}", f"{page.command} {page.excerpt}")
    return facts


def require_clean(where: str, text: str) -> None:
    assert SECRET not in text, f"{where} shows a secret: {text}"
    assert not CONTROL.search(text), f"{where} has a control character: {text!r}"


def ask_all(fact: object) -> None:
    """Read all that a fact says without being given a limit: it says it, or why it cannot."""
    if not isinstance(fact, Struct):
        return
    for name in dir(type(fact)):
        if not name.startswith("_") and isinstance(getattr(type(fact), name), property):
            try:
                getattr(fact, name)
            except (Unknown, Absent):
                continue
    str(fact)


@pytest.mark.parametrize("part", PARTS)
def test_a_probe_makes_a_fact_of_any_answer_or_says_why_not(part: str, answers: dict[str, Bent]) -> None:
    @fuzzed
    @given(servers)
    def holds(how: Bent) -> None:
        answers.clear()
        answers[part] = how
        for fact in observe(target(), *probes_in(*ASKED[part])):
            ask_all(fact)

    holds()


def test_any_line_is_read_as_a_line_of_a_log() -> None:
    lines = st.lists(texts | documents.map(json.dumps), max_size=6).map("\n".join)

    @fuzzed
    @given(lines)
    def holds(text: str) -> None:
        of = target()
        of.engine.log = lambda *_: text  # type: ignore[method-assign]
        (fact,) = observe(of, logs.api_log.probe)
        assert isinstance(fact, logs.LogTail)
        for line in fact.lines:
            require_clean("a line", str(line))

    holds()


def test_settings_are_read_or_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.toml"
    path.touch()
    values = documents | st.dictionaries(texts, documents, max_size=2)

    @fuzzed
    @given(st.dictionaries(st.sampled_from(Settings.__struct_fields__) | st.text(), values, max_size=4))
    def holds(raw: dict[str, Any]) -> None:
        monkeypatch.setattr("fixtures.settings._read_toml", lambda _: json.loads(json.dumps(raw)))
        refusal = ""
        try:
            settings_of_target(str(path), tmp_path, {})
        except BadSettings as error:
            refusal = str(error)
        require_clean("a refusal", refusal)
        assert "\n" not in refusal

    holds()
