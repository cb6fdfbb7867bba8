"""What every drawing of storage shares: which size is meant, shares of it, and how a node is named and dated.

Pure rules over `StorageNode`. The invariant: a node's measured size is the sum of its children's, whatever is left
out, as long as its categories are known. Names come out safe to draw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pulsetui.storage.views import CATEGORIES, NOTHING, Amount, StorageNode
from pulsetui.tui import glyphs
from pulsetui.tui.storage_place import index_of
from pulsetui.units import format_percent, format_size

__all__ = ["Measure", "category_totals", "index_of", "largest_first", "percent", "share", "signed", "window"]


@dataclass(frozen=True, slots=True)
class Measure:
    """Which size of a node is drawn: allocated or apparent bytes, of all categories or without the hidden ones."""

    apparent: bool = False
    hidden: frozenset[str] = frozenset()
    """Categories that are left out. Without effect on a node whose categories aren't known."""

    def __call__(self, node: StorageNode) -> int:
        """Return the node's size in bytes."""
        return self.of(self.amount(node))

    def of(self, amount: Amount) -> int:
        """Return the bytes of an amount that are meant."""
        return amount.total_bytes if self.apparent else amount.allocated_bytes

    def amount(self, node: StorageNode) -> Amount:
        """Return what the node takes, hidden categories left out."""
        if not self.hidden or not node.categories:
            return node.size
        shown = zip(CATEGORIES, node.categories, strict=True)
        return sum((amount for name, amount in shown if name not in self.hidden), NOTHING)


def largest_first(nodes: Iterable[StorageNode], measure: Measure) -> list[StorageNode]:
    """Return nodes by size, then by key, so that equal sizes never change places."""
    return sorted(nodes, key=lambda node: (-measure(node), node.key))


def share(part: int, whole: int) -> float:
    """Return a fraction from 0 to 1; of nothing it is 0."""
    return part / whole if whole > 0 else 0.0


def percent(part: int, whole: int) -> str:
    """Return a share as whole percent; what is there but less than one shows as such."""
    fraction = share(part, whole)
    return "<1 %" if 0 < fraction < 0.01 else format_percent(fraction)


def signed(change_bytes: int) -> str:
    """Return a change with its sign: `+ 4.2 GB`."""
    return f"{glyphs.FREED if change_bytes < 0 else glyphs.ADDED} {format_size(abs(change_bytes))}"


def window(seconds: float) -> str:
    """Return the length of a window as it is spoken of: `1h`, `24h`, `7d`."""
    hours = seconds / 3600
    return f"{hours:.0f}h" if hours <= 24 else f"{hours / 24:.0f}d"


def category_totals(node: StorageNode) -> list[tuple[str, Amount]]:
    """Return what a node has of each category, in their order; nothing where that isn't known."""
    return list(zip(CATEGORIES, node.categories, strict=True)) if node.categories else []
