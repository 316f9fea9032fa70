"""The sandbox in real containers, on a real Docker engine."""
