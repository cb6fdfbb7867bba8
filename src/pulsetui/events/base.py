"""`Event`: something that happened, as a frozen value; each subject declares its own on this base.

The invariant: a kind is declared once and never changes its meaning, since logs and scripts hold on to it; all
fields are plain values. Where events are kept, and who hears of them, is left to `store` and `bus`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, get_args

Category: TypeAlias = Literal["job", "review", "volume", "disk", "storage", "reclaim", "asset", "alert", "system"]
Severity: TypeAlias = Literal["debug", "info", "warning", "error", "critical"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the most severe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    A subclass is declared with its constants, as a dataclass of plain values, and says itself in one sentence:

    ```python
    @dataclass(frozen=True, slots=True, kw_only=True)
    class GateClosed(Event, kind="gate.closed", category="disk", severity="warning"):
        committed_bytes: int

        def text(self) -> str:
            return f"Downloads paused at {format_size(self.committed_bytes)}."
    ```

    `keep` marks what the log never trims: deletions and what else has to be answered for.
    """

    kind: ClassVar[str]
    category: ClassVar[Category]
    severity: ClassVar[Severity]
    keep: ClassVar[bool]

    entity: str | None = None
    """Path of the entity that it happened to, such as `Harbor/Ada/Scene 3`."""
    job_id: int | None = None
    """Job that it happened to."""

    def __init_subclass__(
        cls,
        *,
        kind: str | None = None,
        category: Category | None = None,
        severity: Severity | None = None,
        keep: bool = False,
    ) -> None:
        """Register the class under its kind; one without a kind is a base for others.

        Raises:
            TypeError: the kind is taken, or has no category.
        """
        # dataclass(slots=True) builds the class a second time, from its namespace and without these arguments: what the
        # first time set is found there, and the second class is the one that stays. (super() would name the first one.)
        if kind is not None:
            if category is None or severity is None:
                raise TypeError(f"event {kind!r} needs a category and a severity")
            cls.kind, cls.category, cls.severity, cls.keep = kind, category, severity, keep
        if "kind" in cls.__dict__:
            _register(cls)

    def text(self) -> str:
        """Say what happened in one plain sentence with its numbers; escaping for a screen is left to the screen."""
        raise NotImplementedError

    def data(self) -> dict[str, Any]:
        """Return the fields that only this kind has, as plain values."""
        common = {"entity", "job_id"}
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name not in common}


_registry: dict[str, type[Event]] = {}


def registered_events() -> dict[str, type[Event]]:
    """Return all declared events by kind, sorted."""
    return dict(sorted(_registry.items()))


def _register(cls: type[Event]) -> None:
    other = _registry.get(cls.kind)
    if other is not None and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        raise TypeError(f"event kind {cls.kind!r} is taken by {other.__module__}.{other.__qualname__}")
    _registry[cls.kind] = cls
