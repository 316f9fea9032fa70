"""Faults whose alerts have no check yet: they break and heal like the others, and move up with the check."""

from __future__ import annotations

from sandbox.faults import find_in

TO_COME = find_in(__name__)
