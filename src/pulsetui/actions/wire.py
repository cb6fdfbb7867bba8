"""How orders, answers and errors look between processes: one JSON line each.

The invariant: an error comes out as the same class that went in, with the same exit code, message and hint.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from pulsetui.actions.base import explained
from pulsetui.errors import FailureClass, PulseError, SourceError, UsageError, WorkerFailedError

SOCKET_NAME = "owner.sock"
"""The owner's socket in the data directory."""
MAX_REQUEST_BYTES = 8 << 20
"""The longest request that the owner reads; a longer list of episodes goes in several orders."""


class Order(BaseModel):
    """An order on the wire. Who gives it is not in it: the kernel says that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verb: str = Field(max_length=64)
    arguments: dict[str, Any]
    uuid: UUID
    expires_at: AwareDatetime
    through: str = Field(pattern=r"^[a-z][a-z-]{0,15}$")


class Request(BaseModel):
    """One line to the owner: an order, or a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: Order | None = None
    ask: Literal["live"] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Request:
        if (self.order is None) == (self.ask is None):
            raise ValueError("give either an order or a question")
        return self


def parse_request(line: bytes) -> Request:
    """Return the request in a line.

    Raises:
        UsageError: it isn't one.
    """
    try:
        return Request.model_validate_json(line)
    except ValidationError as error:
        raise UsageError(f"the request can't be read: {explained(error)}") from error


def to_line(plain: dict[str, Any]) -> bytes:
    """Return a JSON object as one line."""
    return json.dumps(plain).encode() + b"\n"


def error_to_plain(error: PulseError) -> dict[str, Any]:
    """Return an error as JSON values: code, message, hint, and what its class carries on top."""
    plain: dict[str, Any] = {"code": error.code, "message": str(error), "hint": error.hint}
    if isinstance(error, WorkerFailedError):
        plain["kind"] = error.kind
    if isinstance(error, SourceError):
        plain |= {"failure": error.failure, "retry_after_s": error.retry_after_s}
    return plain


def error_from_plain(plain: dict[str, Any]) -> PulseError:
    """Return the error that `error_to_plain` made these values from; an unknown code gives the base class."""
    message, hint = str(plain.get("message", "unknown error")), str(plain.get("hint", ""))
    kind = next((kind for kind in _kinds(PulseError) if kind.code == plain.get("code")), PulseError)
    if issubclass(kind, WorkerFailedError):
        return kind(message, kind=str(plain.get("kind", "")), hint=hint)
    if issubclass(kind, SourceError):
        failure = FailureClass(plain.get("failure", FailureClass.PERMANENT))
        return kind(message, failure=failure, retry_after_s=plain.get("retry_after_s"), hint=hint)
    return kind(message, hint=hint)


def _kinds(base: type[PulseError]) -> Iterator[type[PulseError]]:
    yield base
    for kind in base.__subclasses__():
        yield from _kinds(kind)
