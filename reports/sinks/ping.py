"""The ping at the end of a run, to a dead man's switch: it alerts when a cron job has stopped running."""

from __future__ import annotations

import logging

from playbook.evidence import in_parallel

SECONDS = 2.0  # at most, for all of it: names, connecting, the answer
LEAST = 0.7  # seconds, however late the run is: somebody waits for it


def send(url: str, status: int, left: float = SECONDS) -> list[str]:
    """Request `<url>/<exit status>` in the seconds left; return a sentence where that failed, without the URL."""
    import httpx

    seconds = max(LEAST, min(left, SECONDS))

    logging.getLogger(httpx.__name__).setLevel(logging.WARNING)  # it would log the URL

    def ask() -> str:
        try:
            with httpx.stream("GET", f"{url.rstrip('/')}/{status}", timeout=seconds, follow_redirects=False) as answer:
                return "" if answer.is_success else f"HTTP {answer.status_code}"  # its body is not read
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return type(error).__name__

    # A client's deadlines are for each read, and none is for finding the host: a thread is left behind instead.
    (complaint,) = in_parallel([ask], seconds)
    if complaint is None:
        complaint = f"no answer within {seconds:g} s"
    return [f"ping failed: {complaint}"] if complaint else []
