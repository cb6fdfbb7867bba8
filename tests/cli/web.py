"""A web server on loopback whose bodies come as slowly as a test needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY_BYTES = 64 << 20
_STEP_BYTES = 1 << 16


class _Handler(BaseHTTPRequestHandler):
    """`/slow…` trickles an endless-looking video, `/hostile` answers with escape sequences, all else is a 404."""

    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        if not self.path.startswith("/slow"):
            self.send_error(404, "gone \x1b[31mred" if self.path == "/hostile" else None)
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        self.server.starts.append(start)
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(BODY_BYTES - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{BODY_BYTES - 1}/{BODY_BYTES}")
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(b"\0\0\0\x18ftypisom"[start:])
            while not self.server.over.wait(0.02):
                self.wfile.write(bytes(_STEP_BYTES))

    def log_message(self, *_: object) -> None:
        pass


class Site(ThreadingHTTPServer):
    """The running server."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.starts: list[int] = []
        """Where each slow answer began."""
        self.over = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


@contextmanager
def site() -> Iterator[Site]:
    """Serve for as long as the context lasts."""
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
