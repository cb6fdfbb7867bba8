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
    st.one_of(st.characters(), st.sampled_from("a日\u0301\u200d❤\ufe0f👨\x1b\n\u202e[/]\udcff\u0627")), max_size=24
)


@st.composite
def trees(draw: st.DrawFn) -> StorageNode:
    """Make trees of up to three levels, with any sizes and names, ghosts and candidates."""

    def make(key: str, depth: int) -> StorageNode:
        count = draw(st.integers(0, 7 if depth else 12)) if depth < 3 else 0
        size = draw(SIZES)
        return node(
            key,
            size,
            [make(f"{key}/{index}", depth + 1) for index in range(count)],
            name=draw(NAMES) if draw(st.booleans()) else key,
            incoming=draw(st.one_of(st.just(0), st.integers(0, 10**7))),
            candidates=draw(st.integers(0, 10)) * size // 10,
        )

    return make("r", 0)
