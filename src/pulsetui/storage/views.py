"""The frozen read models of storage: a tree of sizes, and what is said beside it.

Every front end draws from these: the treemap, the sunburst, the tree table, the commands. Plain values, computed
elsewhere; names are raw text from outside and have to be escaped where they are shown. Sizes are bytes, times are
aware UTC, None means "not known", never 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

CATEGORIES = ("video", "image", "intermediate", "metadata", "model", "audio", "text", "other")
"""Every category, in the order in which figures per category stand everywhere."""
OTHER = CATEGORIES.index("other")


@dataclass(frozen=True, slots=True)
class Amount:
    """How much storage something takes."""

    total_bytes: int = 0
    """Apparent size: the sum of the lengths of files and links."""
    allocated_bytes: int = 0
    """What the disk gave for it; of a whole entity with its folders, as `du` counts."""
    file_count: int = 0

    def __add__(self, other: Amount) -> Amount:
        """Return the sum."""
        return Amount(
            self.total_bytes + other.total_bytes,
            self.allocated_bytes + other.allocated_bytes,
            self.file_count + other.file_count,
        )


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class StorageNode:
    """One node of the tree of sizes. Its children's sizes sum to its own exactly."""

    key: str
    """Names the node in every refresh: ``scene:17``, ``files:scene:17``, ``file:3:a/b.mp4`` (root's id, path in it)."""
    name: str
    entity_type: str
    """A level of the catalog, or ``library unassigned system part files folder file``."""
    entity_id: int | None
    size: Amount
    path: bytes | None = None
    """The absolute path on disk, where the node is one folder or file."""
    categories: tuple[Amount, ...] = ()
    """In the order of `CATEGORIES`, all of them; folders themselves count as `other`. Empty: not known (history)."""
    reclaimable_bytes: int = 0
    candidate_bytes: int = 0
    incoming_bytes: int = 0
    """What running jobs will still write here and below; not part of `size`."""
    newest_at: datetime | None = None
    """When its newest file was written."""
    growth_bytes: int | None = None
    """How much it grew, allocated, over the window that was asked for."""
    children: tuple[StorageNode, ...] = ()
    """The largest first by allocated bytes, then by key."""
    has_more: bool = False
    """It has children that are not here: ask for the tree from this node."""
    error: str = ""
    """What could not be read in it, in one sentence."""

    def walk(self) -> Iterator[StorageNode]:
        """Yield the node and everything below it, parents first."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children))


@dataclass(frozen=True, slots=True)
class StorageView:
    """A tree as of one refresh, and where it hangs."""

    tree: StorageNode
    ancestors: tuple[StorageNode, ...] = ()
    """From the library down to the parent of `tree`, without their children: the breadcrumbs."""
    whole: Amount = NOTHING
    """The size of the whole library, for shares."""
    snapshot_at: datetime | None = None
    """When the sizes were read, or None before the first refresh."""
    history_at: datetime | None = None
    """Which time of the past is shown, or None for the newest."""
    history_events: tuple[str, ...] = ()
    """What happened about that time, in one line each."""
    refreshing: RefreshView | None = None
    failure: str = ""
    """Why the newest refresh failed, or empty."""


@dataclass(frozen=True, slots=True)
class RefreshView:
    """A refresh that runs."""

    files: int
    total_bytes: int
    folders: int
    files_per_s: float
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """How large something was at a time of the past; the newest point is the current size."""

    at: datetime
    size: Amount
