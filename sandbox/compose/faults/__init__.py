"""The faults of the compose form, one module a theme; and those of the embedded form that containers allow."""

from __future__ import annotations

from sandbox.faults import FAULTS as EMBEDDED
from sandbox.faults import find_in

# Of these the embedded form has what containers have not: log files and pid files of the services.
ONLY_EMBEDDED = frozenset({"errors-in-the-log"})

OWN = find_in(__name__)
FAULTS = {name: fault for name, fault in EMBEDDED.items() if name not in ONLY_EMBEDDED} | OWN
