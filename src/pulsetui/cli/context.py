"""What every command gets: the settings, and the way to the owner's data, whether it runs or not."""

from __future__ import annotations

import argparse
import asyncio
import os
import stat
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pulsetui.clock import SystemClock
from pulsetui.db.database import DATABASE_NAME, Database, Reader
from pulsetui.errors import NotFoundError, NotPermittedError, OwnedError, SettingsError, UsageError
from pulsetui.settings.load import LoadedSettings, load_settings

if TYPE_CHECKING:
    from pulsetui.actions.base import Action
    from pulsetui.core.runtime import Core

T = TypeVar("T")
ORDER_LIFE = timedelta(seconds=60)
"""How long an order may wait for the owner before it is void."""
OWNER_WAIT_S = 10.0
"""How long to ask again while there is an owner that takes no orders: it starts, or is about to end."""
_ASK_AGAIN_S = 0.2


class Context:
    """The command's words and the settings they lead to."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Take the words; the settings are read when they are needed."""
        self.arguments = arguments

    @cached_property
    def loaded(self) -> LoadedSettings:
        """The settings.

        Raises:
            SettingsError: a setting is wrong.
        """
        flags = {"paths.data_dir": self.arguments.data_dir}
        return load_settings(config=self.config_file, environment=os.environ, flags=flags)

    @property
    def config_file(self) -> Path | None:
        """The settings file that was named, or None for the usual one.

        Raises:
            UsageError: its name leads nowhere.
        """
        return absolute(self.arguments.config) if self.arguments.config is not None else None

    @property
    def data_dir(self) -> Path:
        """The data directory, links resolved."""
        return self.loaded.settings.paths.data_dir.resolve()

    @property
    def as_json(self) -> bool:
        """Whether the output is for scripts."""
        return bool(getattr(self.arguments, "json", False))

    def has_folder(self) -> bool:
        """Say whether the data directory is there, and may be entered.

        Raises:
            NotPermittedError: this user may not look into it.
            SettingsError: it is something else than a folder.
        """
        try:
            found = self.data_dir.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except PermissionError as error:
            raise _no_entry(self.data_dir) from error
        if not stat.S_ISDIR(found.st_mode):
            raise SettingsError(
                f"the data directory {self.data_dir} is no folder",
                hint="set paths.data_dir (or --data-dir) to a folder",
            )
        if not os.access(self.data_dir, os.X_OK):
            raise _no_entry(self.data_dir)
        return True

    def find_database(self) -> Path:
        """Return the path of the database.

        Raises:
            NotFoundError: there is none yet.
            NotPermittedError: this user may not look into the data directory.
            SettingsError: the data directory is no folder.
        """
        path = self.data_dir / DATABASE_NAME
        if not self.has_folder() or not _there(path, self.data_dir):
            raise NotFoundError(
                f"there is no pulsetui data in {self.data_dir}",
                hint="`pulsetui add URL` makes it, or name another folder with --data-dir",
            )
        return path

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Database]:
        """Open the database for reading, whoever owns it.

        Raises:
            PulseError: it isn't there, or can't be read.
        """
        database = await Database.open(self.find_database(), owner=False)
        try:
            yield database
        finally:
            await database.close()

    async def read(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        """Read the database once, whoever owns it.

        Raises:
            PulseError: it isn't there, or can't be read.
        """
        async with self.reading() as database:
            return await database.read(work)

    async def live(self) -> dict[str, Any] | None:
        """Return the owner's live figures; None if nobody owns the data directory.

        Raises:
            PulseError: the owner doesn't answer, or this user may not ask.
        """
        from pulsetui.actions.client import ask_live

        return await ask_live(self.data_dir) if self.has_folder() else None

    async def order(
        self, action: Action, *, on_core: Callable[[Core], None] = lambda _: None, order_uuid: str = ""
    ) -> dict[str, Any]:
        """Have the owner run an action; without an owner, take the lock for as long as it runs.

        `on_core` gets the owner's parts if it is this process that runs it, just before. `order_uuid` is for who wants
        to name the order later; a new one if it is empty.

        Raises:
            PulseError: what the action raised.
        """
        from pulsetui.actions.client import send_order

        order_uuid = order_uuid or str(uuid.uuid4())
        expires_at = SystemClock().now() + ORDER_LIFE
        give_up_at = time.monotonic() + OWNER_WAIT_S
        while True:
            if self.has_folder():
                answer = await send_order(self.data_dir, action, uuid=order_uuid, expires_at=expires_at, through="cli")
                if answer is not None:
                    return answer
            try:
                return await self._run_here(action, order_uuid, on_core)
            except OwnedError as error:
                # Somebody became the owner meanwhile, but isn't listening yet, or isn't any more.
                if time.monotonic() >= give_up_at:
                    raise OwnedError(f"{error}, which takes no orders", hint="it may be starting: try again") from error
            await asyncio.sleep(_ASK_AGAIN_S)

    async def _run_here(self, action: Action, order_uuid: str, on_core: Callable[[Core], None]) -> dict[str, Any]:
        # Only now, since it takes in the whole pipeline: most orders find an owner.
        from pulsetui.actions.base import Caller
        from pulsetui.core.assembly import open_core

        async with open_core(self.loaded, front_end="cli") as core:
            on_core(core)
            expires_at = core.clock.now() + ORDER_LIFE
            outcome = await core.runner.run(
                action, caller=Caller.this_process("cli"), uuid=order_uuid, expires_at=expires_at
            )
        return outcome.model_dump(mode="json")


def absolute(name: str) -> Path:
    """Return a path from the command line as an absolute one, `~` as home.

    Raises:
        UsageError: it leads nowhere.
    """
    if not name:
        raise UsageError("a path is empty", hint="write the path of a file or folder")
    try:
        return Path(name).expanduser().absolute()
    except (RuntimeError, OSError) as error:
        raise UsageError(f"{name!r} leads nowhere: {error}", hint="write the whole path") from error


def _there(path: Path, folder: Path) -> bool:
    try:
        return path.exists()
    except PermissionError as error:
        raise _no_entry(folder) from error


def _no_entry(folder: Path) -> NotPermittedError:
    return NotPermittedError(
        f"this user may not look into {folder}",
        hint="ask its owner to set access.group to a group that you are in, or name another folder with --data-dir",
    )
