"""Literal cases: one file per alert, named like its module."""
