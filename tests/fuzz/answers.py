"""What real servers answer, and how it is bent: nodes of a document replaced, or the whole of it."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

SECRET = "Tr0ub4dor-of-the-fuzzer"
NOW = datetime.now(UTC).isoformat()
# What attacks are made of: controls of a terminal, markup, other scripts, formats, and the secret as programs write it.
PIECES = (
    "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x00", "\x07", "\x08\x08", "\r", "\n", "\t", "\x7f", "\u2028", "\u202e",
    "\ufeff", "\ud83d\ude00", "é", "<script>alert(1)</script>", "]]>", "&lt;", "{{ 7 * 7 }}", "%s%n", "${HOME}",
    "$(id)", "`id`", "'; DROP TABLE task; --", "../../etc/passwd", "-oProxyCommand=id", "|", "A" * 3000,
    f"password={SECRET}", f"postgresql://orchestrator:{SECRET}@db:5432/orchestrator", f"Authorization: Bearer {SECRET}",
    f'{{"password": "{SECRET}"}}', f"--password {SECRET}", f"DB_PASS={SECRET}",
    "error", "ERROR", "worker", "2026-01-01T00:00:00Z", "1e999", "-1",
)  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=10), max_size=4).map(" ".join)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)

LABELS = {"alertname": "NoActiveWorkers", "severity": "critical", "job": "node", "instance": "a:9100", "le": "+Inf"}


def _data(**data: Any) -> dict[str, Any]:
    return {"status": "success", "data": data}


SAMPLES = _data(resultType="vector", result=[{"metric": {**LABELS, "__name__": "up"}, "value": [1.7e9, "1"]}])
RULE = {
    "name": "NoActiveWorkers", "query": "vector(1)", "duration": 120, "labels": {"severity": "critical"},
    "health": "ok", "annotations": {"runbook_url": "http://127.0.0.1:1/NoActiveWorkers.md"},
    "lastEvaluation": NOW, "lastError": "",
}  # fmt: skip
MATCHER = {"name": "alertname", "value": ".*", "isRegex": True, "isEqual": True}
SILENCE = {
    "id": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "matchers": [MATCHER], "createdBy": "me", "comment": "why",
    "startsAt": NOW, "endsAt": "2100-01-01T00:00:00Z", "status": {"state": "active"},
}  # fmt: skip
CONFIGURATION = """
route: {receiver: us, routes: [{matchers: ['severity="critical"'], receiver: pager}]}
receivers: [{name: us, webhook_configs: [{url: 'http://here'}]}, {name: pager, webhook_configs: [{url: 'http://pager'}]}]
"""
CONTAINER = {
    "Id": "0a1b2c3d4e5f", "Names": ["/ordinaut-api-1"], "Name": "/ordinaut-api-1", "Image": "sha256:0a1b2c",
    "Status": "Up",
    "State": {
        "Status": "running", "ExitCode": 0, "OOMKilled": False, "Pid": 1, "StartedAt": NOW, "FinishedAt": NOW,
        "Health": {"Status": "healthy", "Log": [{"Output": "ok", "ExitCode": 0}]},
    },
    "Labels": {"com.docker.compose.project": "ordinaut", "com.docker.compose.service": "api"}, "RestartCount": 0,
    "Config": {
        "Labels": {"com.docker.compose.project": "ordinaut", "com.docker.compose.service": "api"},
        "Env": [f"DB_PASS={SECRET}", "TZ=UTC"], "Image": "ordinaut:latest",
    },
    "HostConfig": {"Memory": 2**28, "NetworkMode": "net", "PortBindings": {}, "LogConfig": {"Type": "json-file"}},
    "NetworkSettings": {"Ports": {}, "Networks": {"net": {"IPAddress": "172.18.0.2"}}},
    "Mounts": [{"Type": "bind", "Source": "/srv", "Destination": "/backups"}],
    "ResolvConfPath": "/var/lib/docker/a/b/c",
}  # fmt: skip
ENTRY = {
    "name": "database",
    "status": "healthy",
    "message": "it responds",
    "duration_ms": 1.0,
    "details": {},
    "error": None,
}

# Part: path: what a real one answers there. The longest path that a request begins with counts.
REAL: dict[str, dict[str, Any]] = {
    "api": {
        "/": {"status": "alive"},
        "/health": {"status": "healthy", "timestamp": NOW, "checks": [ENTRY], "summary": {"total": 1, "healthy": 1}},
    },
    "prometheus": {
        "/": "up 1\n",
        "/api/v1/query": SAMPLES,
        "/api/v1/rules": _data(groups=[{"name": "g", "interval": 15, "rules": [RULE]}]),
        "/api/v1/targets": _data(activeTargets=[{"labels": LABELS, "health": "up", "lastError": ""}]),
        "/api/v1/scrape_pools": _data(scrapePools=["node"]),
        "/api/v1/alerts": _data(alerts=[{"labels": LABELS, "activeAt": NOW, "state": "firing"}]),
        "/api/v1/alertmanagers": _data(activeAlertmanagers=[{"url": "http://a"}]),
        "/api/v1/status/runtimeinfo": _data(startTime=NOW, lastConfigTime=NOW, reloadConfigSuccess=True),
    },
    "alertmanager": {
        "/": "alertmanager_config_last_reload_successful 1\n",
        "/api/v2/status": {"cluster": {"status": "ready"}, "uptime": NOW, "config": {"original": CONFIGURATION}},
        "/api/v2/silences": [SILENCE],
        "/api/v2/alerts": [{"labels": LABELS, "status": {"state": "suppressed", "silencedBy": [SILENCE["id"]]}}],
    },
    "grafana": {
        "/": {},
        "/api/health": {"database": "ok", "version": "10"},
        "/api/datasources": [{"uid": "p", "name": "Prometheus", "type": "prometheus", "isDefault": True}],
        "/api/datasources/proxy": SAMPLES,
        "/api/search": [{"uid": "d"}],
        "/api/dashboards": {"dashboard": {"title": "t", "panels": [{"title": "p", "targets": [{"expr": "up"}]}]}},
    },
    "docker": {
        "/": {"ApiVersion": "1.44"},
        "/v1.44/containers/json": [CONTAINER],
        "/v1.44/containers/": CONTAINER,
        "/v1.44/info": {"OperatingSystem": "Debian", "SecurityOptions": []},
        "/v1.44/system/df": {"LayersSize": 1, "Images": [], "Containers": [], "Volumes": [], "BuildCache": []},
    },
}  # fmt: skip


def bent(document: Any, places: list[tuple[int, Any]]) -> Any:
    """Return a copy of a document with something else at some of its nodes, which are counted from its root."""
    document = copy.deepcopy(document)
    for place, value in places:
        nodes = list(_nodes(document))
        if nodes:
            holder, key = nodes[place % len(nodes)]
            holder[key] = copy.deepcopy(value)
    return document


def _nodes(document: Any) -> Any:
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in list(pairs):
        yield document, key
        yield from _nodes(value)


def written(document: Any) -> bytes:
    """Return a document as a server writes it: JSON, or text as it stands."""
    text = document if isinstance(document, str) else json.dumps(document)
    return text.encode("utf-8", "surrogatepass")
