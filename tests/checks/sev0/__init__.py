"""The alerts of severity 0."""
