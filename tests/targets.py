"""Targets and what their clients share, for a probe or a client that a test calls by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures.clients.context import ClientContext, Deadlines
from fixtures.clients.docker import Engine
from fixtures.clients.engine import NO_ENGINE
from fixtures.clients.masking import Masker
from fixtures.target import Target
from playbook.catalogue import Catalogue
from playbook.evidence import Cost

if TYPE_CHECKING:
    from fixtures.settings import Settings

ALERTS = Catalogue([Path(__file__).parent.parent / "checks"])


def context(deadlines: Deadlines | None = None, *secrets: str) -> ClientContext:
    """Return what the clients of one target share."""
    return ClientContext(deadlines or Deadlines(), Masker(set(secrets)), Cost())


def engine_at(url: str | None, project: str | None = None, ssh: dict[str, Any] | None = None) -> Engine:
    """Return the engine at an address; None is the one that the docker command speaks to."""
    return Engine(url, project, context(), Masker(set()), ssh)


def target_of(settings: Settings, engine: Engine | None = None, *secrets: str) -> Target:
    """Return the target of these settings, without an engine unless it is named."""
    return Target(settings, engine or engine_at(NO_ENGINE), context(settings.deadlines, *secrets), ALERTS)
