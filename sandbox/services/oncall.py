"""On-call: records the notifications that Alertmanager sends, and serves the runbooks."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RUNBOOKS = Path(__file__).resolve().parent.parent.parent / "runbooks"


class Handler(BaseHTTPRequestHandler):
    """`POST /notify/RECEIVER` adds a line to the file of notifications; `GET /runbooks/NAME.md` returns a runbook."""

    def do_POST(self) -> None:
        """Record a notification."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with Path(os.environ["NOTIFICATIONS"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"receiver": self.path.rpartition("/")[2], **body}) + "\n")
        self._answer(HTTPStatus.OK, b"")

    def do_GET(self) -> None:
        """Return a runbook."""
        pages = {f"/runbooks/{page.name}": page for page in RUNBOOKS.glob("*.md")}
        page = pages.get(self.path)
        self._answer(HTTPStatus.OK if page else HTTPStatus.NOT_FOUND, page.read_bytes() if page else b"")

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/markdown; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
