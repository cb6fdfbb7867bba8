"""Trees of sizes for the tests of the treemap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import strategies as st

from pulsetui.storage.views import CATEGORIES, Amount, StorageNode

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def node(
    key: str,
    size: int = 0,
    children: Sequence[StorageNode] = (),
    *,
    name: str | None = None,
    entity_type: str = "file",
    incoming: int = 0,
    candidates: int = 0,
    reclaimable: int = 0,
    category: int = 0,
    newest_at: datetime | None = None,
    growth: int | None = None,
) -> StorageNode:
    """Return a node; with children, its size is their sum."""
    ordered = tuple(sorted(children, key=lambda child: (-child.size.allocated_bytes, child.key)))
    whole = sum(child.size.allocated_bytes for child in ordered) if ordered else size
    amount = Amount(whole, whole, 1)
    return StorageNode(
        key=key,
        name=key if name is None else name,
        entity_type=entity_type,
        entity_id=None,
        size=amount,
        categories=tuple(amount if index == category else Amount() for index in range(len(CATEGORIES))),
        reclaimable_bytes=reclaimable,
        candidate_bytes=candidates,
        incoming_bytes=incoming,
        newest_at=newest_at,
        growth_bytes=growth,
        children=ordered,
    )


def folder(sizes: Sequence[int], key: str = "folder") -> StorageNode:
    """Return a folder of files ``KEY/0``, ``KEY/1``, … of these sizes."""
    return node(key, 0, [node(f"{key}/{index}", size) for index, size in enumerate(sizes)])


def library(groups: Sequence[Sequence[int]]) -> StorageNode:
    """Return folders ``g0``, ``g1``, … of files of these sizes."""
    return node("library", 0, [folder(sizes, f"g{index}") for index, sizes in enumerate(groups)])


SIZES = st.one_of(st.just(0), st.integers(1, 10**6), st.integers(1, 2**63 - 1))
NAMES = st.text(
    st.one_of(st.characters(), st.sampled_from("a日\u0301\u200d❤\ufe0f👨\x1b\n\u202e[/]\udcff\u0627")), max_size=16
)


_Entry = tuple[int, int, str, int, int]


def _grown(entries: list[_Entry]) -> StorageNode:
    """Hang each entry under an earlier one, at most three levels below the root; 0 is the root itself."""
    below: dict[int, list[int]] = {0: []}
    depths = {0: 0}
    for index, (above, *_) in enumerate(entries, start=1):
        parent = above % index
        if depths[parent] == 3:
            parent = 0
        below[parent].append(index)
        below[index], depths[index] = [], depths[parent] + 1

    def make(index: int) -> StorageNode:
        _, size, name, incoming, tenths = entries[index - 1] if index else (0, 0, "", 0, 0)
        children = [make(child) for child in below[index]]
        coming = incoming + sum(child.incoming_bytes for child in children)
        key = f"n{index}"
        return node(key, size, children, name=name or key, incoming=coming, candidates=size * tenths // 10)

    return make(0)


def trees() -> st.SearchStrategy[StorageNode]:
    """Make trees of up to three levels, with any sizes and names, ghosts and candidates."""
    coming = st.sampled_from((0, 0, 0, 5, 10**7))
    entry = st.tuples(st.integers(0, 40), SIZES, NAMES, coming, st.integers(0, 10))
    return st.lists(entry, max_size=40).map(_grown)
