"""Faults of what watches Ordinaut: they take a sandbox with monitoring."""
