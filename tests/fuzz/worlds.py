"""A world around the suite in which anything may be bent: servers, log files, backups, rows, settings."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.fuzz.answers import REAL, bent, documents, texts, written

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUSES = (200, 200, 200, 200, 204, 301, 400, 401, 403, 404, 429, 500, 503)
PARTS = tuple(REAL)
Places = list[tuple[int, Any]]


@dataclass(frozen=True)
class Bent:
    """How one server deviates: the status of all answers, what is replaced in each document, or the whole of it."""

    status: int = 200
    places: Places = field(default_factory=list)
    whole: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def answer(self, part: str, path: str) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return the status, the headers and the body with which a part answers at a path."""
        found = REAL[part]
        known = max((one for one in found if path.startswith(one)), key=len)
        body = self.whole if self.whole is not None else written(bent(found[known], self.places))
        return self.status, self.headers, body


HEADERS = (
    ("Content-Encoding", "gzip"), ("Location", "https://elsewhere.example/"), ("Content-Length", "7"),
    ("Retry-After", "soon"), ("Content-Type", "text/\x01html"), ("X-Powered-By", "a" * 9000),
)  # fmt: skip
servers = st.builds(
    Bent,
    st.sampled_from(STATUSES),
    st.lists(st.tuples(st.integers(0, 200), documents), max_size=3),
    st.none() | st.none() | st.binary(max_size=60) | documents.map(written),
    st.just(()) | st.lists(st.sampled_from(HEADERS), max_size=1).map(tuple),
)


def _named(text: str) -> str:
    """Return a name of a file, of any bytes but two."""
    name = text.replace("/", "-").replace("\0", "")[:60]
    return name.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


names = texts.map(_named).filter(lambda name: name not in ("", ".", ".."))


@dataclass(frozen=True)
class World:
    """All that a run meets. `names` are those of files beside the backups, `rows` titles and schedules of tasks."""

    servers: dict[str, Bent]
    log: bytes
    names: list[str]
    rows: list[tuple[str, str, str]]  # title, kind of schedule, schedule
    workers: list[str]  # hosts of heartbeats
    payload: Any


worlds = st.builds(
    World,
    st.fixed_dictionaries(dict.fromkeys(PARTS, servers)),
    st.lists(texts.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=40), max_size=8).map(
        b"\n".join
    ),
    st.lists(names, max_size=4),
    st.lists(st.tuples(texts, st.sampled_from(("cron", "rrule", "once", "event")), texts), max_size=3),
    st.lists(texts, max_size=2),
    documents,
)


class _Handler(BaseHTTPRequestHandler):
    part: str
    how: Bent

    def do_GET(self) -> None:
        status, headers, body = self.how.answer(self.part, self.path)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Whoever asks may hang up."""


@contextmanager
def serving(world: World) -> Iterator[dict[str, str]]:
    """Serve every part of a world; return the host and port of each."""
    with ExitStack() as ends:
        addresses = {}
        for part, how in world.servers.items():
            server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"part": part, "how": how}))
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            ends.callback(server.server_close)
            ends.callback(server.shutdown)
            addresses[part] = f"127.0.0.1:{server.server_port}"
        yield addresses
