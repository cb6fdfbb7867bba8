"""Turns what HTTP and aiohttp say into `SourceError`s with the class of the failure.

The invariant: no message holds a URL's credentials or query, nor a server's text unescaped. Decided here: a failure
of TLS is transient, since an expired certificate gets renewed and a wrong clock set right, nothing was sent, and
attempts are few.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import aiohttp

from pulsetui.errors import FailureClass, SourceError
from pulsetui.files.names import display_text
from pulsetui.pipeline.downloader.addresses import HINT, AddressRefusedError
from pulsetui.pipeline.downloader.ranges import retry_after_s

_COMES_BACK = {408, 425}
_WORDS = {
    400: "bad request",
    401: "a login is needed",
    403: "forbidden",
    404: "not found",
    408: "the request timed out",
    410: "gone for good",
    425: "too early",
    429: "too many requests",
    451: "withheld for legal reasons",
    500: "the server failed",
    502: "its gateway failed",
    503: "not available now",
    504: "its gateway timed out",
}
_HINTS = {
    401: "pulsetui has no logins: use an address that needs none",
    403: "use an address that needs no login",
    404: "check the address",
    410: "find it at another address",
}


def refusal(url: str, status: int, headers: Mapping[str, str], now: datetime) -> SourceError:
    """Return the error for an answer that is no body; `url` as it may be shown."""
    words = _WORDS.get(status)
    message = f"{url} answered {status}" + (f": {words}" if words else "")
    wait_s = retry_after_s(headers.get("Retry-After"), now)
    if status == 429 or (status == 503 and wait_s is not None):
        return SourceError(message, failure=FailureClass.RATE_LIMITED, retry_after_s=wait_s)
    lasting = 400 <= status < 500 and status not in _COMES_BACK
    failure = FailureClass.PERMANENT if lasting else FailureClass.TRANSIENT
    return SourceError(message, failure=failure, hint=_HINTS.get(status, ""))


@contextmanager
def http_errors(url: str) -> Iterator[None]:
    """Translate what aiohttp raises in the block; `url` as it may be shown.

    Raises:
        SourceError: for every failure of the connection.
    """
    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError) as error:  # OSError holds TimeoutError
        if _was_refused(error):
            message = f"{url} leads to a private or special address"
            raise SourceError(message, failure=FailureClass.PERMANENT, hint=HINT) from error
        lasting = isinstance(error, aiohttp.InvalidURL)
        failure = FailureClass.PERMANENT if lasting else FailureClass.TRANSIENT
        raise SourceError(f"{url}: {_reason(error)}", failure=failure, hint=_hint(error)) from error


def _reason(error: Exception) -> str:
    """Say what went wrong, never with `str(error)` as such: it may hold the whole URL."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host's name can't be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the server's certificate is not valid: {display_text(str(error.certificate_error))}"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no encrypted connection could be made"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the body ended early"
    if isinstance(error, aiohttp.InvalidURL):
        return "the address is not valid"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the answer is not HTTP: {display_text(error.message)[:200]}"
    if isinstance(error, TimeoutError):
        return (
            "the server didn't answer in time"
            if isinstance(error, aiohttp.ConnectionTimeoutError)
            else "the server sent nothing for too long"
        )
    if isinstance(error, OSError):
        # asyncio words it by itself, with the address as Python writes it.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        return f"the connection failed: {display_text(reason or type(error).__name__)}"
    return f"the connection failed ({type(error).__name__})"


def _hint(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return "check this machine's clock and certificates; it is tried again"
    return ""


def _was_refused(error: BaseException) -> bool:
    """Say whether the last look at the address is what stopped a connection."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefusedError):
            return True
        cause = cause.__cause__
    return False
