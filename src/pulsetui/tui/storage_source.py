"""The part of the seam that is about storage: trees of sizes, finding in them, and the times of the past.

A refresh is ordered like everything else, by `Source.order("storage.refresh", {})`. What comes back are the frozen read
models of `pulsetui.storage.views`; a key is `StorageNode.key`, and names the same node in every refresh.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pulsetui.pipeline.views import JobView
from pulsetui.storage.views import HistoryPoint, StorageView

GROWTH_S = 3600.0
"""The window of growth unless another one is asked for."""


class StorageSource(Protocol):
    """Reads what takes how much storage."""

    async def storage(
        self, key: str | None, *, depth: int = 2, growth_s: float = GROWTH_S, history_at: datetime | None = None
    ) -> StorageView:
        """Return the tree from a node, None for the library, with `depth` levels below it or, if it is small, all.

        Opening a segment lists its files. Before the first refresh `snapshot_at` is None and the tree is empty. Asked
        again while nothing changed, the answer is the same object, so that a screen sees at once that it may rest.

        Raises:
            NotFoundError: there is no such node (any more).
        """
        ...

    async def storage_find(self, text: str, limit: int) -> Sequence[StorageView]:
        """Return the nodes whose name contains a text, in any case, the largest first.

        Each comes as a view: the node without children, and its ancestors, since many have the same name and one wants
        to go where it is.
        """
        ...

    async def storage_times(self) -> Sequence[datetime]:
        """Return the times that `storage` can show as `history_at`, oldest first."""
        ...

    async def storage_history(self, key: str) -> Sequence[HistoryPoint]:
        """Return how large a node was, oldest first.

        Raises:
            NotFoundError: there is no such node (any more).
        """
        ...

    async def storage_jobs(self, key: str, limit: int) -> Sequence[JobView]:
        """Return the jobs of an entity and of all below it, the newest first; none for what is no entity."""
        ...
