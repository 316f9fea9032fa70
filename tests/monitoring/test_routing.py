"""Configurations of a real Alertmanager that are right or wrong, and easily mistaken for the opposite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.monitoring.routing import routing
from fixtures.settings import Settings
from sandbox.target import FILE
from tests.targets import target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.monitoring.routing import Routing
    from sandbox.embedded import EmbeddedStack
    from sandbox.monitoring.configuration import Document
    from tests.conftest import Judge

NULL: Any = {"name": "null"}


def negative_first(document: Document) -> None:
    """Warnings go to one team, critical alerts to the team of their service: no service's route is shadowed."""
    routes = document["route"]["routes"]
    routes[0] = {"matchers": ['severity!="critical"'], "receiver": "operations-team"}


def by_an_external_label(document: Document) -> None:
    """Only alerts of this Prometheus are routed, by a label that none of our rules has."""
    root = document["route"]
    below = {"matchers": ['environment="sandbox"'], "receiver": "default-receiver", "routes": root["routes"]}
    document["route"] = {**root, "receiver": "null", "routes": [below]}
    document["receivers"].append(NULL)


def archive_first(document: Document) -> None:
    """An archive without an integration takes everything, and lets it continue to the next receiver."""
    document["route"]["routes"].insert(0, {"receiver": "null", "continue": True})
    document["route"]["routes"].append({"receiver": "default-receiver"})
    document["receivers"].append(NULL)


def hard_to_read(document: Document) -> None:
    """Matchers with escapes and expressions that no alert of ours matches."""
    matchers = [r'summary=~"\\d+ \"jobs\""', 'service=~"[[:alpha:]]+-db"']
    document["route"]["routes"].insert(0, {"matchers": matchers, "receiver": "null"})
    document["receivers"].append({**NULL, "slack_configs": [{"api_url": "https://hooks.slack.com/x", "channel": "#a"}]})


def by_many_teams(document: Document) -> None:
    """Alerts of four other teams, by a label that ours do not have, after the critical ones."""
    teams = {f"team-{n}": {"matchers": [f'team="{n}"'], "receiver": f"team-{n}"} for n in range(4)}
    watchdog = {"matchers": ['alertname="Watchdog"'], "receiver": "null"}
    first, *others = document["route"]["routes"]
    document["route"]["routes"] = [watchdog, first, *teams.values(), *others]
    document["receivers"] += [NULL, *({"name": name} for name in teams)]


@pytest.fixture
def configured(watched: EmbeddedStack) -> Iterator[Callable[[Callable[[Document], None]], None]]:
    """Change the configuration of Alertmanager until the test ends."""

    yield lambda change: watched.monitoring.reconfigure("alertmanager", change)
    watched.monitoring.reconfigure("alertmanager")


@pytest.mark.parametrize("change", [negative_first, by_an_external_label, archive_first, hard_to_read, by_many_teams])
def test_a_right_configuration_is_ok(
    change: Callable[[Document], None],
    configured: Callable[[Callable[[Document], None]], None],
    watched: EmbeddedStack,
    judge: Judge,
) -> None:
    configured(change)
    seen = judge("-k", "alert_routing", target=watched.folder / FILE)
    assert seen.status == 0, seen.output


def test_the_evidence_names_what_was_not_judged(
    configured: Callable[[Callable[[Document], None]], None], watched: EmbeddedStack, judge: Judge
) -> None:
    configured(hard_to_read)
    checks = judge("-k", "alert_routing", target=watched.folder / FILE).alert("AlertRoutingBroken")["checks"]
    said = "\n".join(page["excerpt"] for page in checks[0]["evidence"] if page["source"] == "alertmanager")
    assert 'not judged: {service=~"[[:alpha:]]+-db", summary=~"\\d+ "jobs""} is meant for null' in said
    assert "not judged: the addresses of null, which Alertmanager does not tell" in said


def test_a_route_by_a_label_that_no_alert_has_notifies_nobody(
    configured: Callable[[Callable[[Document], None]], None], watched: EmbeddedStack, judge: Judge
) -> None:
    def of_another_environment(document: Document) -> None:
        by_an_external_label(document)
        document["route"]["routes"][0]["matchers"] = ['environment="production"']

    configured(of_another_environment)
    alert = judge("-k", "alert_routing", target=watched.folder / FILE).alert("AlertRoutingBroken")
    assert (alert["state"], alert["causes"][0]["name"]) == ("firing", "receiver-empty")
    assert "receiver without integration: null (" in alert["message"]


def test_what_was_found_is_reported_though_not_all_was_tried(
    configured: Callable[[Callable[[Document], None]], None],
    watched: EmbeddedStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def empty_before_many(document: Document) -> None:
        by_many_teams(document)
        document["receivers"] = [
            {"name": one["name"]} if one["name"] == "critical-alerts" else one for one in document["receivers"]
        ]

    configured(empty_before_many)
    monkeypatch.setattr("fixtures.monitoring.routing.MOST_ASKED", 22)
    prometheus, alertmanager = (
        f"http://127.0.0.1:{watched.monitoring.ports[name]}" for name in ("prometheus", "alertmanager")
    )
    found: Routing = routing.probe.read(target_of(Settings(prometheus_url=prometheus, alertmanager_url=alertmanager)))
    assert [words.partition(" (")[0] for words in found.empty] == ["critical-alerts"]
    assert "receiver without integration: critical-alerts" in found.problems[0]
    assert "not all was tried" in str(found.unjudged[-1])
    assert found.shadowed == []
