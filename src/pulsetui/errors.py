"""The one error tree, with the exit code that each branch leaves the command line with.

```
PulseError                 1  it failed
├── UsageError             2  the command's words are off
├── SettingsError          2  a setting is unknown, malformed, or contradicts another
├── NotPermittedError      3  the caller lacks the right
├── AlreadyTrackedError    1  the library has that volume already
├── NotFoundError          4  nothing has that id or name
│   ├── NotTrackedError    4  the library has no such volume
│   └── VolumeNotFoundError  4  no mounted or tracked volume has that fingerprint
├── OwnedError             5  another process owns the data directory
├── RefusedError           6  refused for safety: would pass the limit, stale preview
│   └── VolumeAwayError    6  a path doesn't stand on the volume that it belongs to, or that one doesn't answer
├── DatabaseError          1  the database is damaged, from a newer version, or on a network file system
├── SpaceError             1  no room: ENOSPC from the disk, or the budget has none to give
├── LeaseLostError         1  the lease on a job ended; whatever its worker did must be thrown away
├── WorkerLostError        1  a job's process died without an answer
├── WorkerFailedError      1  a job's process answered that it failed
└── SourceError            1  a source can't be fetched; carries the class of the failure
```

Third-party errors are translated where they enter, with ``raise … from``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class FailureClass(StrEnum):
    """Why an attempt failed, which decides whether and when the job is tried again."""

    TRANSIENT = "transient"
    """May pass by itself: back off and try again. Costs an attempt."""
    RATE_LIMITED = "rate-limited"
    """The server asked us to wait; its Retry-After wins over the back-off. Costs an attempt."""
    PERMANENT = "permanent"
    """Will not change by trying again: 404, a fake type, no audio stream."""
    SPACE = "space"
    """The disk or the budget had no room. No fault of the source; costs no attempt."""
    AWAY = "away"
    """The volume that its files belong on was away. Costs no attempt; goes on when it is back."""
    SHUTDOWN = "shutdown"
    """pulsetui stopped in the middle. Costs no attempt."""
    POISON = "poison"
    """The job kills its worker. Costs an attempt."""


class PulseError(Exception):
    """Base of all errors that pulsetui raises on purpose.

    `str(error)` says what happened, on what; `hint` what to do next (may be empty).
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Take the message for the user and, where there is one, the next step."""
        super().__init__(message)
        self.hint = hint


class UsageError(PulseError):
    """The command's words are off."""

    code = "usage"
    exit_code = 2


class SettingsError(PulseError):
    """A setting is unknown, malformed, or contradicts another one."""

    code = "settings"
    exit_code = 2


class NotPermittedError(PulseError):
    """The caller lacks the right that the action asks for."""

    code = "not-permitted"
    exit_code = 3


class NotFoundError(PulseError):
    """Nothing has that id or name."""

    code = "not-found"
    exit_code = 4


class AlreadyTrackedError(PulseError):
    """The library has that volume already."""

    code = "already-tracked"


class NotTrackedError(NotFoundError):
    """The library has no such volume."""

    code = "not-tracked"


class VolumeNotFoundError(NotFoundError):
    """No mounted or tracked volume has that fingerprint."""

    code = "volume-not-found"


class OwnedError(PulseError):
    """Another process owns the data directory."""

    code = "owned"
    exit_code = 5


class RefusedError(PulseError):
    """Refused for safety."""

    code = "refused"
    exit_code = 6


class VolumeAwayError(RefusedError):
    """A path doesn't stand on the volume that it belongs to, or that one doesn't answer."""

    code = "volume-away"


class DatabaseError(PulseError):
    """The database is damaged, from a newer version, or where SQLite can't keep its word."""

    code = "database"


class SpaceError(PulseError):
    """There is no room: ENOSPC from the disk, or the budget has none to give."""

    code = "space"


class LeaseLostError(PulseError):
    """The lease on a job ended; whatever its worker did must be thrown away."""

    code = "lease-lost"


class WorkerLostError(PulseError):
    """A job's process died without an answer."""

    code = "worker-lost"


class WorkerFailedError(PulseError):
    """A job's process answered that it failed.

    `kind` is the stable word that the process gave for its failure, such as `no-audio` or `not-media`.
    """

    code = "worker-failed"

    def __init__(self, message: str, *, kind: str, hint: str = "") -> None:
        """Take the message and the kind that the process reported."""
        super().__init__(message, hint=hint)
        self.kind = kind


class SourceError(PulseError):
    """A source can't be fetched.

    `retry_after_s` is what the server asked for, in seconds, or None.
    """

    code = "source"

    def __init__(
        self, message: str, *, failure: FailureClass, retry_after_s: float | None = None, hint: str = ""
    ) -> None:
        """Take the message, the class of the failure and what the server asked for."""
        super().__init__(message, hint=hint)
        self.failure = failure
        self.retry_after_s = retry_after_s
