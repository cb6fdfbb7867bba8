"""`Action`: a typed order with a typed outcome; each subject declares its own on this base.

The invariant: whatever changes something is an action with a stable verb and a right, and can be sent as JSON and back.
Whether it may run, and that it runs once, is left to `runner`; what it does, to the subject.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError

from pulsetui.clock import Clock
from pulsetui.db.database import Database
from pulsetui.db.identity import user_name
from pulsetui.errors import UsageError
from pulsetui.events.store import EventLog
from pulsetui.files.names import display_text
from pulsetui.settings.models import Settings


class Right(StrEnum):
    """What an action asks of its caller; each includes those before it."""

    VIEW = "view"
    OPERATE = "operate"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who orders, and through what. The uid comes from the kernel, never from what the caller says."""

    user: str
    uid: int
    through: str
    """The front end: `cli`, `tui`, `demo`. The caller's own word; for the audit only."""

    @classmethod
    def this_process(cls, through: str) -> Caller:
        """Return the user that this process runs as."""
        uid = os.geteuid()
        return cls(user_name(uid), uid, through)


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What an action works with."""

    database: Database
    events: EventLog
    clock: Clock
    settings: Settings
    caller: Caller
    uuid: str
    """The order's uuid. An order whose owner died in the middle runs again under the same one: derive from it what
    must not come into being twice."""
    services: Mapping[str, Any]
    """What the composition root hands to actions, by name."""


class Outcome(BaseModel):
    """What an action did; subclasses add fields, all JSON values."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Action(BaseModel):
    """An order.

    A subclass is declared with its verb and right, has its arguments as fields, and says in `run` what it does:

    ```python
    class PausePipeline(Action, verb="pause", right=Right.OPERATE):
        async def run(self, context: ActionContext) -> PipelinePaused: ...
    ```
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verb: ClassVar[str]
    right: ClassVar[Right]

    def __init_subclass__(cls, *, verb: str | None = None, right: Right | None = None, **kwargs: Any) -> None:
        """Register the class under its verb; one without a verb is a base for others.

        Raises:
            TypeError: the verb is taken, or has no right.
        """
        super().__init_subclass__(**kwargs)
        if verb is None:
            return
        if right is None:
            raise TypeError(f"action {verb!r} needs a right")
        other = _registry.get(verb)
        if other is not None and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"verb {verb!r} is taken by {other.__module__}.{other.__qualname__}")
        cls.verb, cls.right = verb, right
        _registry[verb] = cls

    async def run(self, context: ActionContext) -> Outcome:
        """Do it, and return what was done.

        Raises:
            PulseError: it can't be done; the error goes back to the caller.
        """
        raise NotImplementedError

    def arguments(self) -> dict[str, Any]:
        """Return the arguments as JSON values."""
        return self.model_dump(mode="json")


_registry: dict[str, type[Action]] = {}


def registered_actions() -> dict[str, type[Action]]:
    """Return all declared actions by verb, sorted."""
    return dict(sorted(_registry.items()))


def parse_action(verb: str, arguments: Mapping[str, Any]) -> Action:
    """Return the action of a verb with arguments that came as JSON values.

    Raises:
        UsageError: there is no such verb, or the arguments don't fit.
    """
    kind = _registry.get(verb)
    if kind is None:
        near = difflib.get_close_matches(verb, _registry, n=1)
        raise UsageError(f"there is no order {display_text(verb)!r}", hint=f"did you mean {near[0]!r}?" if near else "")
    try:
        return kind.model_validate(dict(arguments))
    except ValidationError as error:
        raise UsageError(f"order {verb!r}: {explained(error)}") from error


def parse_outcome(action: Action, plain: Any) -> Outcome:
    """Return the typed outcome of `action` from the JSON value that was kept or sent."""
    kind: type[Outcome] = get_type_hints(type(action).run)["return"]
    return kind.model_validate(plain)


def explained(error: ValidationError) -> str:
    """Return what pydantic found, in one line: `where: what`, parted by semicolons."""
    found = (
        (".".join(map(str, problem["loc"])) or "value", problem["msg"])
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )
    return display_text("; ".join(f"{where}: {what}" for where, what in found))
