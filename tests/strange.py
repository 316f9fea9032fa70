"""HTTP servers that freeze, dribble, hang up or answer nonsense."""

from __future__ import annotations

import gzip
import json
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.conftest import needs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODIES = {
    "html": b"<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>",
    "half-a-json": b'{"status":"success","data":{"result":[{"metric":{"__na',
    "other-json": b'["a", {"status": 7, "data": null, "cluster": "?"}]',
    "no-body": b"",
    "ten-megabytes": b"[" + b"0," * 5_000_000 + b"0]",
    "no-utf-8": bytes(range(128, 256)),
}
BUCKETS = [{"metric": {"le": le}, "value": [0, count]} for le, count in (("1.0", "10"), ("2.5", "10"), ("+Inf", "90"))]
LATE = json.dumps({"status": "success", "data": {"result": BUCKETS}}).encode()
LONG = {"a-megabyte": b'{"status":"success","data":{"groups":["' + b"x" * 2**20 + b'"]}}'}
STATUS = {
    "cluster": {"status": "ready"},
    "config": {"original": "route: {receiver: us}\nreceivers: [{name: us, webhook_configs: [{url: 'http://here'}]}]\n"},
}


class _Strange(BaseHTTPRequestHandler):
    """Answers, or fails to, as its behaviour says."""

    behaviour: str
    released: threading.Event
    posted: list[Any] | None  # None: it does not report its status either

    def do_POST(self) -> None:
        assert self.posted is not None
        self.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        if self.path == "/api/v2/status" and self.posted is not None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(STATUS).encode())
            return
        if self.behaviour == "frozen":
            self.released.wait(60)
        elif self.behaviour == "hangs-up":
            self.close_connection = True
        elif self.behaviour == "forbidden":
            self.send_response(401)
            self.end_headers()
        elif self.behaviour == "redirect-loop":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        elif self.behaviour == "gzipped":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(gzip.compress(b"{}"))
        elif self.behaviour == "dribbling":
            self.send_response(200)
            self.end_headers()
            while not self.released.wait(0.2):
                self.wfile.write(b" ")
        else:
            self.released.wait(1 if self.behaviour == "late" else 0)
            self.send_response(200)
            self.end_headers()
            self.wfile.write((BODIES | LONG | {"late": LATE})[self.behaviour])

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # all probes come at once

    def handle_error(self, *_: object) -> None:
        """Whoever asks may hang up."""


def own_certificate(folder: Path) -> Path:
    """Make a certificate of 127.0.0.1 that only itself vouches for; return the path of the file with it and its key."""
    path = folder / "own.pem"
    command = [
        needs("openssl"), "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", "-",
    ]  # fmt: skip
    certificate = subprocess.run(command, check=True, capture_output=True).stdout
    path.write_bytes(path.read_bytes() + certificate)
    return path


@contextmanager
def strange(behaviour: str, posted: list[Any] | None = None, certificate: Path | None = None) -> Iterator[str]:
    """Serve with this behaviour; return the address. With a list, it keeps what is posted and reports its status."""
    released = threading.Event()
    handler = type("Handler", (_Strange,), {"behaviour": behaviour, "released": released, "posted": posted})
    server = _Server(("127.0.0.1", 0), handler)
    if certificate:
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(certificate)
        # The handshake is left to the thread of the connection: one that fails must not end the server.
        server.socket = secure.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    finally:
        released.set()
        server.shutdown()
        server.server_close()
