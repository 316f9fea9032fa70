"""Faults of the monitoring; they need a sandbox with monitoring."""
