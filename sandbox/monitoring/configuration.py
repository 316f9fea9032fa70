"""The configuration of Prometheus, Alertmanager and Grafana: Ordinaut's own files, with their errors corrected.

Every document is written as JSON, which is also YAML; faults change a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, Any]
EVERY = "1s"
AT_ONCE, NEVER = "1s", "24h"  # waits of Alertmanager before the first notification of a group
PATIENTLY = {"postgres": "5s"}  # without its database this exporter tries for three seconds
DATASOURCE = "prometheus"  # its uid in Grafana
JOBS = {  # job: the service that it scrapes, and the name of the instance
    "prometheus": ("prometheus", "orchestrator-prometheus"),
    "orchestrator-api": ("api", "orchestrator-api"),
    "postgres": ("postgres-exporter", "orchestrator-postgres"),
    "redis": ("redis-exporter", "orchestrator-redis"),
    "node": ("node-exporter", "orchestrator-host"),
}


def prometheus(ports: Mapping[str, int]) -> Document:
    """Return the configuration of Prometheus."""
    return {
        "global": {
            "scrape_interval": EVERY,
            "evaluation_interval": EVERY,
            "external_labels": {"cluster": "personal-orchestrator", "environment": "sandbox"},
        },
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ports['alertmanager']}"]}]}]},
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [
            {
                "job_name": job,
                "scrape_interval": PATIENTLY.get(job, EVERY),
                "scrape_timeout": PATIENTLY.get(job, EVERY),
                "static_configs": [{"targets": [f"127.0.0.1:{ports[service]}"], "labels": {"instance": instance}}],
            }
            for job, (service, instance) in JOBS.items()
        ],
    }


def alertmanager(ports: Mapping[str, int]) -> Document:
    """Return the configuration of Alertmanager: five routes, four inhibitions, every receiver with an integration.

    Every alert of the rules matches one of the routes. A test alert matches none: it is resolved before the default
    receiver is notified, however busy the machine is.
    """
    routes = {
        'severity="critical"': "critical-alerts",
        'service="postgres"': "database-team",
        'service="security"': "security-team",
        'service=~"api|worker|scheduler"': "development-team",
        'service=~"host|redis"': "operations-team",
    }
    inhibitions = {
        'severity="critical"': ('severity=~"warning|info"', ["service", "alertname"]),
        'alertname="OrchestratorAPIDown"': ('alertname=~"HighAPILatency|HighErrorRate"', ["service"]),
        'alertname="OrchestratorDatabaseDown"': (
            'alertname=~"HighDatabaseConnections|DatabaseSlowQueries"',
            ["service"],
        ),
        'alertname="NoActiveWorkers"': ('alertname=~"LowTaskThroughput|HighQueueDepth"', ["service"]),
    }
    return {
        "route": {
            "receiver": "default-receiver",
            "group_by": ["alertname", "severity", "service"],
            "group_wait": NEVER,
            "group_interval": "5s",
            "repeat_interval": "4h",
            "routes": [
                {"matchers": [matcher], "receiver": receiver, "group_wait": AT_ONCE}
                for matcher, receiver in routes.items()
            ],
        },
        "receivers": [
            {"name": name, "webhook_configs": [{"url": f"http://127.0.0.1:{ports['oncall']}/notify/{name}"}]}
            for name in ("default-receiver", *routes.values())
        ],
        "inhibit_rules": [
            {"source_matchers": [source], "target_matchers": [hidden], "equal": equal}
            for source, (hidden, equal) in inhibitions.items()
        ],
    }


def grafana(ports: Mapping[str, int]) -> Document:
    """Return the content of the stand-in for Grafana: its database, its data sources, its dashboard."""
    panels = {
        "System Health Status": 'up{job=~"orchestrator-.*"}',
        "Queue Depth": "ordinaut_due_work_items",
        "Newest Heartbeat": "ordinaut_worker_heartbeat_age_seconds",
        "Scheduler Lag": "ordinaut_scheduler_late_seconds",
        "API Requests": "sum by (endpoint) (rate(orchestrator_http_requests_total[5m]))",
    }
    quiet = {  # without data in a healthy sandbox
        "Firing": 'ALERTS{alertstate="firing"}',
        "API Errors": 'sum(rate(orchestrator_http_requests_total{status_code=~"5.."}[5m]))',
    }
    return {
        "database": "ok",
        "logs": {"uid": "loki", "name": "Loki", "type": "loki"},
        "datasource": {"uid": DATASOURCE, "name": "Prometheus", "url": f"http://127.0.0.1:{ports['prometheus']}"},
        "dashboard": {
            "uid": "ordinaut-overview",
            "title": "Ordinaut - System Overview",
            "panels": [
                *({"title": title, "expr": expression} for title, expression in (panels | quiet).items()),
                {"title": "Errors in Logs", "expr": '{service="api"} |= "ERROR"', "source": "loki"},
            ],
        },
    }


ORIGINAL = {"prometheus": prometheus, "alertmanager": alertmanager, "grafana": grafana}
