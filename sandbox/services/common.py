"""What the stand-in services share: their environment, and a log in which text and JSON are mixed."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime


def libpq_url() -> str:
    """Return DATABASE_URL in the form that plain libpq takes."""
    return os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)


class JsonLines(logging.Formatter):
    """One JSON object a line, as Ordinaut's structured logger writes them."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record as JSON."""
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
    """Set logging up: libraries write text, the service itself writes JSON, both to one stream."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger(f"orchestrator.{service}")
    logger.addHandler(handler)
    logger.propagate = False
    return logger
