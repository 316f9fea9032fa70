"""The faults of the compose form: its own, one module for each topic, and those shared with the embedded form."""

from __future__ import annotations

from sandbox.faults import CONSEQUENCES as OF_EMBEDDED
from sandbox.faults import FAULTS as EMBEDDED
from sandbox.faults import consequences_in, find_in, with_consequences

# It writes to log files of the services, which containers do not have.
ONLY_EMBEDDED = frozenset({"errors-in-the-log"})

_own = consequences_in(__name__)
_shared = {name: fault for name, fault in EMBEDDED.items() if name not in ONLY_EMBEDDED}
CONSEQUENCES = [*OF_EMBEDDED, *_own]
OWN = with_consequences(find_in(__name__), CONSEQUENCES)
FAULTS = with_consequences(_shared, _own) | OWN
