"""Severity 1: performance degraded, users feel it. Respond within 15 minutes."""
