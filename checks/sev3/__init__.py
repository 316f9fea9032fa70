"""Severity 3: informational, maintenance. Respond within 2 hours."""
