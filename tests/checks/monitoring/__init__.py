"""Literal cases of what watches Ordinaut."""
