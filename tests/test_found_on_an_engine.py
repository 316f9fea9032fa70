"""What discovery makes of the containers of an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.discovery import discover
from fixtures.platform.containers import BY_HAND, Container, Containers, Usage, usage_of
from fixtures.settings import BadSettings, Origin, Settings
from playbook.evidence import Unknown
from playbook.quantities import Count, Share, Size, Span, listed
from tests.engines import DATABASE_URL, MadeUpEngine, container

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = (f"DATABASE_URL={DATABASE_URL}", "REDIS_URL=redis://redis:6379/0")


def found(engine: MadeUpEngine, **given: Any) -> Settings:
    """Give the settings that discovery makes of an engine's containers."""
    return discover(Origin(Settings(**given), {}), engine).origin.settings


def ordinaut(project: str, pattern: str, **api: Any) -> list[dict[str, Any]]:
    """Give an Ordinaut of one compose project, its containers named by a pattern."""
    return [
        container(pattern.format(project, service), project, service, environment=ENVIRONMENT, **api)
        for service in ("postgres", "redis", "api", "scheduler", "worker")
    ]


def by_hand(*names: str, **images: str) -> list[dict[str, Any]]:
    """Give containers without labels."""
    return [container(name, image=images.get(name, "sha256:0a1b2c"), environment=ENVIRONMENT) for name in names]


def services(engine: MadeUpEngine) -> dict[str, str]:
    """Give the service that each container is taken for."""
    return {raw["Id"]: raw["Service"] for raw in engine.rows() if raw["Service"]}


# -- which containers


@pytest.mark.parametrize("pattern", ["{}_{}_1", "{}-{}-1"], ids=["compose v1", "compose v2"])
def test_a_project_is_found_by_its_labels(pattern: str) -> None:
    assert found(MadeUpEngine(*ordinaut("ops", pattern), *by_hand("redis", "other"))).project == "ops"


@pytest.mark.parametrize("pattern", ["{}", "ops_{}_1", "ops-{}-1", "my-{}", "{}2"])
def test_containers_made_by_hand_are_found_by_their_names(pattern: str) -> None:
    names = [pattern.format(service) for service in ("api", "postgres", "redis", "worker")]
    assert found(MadeUpEngine(*by_hand(*names, "grafana", "redis-exporter"))).project == BY_HAND


def test_where_no_name_tells_the_image_does() -> None:
    engine = MadeUpEngine(
        *by_hand("db", "queue", "web", "metrics", db="postgres:16.4", queue="docker.io/library/redis@sha256:0a1b",
                 web="registry:5000/ordinaut/ops-api:1.2", metrics="prometheuscommunity/postgres-exporter")
    )  # fmt: skip
    assert services(engine) == {"db": "postgres", "queue": "redis", "web": "api"}
    assert found(engine).project == BY_HAND


@pytest.mark.parametrize(("zone", "taken"), [("Europe/Berlin", "Europe/Berlin"), ("CET-1CEST", "UTC")])
def test_the_zone_of_the_api_is_taken_where_it_is_one(zone: str, taken: str) -> None:
    api = container("ops_api_1", "ops", "api", environment=(*ENVIRONMENT, f"TZ={zone}"))
    others = [raw for raw in ordinaut("ops", "{}_{}_1") if raw["Name"] != "/ops_api_1"]
    assert found(MadeUpEngine(api, *others)).timezone == taken


def test_a_name_comes_before_an_image() -> None:
    engine = MadeUpEngine(*by_hand("redis", "cache", redis="redis:7.2", cache="redis:6"))
    assert services(engine) == {"redis": "redis"}


def test_of_several_projects_one_must_be_chosen() -> None:
    engine = MadeUpEngine(
        *ordinaut("ops", "{}-{}-1"), *ordinaut("staging", "{}_{}_1"), *by_hand("api", "redis", "worker")
    )
    with pytest.raises(BadSettings, match=r"several projects look like Ordinaut: .*, ops, staging; choose with"):
        found(engine)
    assert found(engine, project="staging").project == "staging"
    assert found(engine, project=BY_HAND).project == BY_HAND


def test_beside_a_plain_name_another_that_ends_like_it_is_another_ones() -> None:
    engine = MadeUpEngine(*by_hand("api", "redis", "worker", "worker-2", "postgres", "gitlab-postgres", "gitlab-api"))
    assert sorted(services(engine)) == ["api", "postgres", "redis", "worker", "worker-2"]


def test_what_compose_runs_once_is_none_of_the_service() -> None:
    once = container("ops_api_run_0a1b", "ops", "api", published={8080: ("127.0.0.1", 1)}, Status="exited", ExitCode=1)
    once["Config"]["Labels"]["com.docker.compose.oneoff"] = "True"
    stays = container("ops_api_1", "ops", "api", published={8080: ("127.0.0.1", 18080)})
    stays["Config"]["Labels"]["com.docker.compose.oneoff"] = "False"
    engine = MadeUpEngine(once, stays)
    assert address(engine) == "http://127.0.0.1:18080"
    assert [each.name for each in engine.containers().all] == ["ops_api_1"]


def test_two_services_are_no_ordinaut() -> None:
    with pytest.raises(BadSettings, match=r"no containers at unix:///made/up\.sock look like Ordinaut"):
        found(MadeUpEngine(*by_hand("postgres", "redis")))


# -- by which address


def address(engine: MadeUpEngine) -> str | None:
    """Give the API's address as it was found."""
    return found(engine, project="ops").api_url


def api(host: str | None = None, **more: Any) -> dict[str, Any]:
    """Give the API's container, its port published at an address of the engine's host."""
    return container("api", "ops", "api", published={8080: (host, 18080)} if host else None, **more)


@pytest.mark.parametrize(
    ("engine", "bound_to", "reached_at"),
    [
        ("unix:///s", "0.0.0.0", "http://127.0.0.1:18080"),
        ("unix:///s", "127.0.0.1", "http://127.0.0.1:18080"),
        ("unix:///s", "10.0.0.5", "http://10.0.0.5:18080"),
        ("unix:///s", "::1", "http://[::1]:18080"),
        ("tcp://10.0.0.5:2375", "0.0.0.0", "http://10.0.0.5:18080"),
        ("tcp://[fd00::5]:2375", "::", "http://[fd00::5]:18080"),
        ("tcp://10.0.0.5:2375", "10.0.0.6", "http://10.0.0.6:18080"),
        ("tcp://10.0.0.5:2375", "127.0.0.1", None),
        ("tcp://127.0.0.1:2375", "127.0.0.1", "http://127.0.0.1:18080"),
    ],
)
def test_a_published_port_is_reached_at_the_engines_host(engine: str, bound_to: str, reached_at: str | None) -> None:
    assert address(MadeUpEngine(api(bound_to), url=engine)) == reached_at


def test_a_host_that_ssh_alone_knows_is_reached_by_its_address(tmp_path: Path) -> None:
    from fixtures.clients.ssh import Tunnel

    config = tmp_path / "config"
    config.write_text("Host there\n  HostName 10.0.0.5\n")
    engine = MadeUpEngine(api("0.0.0.0"), url="ssh://there")
    engine._tunnel = Tunnel("ssh://there", {"ssh_config": str(config)}, 2, str)
    assert address(engine) == "http://10.0.0.5:18080"


def test_without_a_published_port_the_containers_address_does() -> None:
    assert address(MadeUpEngine(api(address="172.18.0.4"))) == "http://172.18.0.4:8080"


@pytest.mark.parametrize(
    "about", [{"SecurityOptions": ["name=seccomp", "name=rootless"]}, {"OperatingSystem": "Docker Desktop"}]
)
def test_where_it_cannot_be_reached_no_address_is_known(about: dict[str, Any]) -> None:
    assert address(MadeUpEngine(api(address="172.18.0.4"), **about)) is None


def test_the_containers_of_another_host_are_reached_by_published_ports_alone() -> None:
    assert address(MadeUpEngine(api(address="172.18.0.4"), url="tcp://10.0.0.5:2375")) is None


def test_a_stopped_container_has_the_port_that_it_is_configured_with() -> None:
    stopped = api(Status="exited")
    stopped["HostConfig"]["PortBindings"] = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]}
    assert address(MadeUpEngine(stopped)) == "http://127.0.0.1:18080"


def test_a_container_in_its_hosts_network_is_reached_there() -> None:
    def engine(url: str) -> MadeUpEngine:
        there = api()
        there["HostConfig"]["NetworkMode"] = "host"
        return MadeUpEngine(there, url=url)

    assert address(engine("unix:///s")) == "http://127.0.0.1:8080"
    assert address(engine("tcp://10.0.0.5:2375")) == "http://10.0.0.5:8080"


def test_from_a_container_the_others_are_reached_by_the_networks_that_it_shares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "0a1b2c3d4e5f")

    def engine(mode: str = "net", network: str = "net") -> MadeUpEngine:
        ourselves = container("0a1b2c3d4e5f" * 5, address="172.18.0.9")
        ourselves["HostConfig"]["NetworkMode"] = mode
        ourselves["NetworkSettings"]["Networks"] = {network: {"IPAddress": "172.18.0.9"}}
        return MadeUpEngine(ourselves, api("127.0.0.1", address="172.18.0.4"))

    assert address(engine()) == "http://172.18.0.4:8080"
    assert address(engine(network="another")) is None  # unknown, not down
    assert address(engine(mode="host")) == "http://127.0.0.1:18080"


def test_of_several_replicas_one_that_runs_counts() -> None:
    engine = MadeUpEngine(
        container("api-1", "ops", "api", published={8080: ("127.0.0.1", 18081)}, Status="exited"),
        container("api-2", "ops", "api", published={8080: ("127.0.0.1", 18082)}),
        container("api-3", "ops", "api", published={8080: ("127.0.0.1", 18083)}, Status="restarting"),
    )
    assert address(engine) == "http://127.0.0.1:18082"


def test_the_disks_of_the_engine_and_of_what_is_mounted_are_those_that_matter() -> None:
    def engine(url: str) -> MadeUpEngine:
        there = container("postgres", "ops", "postgres")
        there["ResolvConfPath"] = "/srv/docker/containers/0a1b/resolv.conf"
        there["Mounts"] = [{"Destination": "/data", "Source": "/mnt/fast/pg"}, {"Destination": "/tmp", "Source": ""}]
        watching = container("cadvisor", "ops", "cadvisor")
        watching["Mounts"] = [{"Destination": "/rootfs", "Source": "/mnt/stale"}]
        return MadeUpEngine(there, watching, url=url)

    here = engine("unix:///s")
    assert here.folders == ["/var/lib/docker"]  # nothing was asked yet
    found(here, project="ops")
    assert here.folders == ["/mnt/fast/pg", "/srv/docker"]
    there = engine("tcp://10.0.0.5:2375")
    found(there, project="ops")
    assert there.folders == []


# -- by what the services call it


def database(url: str, *others: dict[str, Any], **api: Any) -> tuple[str | None, str]:
    """Give the database's URL as it is found where the API has this one, and what is said to be missing."""
    teller = container("api", "ops", "api", environment=(f"DATABASE_URL={url}",), **api)
    engine = MadeUpEngine(teller, *others)
    return found(engine, project="ops").database_url, engine.containers().missing("postgres")


POSTGRES = container("ops_postgres_1", "ops", "postgres", published={5432: ("127.0.0.1", 15432)})
MISSING = "project ops has no container of the service postgres"


def test_what_stands_before_the_database_is_what_ordinaut_speaks_to() -> None:
    bouncer = container("ops_pgbouncer_1", "ops", "pgbouncer", published={6432: ("127.0.0.1", 16432)})
    assert database("postgresql://u:p@pgbouncer:6432/o", POSTGRES, bouncer)[0] == "postgresql://u:p@127.0.0.1:16432/o"


@pytest.mark.parametrize("name", ["postgres", "ops_postgres_1", "db"])
def test_a_container_has_several_names(name: str) -> None:
    aliased = container("ops_postgres_1", "ops", "postgres", published={5432: ("127.0.0.1", 15432)})
    aliased["NetworkSettings"]["Networks"]["net"]["Aliases"] = ["db"]
    assert database(f"postgresql://u:p@{name}/o", aliased) == ("postgresql://u:p@127.0.0.1:15432/o", "")


@pytest.mark.parametrize("host", ["db.example.com", "10.0.0.7", "[fd00::7]"])
def test_a_server_outside_of_the_project_is_asked_where_it_is(host: str) -> None:
    told = f"postgresql://u:p@{host}:5433/o"
    assert database(told, POSTGRES) == (told, "")  # whatever else there is
    assert database(told) == (told, "")  # it has no container, and lacks none


def test_a_name_that_holds_nowhere_else_is_no_missing_container() -> None:
    assert database("postgresql://u:p@dbhost/o") == (None, "")
    assert database("postgresql://u:p@postgres/o") == (None, MISSING)


def test_the_engines_host_is_reached_from_here_in_another_way() -> None:
    assert database("postgresql://u:p@host.docker.internal/o") == ("postgresql://u:p@127.0.0.1:5432/o", "")
    assert database("postgresql://u:p@localhost/o")[0] is None  # the container itself


@pytest.mark.parametrize("url", ["postgresql://u:p@[postgres/o", "postgresql://u:p@postgres:port/o", "none"])
def test_what_is_no_url_tells_nothing(url: str) -> None:
    assert database(url, POSTGRES)[0] is None


def test_a_password_may_hold_what_no_url_may() -> None:
    assert database("postgresql+psycopg://u:p#s[s@postgres/o", POSTGRES)[0] == (
        "postgresql+psycopg://u:p%23s%5Bs@127.0.0.1:15432/o"
    )


@pytest.mark.parametrize(
    ("zone", "told"), [("Europe/Chisinau", "Europe/Chisinau"), (":/etc/localtime", "UTC"), ("", "UTC")]
)
def test_a_zone_that_is_none_is_not_taken(zone: str, told: str) -> None:
    assert (
        found(MadeUpEngine(container("api", "ops", "api", environment=(f"TZ={zone}",))), project="ops").timezone == told
    )


def test_an_api_that_was_found_is_asked_by_the_name_that_it_always_answers_to() -> None:
    origin = Origin(Settings(project="ops"), {})
    assert discover(origin, MadeUpEngine(api("0.0.0.0"))).api_host == "localhost"
    named = Origin(Settings(project="ops", api_url="http://10.0.0.5:8080"), {})
    assert discover(named, MadeUpEngine(api("0.0.0.0"))).api_host is None


# -- what is told of them


def test_a_container_that_is_restarted_tells_how_often_and_since_when() -> None:
    looping = api(Status="restarting", ExitCode=3, FinishedAt="2026-03-04T12:00:07.123456789Z")
    looping |= {"RestartCount": 7, "Created": "2026-03-04T11:59:50Z"}
    assert listed(_containers(looping)) == (
        "api is restarting with exit code 3 since 2026-03-04 12:00:07 UTC, "
        "restarted 7 times since it was made 2026-03-04 11:59:50 UTC"
    )


def test_a_container_that_never_ran_has_no_time() -> None:
    assert listed(_containers(api(Status="created", FinishedAt="0001-01-01T00:00:00Z"))) == "api is created"


def _containers(*raw: dict[str, Any]) -> tuple[object, ...]:
    engine = MadeUpEngine(*raw)
    engine.project = "ops"
    return engine.containers().all


@pytest.mark.parametrize(
    ("status", "restarts", "ran_for", "fails"),
    [
        ("restarting", 1, 1, True),
        ("exited", 1, 1, True),
        ("exited", 0, 1, False),
        ("restarting", 7, 60, False),
        ("running", 2, 1, True),  # it was looked at between two ends
        ("running", 1, 1, False),
        ("running", 3, 60, False),
        ("paused", 3, 1, False),
    ],
)
def test_a_container_that_ends_again_and_again_fails_at_its_start(
    status: str, restarts: int, ran_for: float, fails: bool
) -> None:
    seen = Container("api-1", "api", status, restarts=Count(restarts), ran_for=Span(ran_for))
    assert seen.fails_at_start is fails


@pytest.mark.parametrize(
    "statistics",
    [
        {"usage": 100, "limit": 200, "stats": {"total_inactive_file": 20, "inactive_file": 5, "cache": 50}},
        {"usage": 100, "limit": 200, "stats": {"inactive_file": 20, "file": 50}},
    ],
    ids=["cgroup v1", "cgroup v2"],
)
def test_memory_is_counted_without_the_page_cache(statistics: dict[str, Any]) -> None:
    (one,) = _containers(api())
    used = usage_of(one, {"memory_stats": statistics})  # type: ignore[arg-type]
    assert used == Usage("api", "api", Size(80), Size(200))
    assert used.share == Share(0.4)


@pytest.mark.parametrize("statistics", [{}, {"usage": 0, "limit": 0}])
def test_memory_that_is_not_counted_is_not_little(statistics: dict[str, int]) -> None:
    (one,) = _containers(api())
    with pytest.raises(Unknown, match="the engine counts no memory of api"):
        usage_of(one, {"memory_stats": statistics})  # type: ignore[arg-type]


def test_of_a_container_that_runs_the_kernel_killed_a_child() -> None:
    states = ("running", "exited", "restarting")
    all_killed = tuple(Container(f"api-{state}", "api", state, oom_killed=True) for state in states)
    killed = Containers("ops", all_killed).killed_for_memory("api")
    assert [each.status for each in killed] == ["exited", "restarting"]
