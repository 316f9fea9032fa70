"""A stand-in for Grafana's HTTP API: its health, its data sources, its dashboard.

Queries of the data source are sent to the real Prometheus. There is no authentication, as with Grafana's anonymous
access.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from sandbox.http import CLIENT

TIMEOUT = 5.0
app = FastAPI(title="Grafana (stand-in)")


def content() -> dict[str, Any]:
    """Return the current content of this Grafana."""
    document: dict[str, Any] = json.loads(Path(os.environ["GRAFANA"]).read_text())
    return document


def datasource(uid: str) -> dict[str, str]:
    """Return the data source of that uid; 404 where there is none."""
    found: dict[str, str] = content()["datasource"]
    if found["uid"] != uid:
        raise HTTPException(404, "Data source not found")
    return found


def prometheus(url: str, path: str, query: str) -> httpx.Response:
    """Return the data source's response to a query; 502 where it does not answer."""
    try:
        return CLIENT.get(f"{url}/{path}?{query}", timeout=TIMEOUT)
    except httpx.TransportError as error:
        raise HTTPException(502, f"Bad Gateway: {error!r}") from error


@app.get("/api/health")
def get_health() -> JSONResponse:
    """Return whether Grafana can reach its own database."""
    database = content()["database"]
    document = {"commit": "stand-in", "database": database, "version": "0.0.0"}
    return JSONResponse(document, 200 if database == "ok" else 503)


@app.get("/api/datasources")
def get_datasources() -> list[dict[str, Any]]:
    """Return the data sources: Loki, which does not exist here, and Prometheus."""
    shown = content()
    ours = {"id": 1, "type": "prometheus", "access": "proxy", "isDefault": True, **shown["datasource"]}
    return [{"id": 2, "access": "proxy", "isDefault": False, **shown["logs"]}, ours]


@app.get("/api/datasources/uid/{uid}/health")
def get_datasource_health(uid: str) -> JSONResponse:
    """Return whether the data source answers a query."""
    try:
        answer = prometheus(datasource(uid)["url"], "api/v1/query", "query=1%2B1")
        answer.raise_for_status()
    except (HTTPException, httpx.HTTPStatusError) as error:
        return JSONResponse({"status": "ERROR", "message": str(error)}, 400)
    return JSONResponse({"status": "OK", "message": "Successfully queried the Prometheus API."})


@app.get("/api/datasources/proxy/uid/{uid}/{path:path}")
def get_through_datasource(uid: str, path: str, request: Request) -> Response:
    """Forward a request to the data source."""
    answer = prometheus(datasource(uid)["url"], path, request.url.query)
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))


@app.get("/api/search")
def get_search() -> list[dict[str, str]]:
    """Return the dashboards."""
    dashboard = content()["dashboard"]
    return [{"uid": dashboard["uid"], "title": dashboard["title"], "type": "dash-db"}]


@app.get("/api/dashboards/uid/{uid}")
def get_dashboard(uid: str) -> dict[str, Any]:
    """Return a dashboard with the queries of its panels."""
    shown = content()
    dashboard = shown["dashboard"]
    if dashboard["uid"] != uid:
        raise HTTPException(404, "Dashboard not found")
    ours = shown["datasource"]["uid"]
    panels = [
        {"id": number, "type": "timeseries", "title": panel["title"],
         "targets": [{"refId": "A", "expr": panel["expr"], "datasource": {"uid": panel.get("source", ours)}}]}
        for number, panel in enumerate(dashboard["panels"], 1)
    ]  # fmt: skip
    return {"meta": {"type": "db"}, "dashboard": {**dashboard, "panels": panels}}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_config=None, timeout_graceful_shutdown=1)
