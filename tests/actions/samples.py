"""Actions that only the tests know."""

from __future__ import annotations

import asyncio

from pulsetui.actions.base import Action, ActionContext, Outcome, Right
from pulsetui.db.database import Transaction
from pulsetui.errors import FailureClass, NotFoundError, SourceError


class Counted(Outcome):
    count: int
    uuid: str = ""


class Count(Action, verb="test-count", right=Right.OPERATE):
    """Leaves one row each time that it runs."""

    name: str = "one"

    async def run(self, context: ActionContext) -> Counted:
        async def work(tx: Transaction) -> int:
            await tx.execute(
                "INSERT INTO events (at, kind, category, severity, keep, text, data)"
                " VALUES (1, ?, 'job', 'info', 0, '', '{}')",
                (self.name,),
            )
            return len(await tx.all("SELECT id FROM events"))

        return Counted(count=await context.database.write(work), uuid=context.uuid)


class Look(Action, verb="test-look", right=Right.VIEW):
    async def run(self, context: ActionContext) -> Counted:
        return Counted(count=context.caller.uid)


class Wipe(Action, verb="test-wipe", right=Right.ADMIN):
    async def run(self, context: ActionContext) -> Counted:
        raise AssertionError(f"{context.caller.user} may not get here")


class Fail(Action, verb="test-fail", right=Right.OPERATE):
    how: str

    async def run(self, context: ActionContext) -> Counted:
        counts: list[str] = context.services["runs"]
        counts.append(self.how)
        if self.how == "source":
            raise SourceError("slow down", failure=FailureClass.RATE_LIMITED, retry_after_s=2.5, hint="wait")
        if self.how == "bug":
            raise KeyError("a bug")
        raise NotFoundError("there is no job 9", hint="pulsetui jobs lists them")


class Wait(Action, verb="test-wait", right=Right.OPERATE):
    """Runs until the test lets it go on."""

    async def run(self, context: ActionContext) -> Counted:
        begun: asyncio.Event = context.services["begun"]
        go_on: asyncio.Event = context.services["go_on"]
        begun.set()
        await go_on.wait()
        return await Count().run(context)
