"""The ping at the end of a run, to a dead man's switch: it alerts when a cron job has stopped running."""

from __future__ import annotations

import logging
from queue import Empty, Queue
from threading import Thread

SECONDS = 2.0  # for all of it: names, connecting, the answer


def send(url: str, status: int) -> list[str]:
    """Request `<url>/<exit status>`; return a sentence where that failed, without the URL, which is a secret."""
    import httpx

    logging.getLogger(httpx.__name__).setLevel(logging.WARNING)  # it would log the URL

    def ask() -> None:
        try:
            answer = httpx.get(f"{url.rstrip('/')}/{status}", timeout=SECONDS, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            complaints.put(type(error).__name__)
        else:
            complaints.put("" if answer.is_success else f"HTTP {answer.status_code}")

    # A client's deadlines are for each read, and none is for finding the host: a thread is left behind instead.
    complaints: Queue[str] = Queue()
    Thread(target=ask, daemon=True).start()
    try:
        complaint = complaints.get(timeout=SECONDS)
    except Empty:
        complaint = f"no answer within {SECONDS:g} s"
    return [f"ping failed: {complaint}"] if complaint else []
