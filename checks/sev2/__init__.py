"""Severity 2: a warning, a trend to act on. Respond within 30 minutes."""
