"""What can be ordered of the catalog: libraries are added and removed.

The invariant: a library that has entities, and the one that is always there, are never removed. What other rooms keep
for a library they let go in the same transaction, through the service `library_parts`.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeAlias

from pydantic import Field

from pulsetui.actions.base import Action, ActionContext, Outcome, Right
from pulsetui.catalog import events, store
from pulsetui.db.database import Transaction
from pulsetui.errors import RefusedError, UsageError
from pulsetui.files.names import clean_title, display_text

Name = Annotated[str, Field(min_length=1, max_length=200)]
LetGo: TypeAlias = Callable[[Transaction, ActionContext, str], Awaitable[Sequence[str]]]
"""Lets go of what a room keeps for a library, by the library's name, and returns what that was called."""


class LibraryAdded(Outcome):
    """A library that was made."""

    uuid: str
    name: str


class AddLibrary(Action, verb="library.add", right=Right.ADMIN):
    """Make a library."""

    name: Name

    async def run(self, context: ActionContext) -> LibraryAdded:
        """Make it.

        Raises:
            UsageError: there is one of that name, or it is no name.
        """
        name = clean_title(self.name)
        if not name:
            raise UsageError(f"{display_text(self.name)!r} is no name for a library", hint="use letters and digits")
        library_uuid = str(uuid.uuid5(uuid.UUID(context.uuid), "library"))

        async def work(tx: Transaction) -> None:
            now, known = context.clock.now(), await store.library_uuid(tx, name)
            if known == library_uuid:  # this order, which ran before
                return
            if known is not None:
                raise UsageError(f"there is a library called {name} already", hint="`pulsetui library list`")
            await store.add_library(tx, name, library_uuid, now=now)
            told = events.LibraryAdded(library=name, user=display_text(context.caller.user))
            await context.events.record(tx, told, now=now)

        await context.database.write(work)
        return LibraryAdded(uuid=library_uuid, name=name)


class LibraryRemoved(Outcome):
    """A library that was removed."""

    uuid: str
    name: str
    untracked: tuple[str, ...]
    """What the volumes are called that it tracked."""


class RemoveLibrary(Action, verb="library.remove", right=Right.ADMIN):
    """Remove a library without entities; what it tracks is tracked no more. No file is touched."""

    name: Name

    async def run(self, context: ActionContext) -> LibraryRemoved:
        """Remove it.

        Raises:
            NotFoundError: there is none of that name.
            RefusedError: it has entities, or is the one that is always there.
        """
        if self.name == store.DEFAULT_LIBRARY:
            raise RefusedError(f"library {self.name} is always there", hint="untrack its volumes one by one")
        let_go: Sequence[LetGo] = context.services.get("library_parts", ())

        async def work(tx: Transaction) -> LibraryRemoved:
            library_id = await store.get_library(tx, self.name)
            library_uuid = await store.library_uuid(tx, self.name)
            entities = await store.count_entities(tx, library_id)
            if entities:
                raise RefusedError(
                    f"library {display_text(self.name)} has {entities:,} entities",
                    hint="a library is removed only when it has none",
                )
            untracked = [name for part in let_go for name in await part(tx, context, self.name)]
            await store.remove_library(tx, library_id)
            user = display_text(context.caller.user)
            told = events.LibraryRemoved(library=self.name, volumes=len(untracked), user=user)
            await context.events.record(tx, told, now=context.clock.now())
            return LibraryRemoved(uuid=library_uuid or "", name=self.name, untracked=tuple(untracked))

        return await context.database.write(work)
