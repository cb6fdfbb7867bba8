"""Where bodies come from: the `Source` protocol, and the registry that finds the source of a URL by its scheme.

Sources are entry points of the group `pulsetui.sources`: each a callable that takes the download settings and returns
a `Source`. The built-in ones are declared here, so that they work from an unfinished installation too, and a plug-in
can't take their schemes. The invariant: whatever a plug-in raises reaches the caller as a `SourceError`; one that
can't be loaded is logged and left out. Writing, hashing and checking is shared, and not a source's business.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from pulsetui.errors import FailureClass, PulseError, SourceError
from pulsetui.files.names import display_text
from pulsetui.pipeline.downloader.ranges import Recorded
from pulsetui.settings.models import Downloads

GROUP = "pulsetui.sources"
_BUILT_IN = (
    EntryPoint("http", "pulsetui.pipeline.downloader.http_source:HttpSource", GROUP),
    EntryPoint("local", "pulsetui.pipeline.downloader.local_source:LocalSource", GROUP),
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Body:
    """What a source says of the body that it is about to give."""

    start_bytes: int
    """0, or `Recorded.have_bytes` if it goes on where the partial file ends."""
    declared_bytes: int | None
    """Size of the whole body, or None if unknown."""
    etag: str | None = None
    """Only a strong validator."""
    last_modified: str | None = None
    """Only where it is a strong validator."""
    extension: str = ""
    """What the source says that it is, in lower case; empty if it doesn't."""
    final_url: str = ""
    """For display: without credentials and query."""
    clone_from: int | None = None
    """The descriptor of a local file that may be reflinked instead of read."""
    is_complete: bool = False
    """The partial file is the whole body already; nothing will come."""


class Stream(Protocol):
    """A body that was opened."""

    @property
    def body(self) -> Body:
        """What it is."""
        ...

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Give the bytes from `body.start_bytes` to the end.

        Raises:
            SourceError: it can't go on, or it ended early.
        """
        ...

    async def close(self) -> None:
        """Let it go, read to the end or not."""
        ...


class Source(Protocol):
    """Opens the URLs of some schemes."""

    @property
    def schemes(self) -> frozenset[str]:
        """The schemes that it takes, in lower case; an absolute path counts as `file`."""
        ...

    async def open(self, url: str, recorded: Recorded) -> Stream:
        """Open a URL, to go on from `recorded` if that is provably the same body, else from its start.

        Raises:
            SourceError: it can't be opened.
        """
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...


def load_sources(settings: Downloads) -> tuple[Source, ...]:
    """Return the built-in sources and those of installed plug-ins."""
    built_in = tuple(_made(entry, settings) for entry in _BUILT_IN)
    taken = frozenset[str]().union(*(source.schemes for source in built_in))
    plugins = (_plugin(entry, settings, taken) for entry in sorted(entry_points(group=GROUP)))
    return built_in + tuple(plugin for plugin in plugins if plugin is not None)


def by_scheme(sources: Iterable[Source]) -> dict[str, Source]:
    """Return which source takes which scheme; the first one wins."""
    found: dict[str, Source] = {}
    for source in sources:
        for scheme in source.schemes:
            found.setdefault(scheme, source)
    return found


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in lower case, `file` for an absolute path, empty if it has none."""
    if url.startswith("/"):
        return "file"
    match = re.match(r"([a-z][a-z0-9+.-]*):", url, re.IGNORECASE | re.ASCII)
    return match[1].lower() if match else ""


def shown_url(url: str) -> str:
    """Return a URL for messages: without user, password, query and fragment, which may be secret; harmless as text."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return f"{scheme_of(url)}:…"
    return display_text(urlunsplit((parts.scheme, host, parts.path, "…" if parts.query else "", "")))


def _made(entry: EntryPoint, settings: Downloads) -> Source:
    made: Source = entry.load()(settings)
    return made


def _plugin(entry: EntryPoint, settings: Downloads, taken: frozenset[str]) -> Source | None:
    try:
        source = _made(entry, settings)
        clash = sorted(source.schemes & taken)
    except Exception:  # noqa: BLE001 - the plug-in boundary: pulsetui works without it
        _log.exception("source plug-in %s can't be loaded and is left out", display_text(entry.name))
        return None
    if clash:
        _log.warning("source plug-in %s is left out: %s is built in", display_text(entry.name), ", ".join(clash))
        return None
    return _GuardedSource(display_text(entry.name), source)


class _GuardedSource:
    """The plug-in boundary around a source: an error of its own kind becomes a transient `SourceError`."""

    def __init__(self, name: str, source: Source) -> None:
        self._name = name
        self._source = source
        self.schemes = frozenset(source.schemes)

    async def open(self, url: str, recorded: Recorded) -> Stream:
        try:
            return _GuardedStream(self._name, await self._source.open(url, recorded))
        except (PulseError, asyncio.CancelledError):
            raise
        except Exception as error:  # the plug-in boundary
            raise _plugin_error(self._name, error) from error

    async def close(self) -> None:
        try:
            await self._source.close()
        except Exception:  # noqa: BLE001 - the plug-in boundary
            _log.exception("source plug-in %s failed to close", self._name)


class _GuardedStream:
    def __init__(self, name: str, stream: Stream) -> None:
        self._name = name
        self._stream = stream
        self.body = stream.body

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in self._stream.chunks():
                yield chunk
        except (PulseError, asyncio.CancelledError):
            raise
        except Exception as error:  # the plug-in boundary
            raise _plugin_error(self._name, error) from error

    async def close(self) -> None:
        try:
            await self._stream.close()
        except Exception:  # noqa: BLE001 - the plug-in boundary
            _log.exception("source plug-in %s failed to close a stream", self._name)


def _plugin_error(name: str, error: Exception) -> SourceError:
    reason = display_text(f"{type(error).__name__}: {error}")
    return SourceError(f"source plug-in {name} failed: {reason}", failure=FailureClass.TRANSIENT)
