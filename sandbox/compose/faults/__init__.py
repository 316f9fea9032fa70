"""The faults of the compose form: its own, one module for each topic, and those shared with the embedded form."""

from __future__ import annotations

from sandbox.faults import FAULTS as EMBEDDED
from sandbox.faults import find_in

# It writes to log files of the services, which containers do not have.
ONLY_EMBEDDED = frozenset({"errors-in-the-log"})

OWN = find_in(__name__)
FAULTS = {name: fault for name, fault in EMBEDDED.items() if name not in ONLY_EMBEDDED} | OWN
