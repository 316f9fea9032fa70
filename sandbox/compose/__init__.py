"""The compose form of the sandbox: real containers on a real Docker engine."""
