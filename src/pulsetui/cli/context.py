"""What every command gets: the settings, and the way to the owner's data, whether it runs or not."""

from __future__ import annotations

import argparse
import os
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pulsetui.actions.base import Action, Caller
from pulsetui.actions.client import send_order
from pulsetui.clock import SystemClock
from pulsetui.db.database import DATABASE_NAME, Database, Reader
from pulsetui.errors import NotFoundError, OwnedError
from pulsetui.settings.load import LoadedSettings, load_settings

T = TypeVar("T")
ORDER_LIFE = timedelta(seconds=60)
"""How long an order may wait for the owner before it is void."""


@dataclass(frozen=True, slots=True)
class Context:
    """The command's words and the settings they lead to."""

    arguments: argparse.Namespace
    loaded: LoadedSettings

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Context:
        """Load the settings that the words before the command name.

        Raises:
            SettingsError: a setting is wrong.
        """
        flags = {"paths.data_dir": arguments.data_dir}
        config = Path(arguments.config) if arguments.config else None
        return cls(arguments, load_settings(config=config, environment=os.environ, flags=flags))

    @property
    def data_dir(self) -> Path:
        """The data directory, links resolved."""
        return self.loaded.settings.paths.data_dir.resolve()

    @property
    def as_json(self) -> bool:
        """Whether the output is for scripts."""
        return bool(getattr(self.arguments, "json", False))

    async def read(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        """Read the database, whoever owns it.

        Raises:
            NotFoundError: there is none yet.
        """
        path = self.data_dir / DATABASE_NAME
        if not path.exists():
            raise NotFoundError(
                f"there is no pulsetui data in {self.data_dir}",
                hint="`pulsetui add URL` makes it, or name another folder with --data-dir",
            )
        database = await Database.open(path, owner=False)
        try:
            return await database.read(work)
        finally:
            await database.close()

    async def order(self, action: Action) -> dict[str, Any]:
        """Have the owner run an action; without an owner, take the lock for as long as it runs.

        Raises:
            PulseError: what the action raised.
        """
        order_uuid = str(uuid.uuid4())
        expires_at = SystemClock().now() + ORDER_LIFE
        answer = await self._ask_owner(action, order_uuid)
        if answer is not None:
            return answer
        # Only now, since it takes in the whole pipeline: most orders find an owner.
        from pulsetui.core.assembly import open_core

        try:
            async with open_core(self.loaded, front_end="cli") as core:
                outcome = await core.runner.run(
                    action, caller=Caller.this_process("cli"), uuid=order_uuid, expires_at=expires_at
                )
        except OwnedError:
            # Somebody became the owner between the question and the lock: it takes the order after all.
            answer = await self._ask_owner(action, order_uuid)
            if answer is None:
                raise
            return answer
        return outcome.model_dump(mode="json")

    async def _ask_owner(self, action: Action, order_uuid: str) -> dict[str, Any] | None:
        expires_at = SystemClock().now() + ORDER_LIFE
        return await send_order(self.data_dir, action, uuid=order_uuid, expires_at=expires_at, through="cli")
