"""Literal cases of severity 2."""
