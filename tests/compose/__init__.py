"""Tests of the sandbox in real containers."""
