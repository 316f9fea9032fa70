"""Shared by the stand-in services: their database, and a log that mixes text and JSON."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from psycopg.rows import DictRow


def connect(application_name: str, role: str | None = None) -> psycopg.Connection[DictRow]:
    """Connect to the database in DATABASE_URL, which is written as SQLAlchemy reads it, as its role or another one."""
    url = os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)
    return psycopg.connect(url, user=role, autocommit=True, row_factory=dict_row, application_name=application_name)


class JsonLines(logging.Formatter):
    """Writes one JSON object per line, as Ordinaut's structured logger does."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        return json.dumps(
            {
                "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "level": record.levelname,
                "logger": record.name,
                "message": record.getMessage(),
                "pid": record.process,
            }
        )


def start_log(service: str) -> logging.Logger:
    """Configure logging and return the service's logger: it writes JSON, libraries write text, both to stderr."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger(f"orchestrator.{service}")
    logger.addHandler(handler)
    logger.propagate = False
    return logger
