"""A proxy before a Docker engine that lets nothing but GET through, and records all requests."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from contextlib import contextmanager
from socket import AF_UNIX, socket
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REFUSAL = b'{"message": "this proxy lets nothing but GET through"}'
HEAD = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


class _Handler(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        """Serve one request, and close: each is recorded."""
        line = self.rfile.readline()
        if not line:
            return
        method, path = line.decode().split()[:2]
        self.server.asked.append((method, path))
        headers = [header for header in iter(self.rfile.readline, b"\r\n") if not header.lower().startswith(b"conn")]
        if method != "GET":
            self.wfile.write(HEAD % len(REFUSAL) + REFUSAL)
            return
        if self.server.label and "/containers/json" in path:
            filters = quote(json.dumps({"label": [self.server.label]}))
            line = f"GET {path}{'&' if '?' in path else '?'}filters={filters} HTTP/1.1\r\n".encode()
        with socket(AF_UNIX) as engine:
            engine.connect(self.server.engine)
            engine.sendall(line + b"".join(headers) + b"Connection: close\r\n\r\n")
            while part := engine.recv(65536):
                self.wfile.write(part)


class Proxy(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on a Unix socket, or on a port of an address of this machine.

    With `certificates`, a folder as the docker command has it, it speaks TLS and requires a client certificate. With a
    `label` it lists only the containers that have it.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self,
        engine: str,
        *,
        path: Path | None = None,
        address: str = "127.0.0.1",
        certificates: Path | None = None,
        label: str = "",
    ) -> None:
        self.engine = engine
        self.label = label
        self.asked: list[tuple[str, str]] = []
        self.address_family = AF_UNIX if path else self.address_family
        super().__init__(str(path) if path else (address, 0), _Handler)  # type: ignore[arg-type]
        if certificates:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"unix://{path}" if path else f"tcp://{address}:{self.server_address[1]}"

    @property
    def refused(self) -> list[tuple[str, str]]:
        """Requests by another method than GET."""
        return [asked for asked in self.asked if asked[0] != "GET"]

    @contextmanager
    def serving(self) -> Iterator[Proxy]:
        """Serve until the block ends."""
        with self:
            thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield self
            finally:
                self.shutdown()
                thread.join()
