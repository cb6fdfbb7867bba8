"""The demo's web server, as seen by who starts it: `async with demo_server(folder) as server: server.url("001.mp4")`.

It runs in a process of its own, so that it shares no event loop with the pipeline that it is to try; what it answers is
in `web`, which this module doesn't import, since that would cost the demo the import of a web framework.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pulsetui.demo.companion import companion
from pulsetui.processes.runner import TaskSpec

ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: the addresses at which it serves the folder's files."""

    port: int

    def url(self, location: str) -> str:
        """Return the address of a file; `location` is its name, with or without a query."""
        return f"http://{ADDRESS}:{self.port}/{location}"

    def busy_url(self, location: str, *, times: int, retry_after_s: int = 1) -> str:
        """Return an address that answers 503 with Retry-After the first `times`, then like `url`."""
        return self.url(f"busy/{times}/{retry_after_s}/{location}")

    def short_url(self, location: str) -> str:
        """Return an address that declares the whole length, sends half of what was asked for, and hangs up."""
        return self.url(f"short/{location}")

    def unsized_url(self, location: str) -> str:
        """Return an address that sends the whole file in chunks, without length, validators or ranges."""
        return self.url(f"unsized/{location}")


@asynccontextmanager
async def demo_server(folder: Path, *, rate_bytes_per_s: int | None = None) -> AsyncIterator[Server]:
    """Serve the files of a folder while the block runs; `rate_bytes_per_s` limits each request.

    Raises:
        WorkerFailedError: there is no such folder.
        WorkerLostError: the server's process died, at the start or during the block.
    """
    ports: list[int] = []
    arguments = {"folder": str(folder), "address": ADDRESS, "rate_bytes_per_s": rate_bytes_per_s}
    async with companion(TaskSpec("pulsetui.demo.web:serve", arguments), lambda event: ports.append(event["port"])):
        yield Server(ports[0])
