"""The stand-in API answers as the real one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.breaking import break_stack, heal_stack
from sandbox.faults import FAULTS
from sandbox.polling import require, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.embedded import EmbeddedStack

AGENT = "00000000-0000-0000-0000-000000000001"
TASK = {
    "title": "Posted",
    "description": "by a test",
    "schedule_kind": "cron",
    "schedule_expr": "* * * * *",
    "payload": {"pipeline": [{"id": "go", "uses": "noop"}]},
    "created_by": AGENT,
}


@pytest.fixture
def api(running: EmbeddedStack) -> Iterator[httpx.Client]:
    """Return a client of the sandbox's API, which heals what a test broke."""
    with httpx.Client(base_url=running.api_url, timeout=5) as client:
        yield client
    heal_stack(running)


def checks(response: httpx.Response) -> dict[str, str]:
    """Return what the health document says of each part."""
    return {entry["name"]: entry["status"] for entry in response.json()["checks"]}


def test_health_is_a_document(api: httpx.Client) -> None:
    response = api.get("/health")
    document: dict[str, Any] = response.json()
    assert response.status_code == 200
    assert document["status"] == "healthy"
    assert set(document) == {"status", "checks", "summary", "timestamp", "request_id"}
    assert list(checks(response)) == ["api", "database", "redis", "workers", "scheduler"]
    assert set(document["checks"][0]) == {"name", "status", "message", "duration_ms", "details", "error"}


def test_health_takes_no_head(api: httpx.Client) -> None:
    assert api.head("/health").status_code == 405


def test_ready_and_live(api: httpx.Client) -> None:
    assert api.get("/health/ready").status_code == 200
    assert api.get("/health/live").status_code == 200


def test_without_redis_only_redis_is_unhealthy(api: httpx.Client, running: EmbeddedStack) -> None:
    break_stack(running, FAULTS["redis-stopped"])
    response = api.get("/health")
    assert response.status_code == 200
    assert response.json()["status"] == "unhealthy"
    assert {name for name, status in checks(response).items() if status != "healthy"} == {"redis"}


def test_without_the_database_health_is_still_a_200(api: httpx.Client, running: EmbeddedStack) -> None:
    running.api.stop()
    running.api.start()  # what it remembers of being ready is new
    assert api.get("/health/ready").status_code == 200
    break_stack(running, FAULTS["postgres-stopped"])
    response = api.get("/health")
    assert response.status_code == 200
    bad = {name for name, status in checks(response).items() if status == "unhealthy"}
    assert bad == {"database", "workers", "scheduler"}
    assert api.get("/health/ready").status_code == 200, "the real one says ready for a while, too"


def test_health_hangs_while_the_database_is_frozen(api: httpx.Client, running: EmbeddedStack) -> None:
    break_stack(running, FAULTS["postgres-hung"])
    with pytest.raises(httpx.ReadTimeout):
        api.get("/health", timeout=3)
    assert api.get("/health/live").status_code == 200


def test_one_worker_is_degraded_and_none_unhealthy(api: httpx.Client, running: EmbeddedStack) -> None:
    break_stack(running, FAULTS["one-worker-stopped"])
    assert checks(api.get("/health"))["workers"] == "degraded"
    heal_stack(running)
    break_stack(running, FAULTS["workers-stopped"])
    assert checks(api.get("/health"))["workers"] == "unhealthy"


def test_metrics_are_those_of_the_api_alone(api: httpx.Client) -> None:
    text = api.get("/metrics").text
    assert "orchestrator_active_workers" not in text
    assert 'orchestrator_http_request_duration_seconds_bucket{endpoint="/health",le="2.5",method="GET"}' in text
    assert "orchestrator_http_requests_total{" in text


def test_a_task_needs_an_agent(api: httpx.Client) -> None:
    assert api.post("/tasks/", json=TASK).status_code == 401
    assert api.post("/tasks/", json=TASK, headers={"Authorization": "Bearer nobody"}).status_code == 401
    assert api.get("/tasks/").status_code == 401


def test_a_task_is_made_and_cancelled_and_the_scheduler_does_not_see_it(
    api: httpx.Client, running: EmbeddedStack
) -> None:
    api.headers["Authorization"] = f"Bearer {AGENT}"
    assert api.post("/tasks/", json={**TASK, "payload": {}}).status_code == 422
    made = api.post("/tasks/", json=TASK)
    assert made.status_code == 201
    task = made.json()["id"]
    assert task in [each["id"] for each in api.get("/tasks/").json()]
    assert running.sql("SELECT 1 FROM apscheduler_jobs WHERE id = %s", (f"cron-{task}",)) == []
    assert api.post(f"/tasks/{task}/cancel").json()["status"] == "canceled"
    running.sql("DELETE FROM task WHERE id = %s", (task,))


def test_another_host_name_is_refused(api: httpx.Client) -> None:
    assert api.get("/health", headers={"Host": "elsewhere.example"}).status_code == 400


def test_an_item_is_run_recorded_and_deleted(running: EmbeddedStack) -> None:
    def required() -> None:
        runs = running.sql("SELECT success FROM task_run WHERE task_id = %s AND started_at > %s", (task, before))
        require(runs == [(True,)], f"recorded runs: {runs}")
        require(not running.sql("SELECT 1 FROM due_work WHERE task_id = %s", (task,)), "it is still in the queue")

    task = "00000000-0000-4000-8000-000000000004"
    ((before,),) = running.sql("SELECT clock_timestamp()")
    running.sql("INSERT INTO due_work (task_id, run_at) VALUES (%s, now())", (task,))
    until(required)


def test_an_attempt_that_fails_is_recorded_each_time(running: EmbeddedStack) -> None:
    task = "00000000-0000-4000-8000-0000000000e1"
    running.sql(
        "INSERT INTO task (id, title, description, created_by, schedule_kind, payload, max_retries) VALUES"
        ' (%s, \'Fails\', \'\', %s, \'event\', \'{"pipeline": [{"id": "no", "uses": "fail"}]}\', 1)',
        (task, AGENT),
    )
    running.sql("INSERT INTO due_work (task_id, run_at) VALUES (%s, now())", (task,))

    def required() -> None:
        runs = running.sql("SELECT attempt, success FROM task_run WHERE task_id = %s ORDER BY attempt", (task,))
        require(runs == [(1, False), (2, False)], f"recorded runs: {runs}")

    until(required)
    running.sql("DELETE FROM task WHERE id = %s", (task,))
