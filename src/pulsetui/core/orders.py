"""What screens order of the owner in this process, and the sentences about how it went."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pulsetui.actions.base import Action, Caller, Outcome, parse_action
from pulsetui.core.runtime import Core
from pulsetui.errors import NotFoundError, RefusedError
from pulsetui.files.names import display_text
from pulsetui.pipeline.actions import AddEpisodes, Episode, EpisodesAdded, JobsChanged, PauseChanged
from pulsetui.pipeline.given import NO_FILE, is_missing, source_of
from pulsetui.storage.actions import SizesRefreshed
from pulsetui.storage.events import took
from pulsetui.units import format_size
from pulsetui.volumes.sentences import volume_sentence
from pulsetui.waiting import in_thread

ORDER_LIFE = timedelta(seconds=30)
_DONE_TO_JOBS = {"jobs.cancel": "cancelled", "jobs.retry": "will be tried again"}


class Orders:
    """Hands orders to the owner's runner."""

    def __init__(self, core: Core) -> None:
        """Take the running core."""
        self._owner = core

    async def order(self, verb: str, arguments: Mapping[str, object]) -> str:
        """Have something done and return a plain sentence about it.

        Raises:
            PulseError: it was refused or failed.
        """
        return sentence(await self._run(parse_action(verb, arguments)), verb)

    async def add(self, given: str) -> str:
        """Queue what was typed, a URL or a path, and return a plain sentence about it.

        Raises:
            NotFoundError: it is a path, and nothing is there.
            RefusedError: it is queued already, or nothing can fetch it.
            PulseError: it failed.
        """
        source = await in_thread(source_of, given)
        if await in_thread(is_missing, source):
            raise NotFoundError(f"nothing queued: {display_text(source)}", hint=NO_FILE)
        outcome = await self._run(AddEpisodes(episodes=(Episode(source=source),)))
        if isinstance(outcome, EpisodesAdded) and outcome.skipped:
            skipped = outcome.skipped[0]
            raise RefusedError(f"nothing queued: {skipped.source}", hint=skipped.reason)
        return sentence(outcome, "jobs.add")

    async def _run(self, action: Action) -> Outcome:
        core = self._owner
        caller, expires_at = Caller.this_process("tui"), core.clock.now() + ORDER_LIFE
        return await core.runner.run(action, caller=caller, uuid=str(uuid.uuid4()), expires_at=expires_at)


def sentence(outcome: Outcome, verb: str) -> str:
    """Return what an order did, in one plain sentence."""
    match outcome:
        case EpisodesAdded(added=added, skipped=skipped):
            done = _jobs([job.id for job in added], "queued")
            return f"{done}, {len(skipped)} skipped: {skipped[0].reason}" if skipped else done
        case JobsChanged(changed=changed, refused=refused):
            done = _jobs(changed, _DONE_TO_JOBS.get(verb, "changed"), of=len(changed) + len(refused))
            return f"{done}: {next(iter(refused.values()))}" if refused else done
        case PauseChanged(paused=paused):
            return "new downloads are paused; running work goes on" if paused else "downloads may start"
        case SizesRefreshed(files=files, allocated_bytes=size, seconds=seconds, errors=errors):
            trouble = f", {errors:,} could not be read" if errors else ""
            return f"{format_size(size)} in {files:,} files, read in {took(seconds)}{trouble}"
        case _:
            return volume_sentence(outcome) or "done"


def _jobs(ids: Sequence[int], done: str, *, of: int | None = None) -> str:
    """Say what was done to which job, or to how many of those that were wanted."""
    if len(ids) == 1 and of in (None, 1):
        return f"job {ids[0]} {done}"
    number = f"{len(ids):,}" if of in (None, len(ids)) else f"{len(ids):,} of {of:,}"
    return f"{number} jobs {done}"
