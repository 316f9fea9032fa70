"""The alerts of severity 1."""
