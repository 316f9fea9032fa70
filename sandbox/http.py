"""The HTTP client of the sandbox, and what faults require of an answer."""

from __future__ import annotations

import httpx

from sandbox.polling import NotYet, require

# Loading certificates takes longer than a request. No connection is kept, since servers are stopped and started.
CLIENT = httpx.Client(verify=False, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))  # noqa: S501


def require_answer(url: str, status: int, content: str = "") -> None:
    """Raise NotYet unless the answer has this status and a content type that contains `content`."""
    answer = CLIENT.get(url, timeout=5)
    kind = answer.headers.get("content-type", "")
    require(answer.status_code == status and content in kind, f"{url} answers {answer.status_code}: {answer.text[:80]}")


def require_no_answer(url: str, error: type[httpx.TransportError] = httpx.TransportError) -> None:
    """Raise NotYet unless a request fails with an error of this kind within a second."""
    try:
        CLIENT.get(url, timeout=1)
    except error:
        return
    raise NotYet(f"{url} still answers")
