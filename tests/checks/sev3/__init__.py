"""Literal cases of severity 3."""
