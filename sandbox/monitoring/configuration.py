"""The configuration of Prometheus, Alertmanager and Grafana: the YAML files of this folder.

The sandbox writes them as JSON, which is also YAML; faults change a copy.
"""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, Any]
SERVERS = ("prometheus", "alertmanager", "grafana")
JOBS = ("prometheus", "orchestrator-api", "postgres", "redis", "node")
DATASOURCE = "prometheus"  # its uid in Grafana


class _Ports(Template):
    braceidpattern = "[a-z-]+"  # the names of services, some of which have hyphens


def original(server: str, ports: Mapping[str, int]) -> Document:
    """Return the configuration of a server, without a fault."""
    text = Path(__file__).with_name(f"{server}.yml").read_text(encoding="utf-8")
    document: Document = yaml.safe_load(_Ports(text).substitute(ports))
    return document
