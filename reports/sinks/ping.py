"""Telling a dead man's switch that a run ended, and how, so that a cron job which stopped running is noticed."""

from __future__ import annotations

import logging
from queue import Empty, Queue
from threading import Thread

SECONDS = 2.0  # for all of it: names, connecting, the answer


def send(url: str, status: int) -> list[str]:
    """Ask for `<url>/<exit status>`; give a complaint where that failed. The URL is a secret: it is not repeated."""
    import httpx

    logging.getLogger(httpx.__name__).setLevel(logging.WARNING)  # it would log the URL

    def ask() -> None:
        try:
            answer = httpx.get(f"{url.rstrip('/')}/{status}", timeout=SECONDS, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            complaints.put(type(error).__name__)
        else:
            complaints.put("" if answer.is_success else f"it was answered {answer.status_code}")

    # A client's deadlines are for each read, and none is for finding the host: a thread is left behind instead.
    complaints: Queue[str] = Queue()
    Thread(target=ask, daemon=True).start()
    try:
        complaint = complaints.get(timeout=SECONDS)
    except Empty:
        complaint = f"no answer within {SECONDS:g} s"
    return [f"the ping was not taken: {complaint}"] if complaint else []
