"""What screens read of storage, answered by the owner in this process: trees of sizes with what jobs will still write.

It has the form of `pulsetui.tui.storage_source.StorageSource`, which this room can't name. The invariant: asked again
while nothing changed, the answer is the same object; nothing here blocks the event loop.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from pulsetui.catalog import store as catalog_store
from pulsetui.core.runtime import Core
from pulsetui.core.shown import readable
from pulsetui.db.database import Reader
from pulsetui.events import store as events_store
from pulsetui.events.bus import Recorded
from pulsetui.files.names import display_text
from pulsetui.pipeline import table_store
from pulsetui.pipeline.events import JobQueued
from pulsetui.pipeline.views import JobView
from pulsetui.storage.placing import NodeKey
from pulsetui.storage.tree import tree_store
from pulsetui.storage.tree.keys import key_of, parse_key
from pulsetui.storage.views import HistoryPoint, StorageNode, StorageView
from pulsetui.waiting import in_thread

T = TypeVar("T")

TREE_AGE_S = 60.0
"""A tree is read again after so long even if nothing changed: growth is measured up to now."""
FILES_AGE_S = 3.0
"""Files are listed as they are now, so they are looked at again sooner."""
_KEPT = 8
"""Answers that are kept: a screen asks for a few again and again."""
EVENTS_SHOWN = 5

_Question = tuple[str | None, int, float, datetime | None]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was read, when, and before how many changes."""

    view: StorageView
    version: int
    at_s: float


@dataclass(frozen=True, slots=True)
class _Shown:
    """An answer with the figures of running jobs, and what it was made of."""

    read: StorageView
    incoming: Mapping[str, int]
    view: StorageView


class StorageReads:
    """Reads sizes for screens."""

    def __init__(self, core: Core) -> None:
        """Take the running core."""
        self._owner = core
        self._answers: dict[_Question, _Answer] = {}
        self._shown: dict[_Question, _Shown] = {}
        self._version = 0
        self._above: dict[int | None, tuple[str, ...]] = {}
        core.bus.on(self._note_catalog)
        core.refresher.on_commit.append(lambda _: self._outdate())

    async def storage(
        self, key: str | None, *, depth: int = 2, growth_s: float = 3600.0, history_at: datetime | None = None
    ) -> StorageView:
        """Return the tree from a node, None for the library, with `depth` levels below it or, if it is small, all.

        Raises:
            NotFoundError: there is no such node (any more).
            PulseError: it can't be read.
        """
        question = (key, depth, growth_s, history_at)
        with readable("sizes"):
            read = (await self._answer(question)).view
            incoming = {} if read.history_at is not None else await self._incoming()
        shown = self._shown.get(question)
        if shown is None or shown.read is not read or shown.incoming != incoming:
            same_tree = shown is not None and shown.read.tree is read.tree and shown.incoming == incoming
            tree = shown.view.tree if shown is not None and same_tree else with_incoming(read.tree, incoming)
            shown = _Shown(read, incoming, replace(read, tree=tree))
        refresher = self._owner.refresher
        now = (refresher.progress, refresher.failure or read.failure)
        if (shown.view.refreshing, shown.view.failure) != now:
            shown = replace(shown, view=replace(shown.view, refreshing=now[0], failure=now[1]))
        _keep(self._shown, question, shown)
        return shown.view

    async def storage_find(self, text: str, limit: int) -> Sequence[StorageView]:
        """Return the nodes whose name contains a text, in any case, the largest first, each with what it is in.

        Raises:
            PulseError: they can't be read.
        """
        with readable("sizes"):
            return await self._owner.hierarchy.find(text, limit)

    async def storage_times(self) -> Sequence[datetime]:
        """Return the times that `storage` can show as `history_at`, oldest first.

        Raises:
            PulseError: they can't be read.
        """
        with readable("the past sizes"):
            return await self._owner.hierarchy.times()

    async def storage_history(self, key: str) -> Sequence[HistoryPoint]:
        """Return how large a node was, oldest first.

        Raises:
            NotFoundError: there is no such node (any more).
            PulseError: it can't be read.
        """
        with readable("the past sizes"):
            return await self._owner.hierarchy.history(key)

    async def storage_jobs(self, key: str, limit: int) -> Sequence[JobView]:
        """Return the jobs of an entity and of all below it, the newest first; none for what is no entity.

        Raises:
            NotFoundError: there is no such entity.
            PulseError: they can't be read.
        """
        wanted = parse_key(key)
        core = self._owner
        if wanted.kind != "node" or wanted.node[0] not in core.settings.storage.levels:
            return ()
        now = core.clock.now()

        async def read(reader: Reader) -> Sequence[JobView]:
            entity = await catalog_store.get_entity(reader, wanted.node[1])
            page = await table_store.page(reader, now=now, project=entity.path, limit=limit, sort="newest")
            return page.jobs

        with readable("the jobs"):
            return await core.database.read(read)

    def _note_catalog(self, recorded: Recorded) -> None:
        """Read anew when an entity may have come into being."""
        if isinstance(recorded.event, JobQueued) and recorded.event.entity is not None:
            self._outdate()

    def _outdate(self) -> None:
        self._version += 1

    async def _answer(self, question: _Question) -> _Answer:
        """Return what was read, anew if it may have changed; what did not change stays the object that it is."""
        now_s, version = self._owner.clock.monotonic(), self._version
        kept = self._answers.get(question)
        if kept is not None and kept.version == version and now_s - kept.at_s < _age_s(kept.view):
            return kept
        view = await self._read(question)
        if kept is not None and await in_thread(operator.eq, view.tree, kept.view.tree):
            view = replace(view, tree=kept.view.tree)
            view = kept.view if view == kept.view else view
        answer = _Answer(view, version, now_s)
        _keep(self._answers, question, answer)
        return answer

    async def _read(self, question: _Question) -> StorageView:
        key, depth, growth_s, history_at = question
        view = await self._owner.hierarchy.view(
            key, depth=depth, whole_if_small=True, growth_s=growth_s, history_at=history_at
        )
        if view.history_at is None:
            return view
        return replace(view, history_events=await self._events_before(view.history_at))

    async def _events_before(self, at: datetime) -> tuple[str, ...]:
        """Return what happened between the time that is shown and the one before it, the newest last."""
        earlier = [time for time in await self._owner.hierarchy.times() if time < at]
        begin = earlier[-1] if earlier else at
        found = await self._owner.database.read(
            lambda reader: events_store.between(reader, begin, at, limit=EVENTS_SHOWN)
        )
        return tuple(display_text(event.text) for event in reversed(found))

    async def _incoming(self) -> dict[str, int]:
        """Return what running jobs will still write, by the key of each node that it will be in."""
        coming: dict[str, int] = {}
        for task in self._owner.live:
            reservation = self._owner.budget.ledger.reservations.get(task.job.id)
            left = 0 if reservation is None else reservation.outstanding_bytes()
            if left:
                for key in await self._path_of(task.job.entity_id):
                    coming[key] = coming.get(key, 0) + left
        return coming

    async def _path_of(self, entity_id: int | None) -> tuple[str, ...]:
        """Return the keys of an entity, or of what is unassigned, and of all that it is in. They never change."""
        if entity_id not in self._above:
            self._above[entity_id] = await self._owner.database.read(lambda reader: _keys_to(reader, entity_id))
        return self._above[entity_id]


def with_incoming(node: StorageNode, incoming: Mapping[str, int]) -> StorageNode:
    """Return the tree with what is to come to each node; branches to which nothing comes stay the objects they are."""
    coming = incoming.get(node.key)
    if not coming:
        return node
    children = tuple(with_incoming(child, incoming) for child in node.children)
    return replace(node, incoming_bytes=coming, children=children)


def _age_s(view: StorageView) -> float:
    if view.history_at is not None:
        return float("inf")
    return FILES_AGE_S if any(child.entity_type in ("file", "folder") for child in view.tree.children) else TREE_AGE_S


def _keep(answers: dict[_Question, T], question: _Question, answer: T) -> None:
    """Keep an answer as the newest of a few."""
    answers.pop(question, None)
    answers[question] = answer
    if len(answers) > _KEPT:
        del answers[next(iter(answers))]


async def _keys_to(reader: Reader, entity_id: int | None) -> tuple[str, ...]:
    node: NodeKey | None
    library = await tree_store.library(reader)
    if entity_id is None:
        node = None if library is None else ("unassigned", library[1])
    else:
        node = ((await catalog_store.get_entity(reader, entity_id)).level, entity_id)
    if node is None:
        return ()
    above = [tree_store.keys_of(row)[0] for row in await tree_store.above(reader, node)]
    if not above and library is not None:  # nothing was read yet, so nothing is unassigned either
        above = [library]
    return tuple(key_of(key) for key in (*above, node))
