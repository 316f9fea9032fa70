"""Severity 0: system down, risk of losing data. Respond at once."""
