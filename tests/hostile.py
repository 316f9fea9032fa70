"""Servers whose answers have no end, are huge, dribble or never come, in the protocol of each thing that is asked."""

from __future__ import annotations

import itertools
import socketserver
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

HUGE = 600 << 20  # bytes
BLOCK = b"x" * (1 << 20)
BEHAVIOURS = ("endless", "huge", "slow", "stalled")
SSL_REQUESTS = (80877103, 80877104)  # of PostgreSQL: TLS, and GSS

_OK = b"HTTP/1.1 200 OK\r\n"
_ROWS = struct.pack("!cIH", b"T", 27, 1) + b"a\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
_ROW = struct.pack("!cIHI", b"D", 10 + 100, 1, 100) + BLOCK[:100]
_HUGE_ROW = struct.pack("!cIHI", b"D", 10 + HUGE, 1, HUGE)

# What an answer begins with, and what is sent from then on again and again.
ENDLESS = {
    "http": (_OK + b"\r\n[", BLOCK),
    "http-headers": (_OK, b"X-Header: x\r\n" * 1000),
    "http-header": (_OK + b"X: ", BLOCK),
    "http-interim": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 1000),
    "http-chunks": (_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000),
    "redis": (b"+", BLOCK),
    "redis-list": (b"*1000000000\r\n", b":1\r\n" * 10_000),
    "redis-lists": (b"", b"*1\r\n" * 10_000),
    "postgres": (_ROWS, _ROW * 1000),
}
HUGE_ANSWERS = {
    "http": (_OK + f"Content-Length: {HUGE}\r\n\r\n".encode(), BLOCK),
    "redis": (f"${HUGE}\r\n".encode(), BLOCK),
    "postgres": (_ROWS + _HUGE_ROW, BLOCK),
}


@contextmanager
def hostile(kind: str, behaviour: str) -> Iterator[int]:
    """Serve such answers on the loopback; return the port. `kind` is a key of those above."""
    released = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        request: socket.socket

        def handle(self) -> None:
            with suppress(OSError):  # whoever asks may hang up
                if kind == "postgres":
                    _let_in(self.request)
                else:
                    self.request.recv(1 << 16)
                self._answer()

        def _answer(self) -> None:
            if behaviour == "stalled":
                released.wait(60)
            begin, block = (HUGE_ANSWERS if behaviour == "huge" else ENDLESS)[kind]
            if behaviour == "slow":
                for each in itertools.cycle(begin + block[:100]):
                    self.request.sendall(bytes([each]))
                    if released.wait(0.05):
                        return
            self.request.sendall(begin)
            while not released.is_set():
                self.request.sendall(block)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close, request_queue_size = True, False, 64

        def handle_error(self, *_: object) -> None:
            """Whoever asks may hang up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            released.set()
            server.shutdown()


def _let_in(wire: socket.socket) -> None:
    """Let a client of PostgreSQL in, without TLS, and read its first statement."""
    while struct.unpack("!II", wire.recv(8))[1] in SSL_REQUESTS:
        wire.sendall(b"N")
    wire.recv(1 << 16)
    wire.sendall(struct.pack("!cII", b"R", 8, 0) + struct.pack("!cIc", b"Z", 5, b"I"))
    wire.recv(1 << 16)
