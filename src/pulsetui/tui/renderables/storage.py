"""What every drawing of storage shares: which size is meant, shares of it, and how a node is named and dated.

Pure rules over `StorageNode`. The invariant: a node's measured size is the sum of its children's, whatever is left
out, as long as its categories are known. Names come out safe to draw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pulsetui.storage.views import CATEGORIES, NOTHING, Amount, StorageNode


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


def find(tree: StorageNode, key: str | None) -> StorageNode | None:
    """Return the node with a key, or None if the tree has none."""
    return next((node for node in tree.walk() if node.key == key), None) if key is not None else None


def largest_first(nodes: Iterable[StorageNode], measure: Measure) -> list[StorageNode]:
    """Return nodes by size, then by key, so that equal sizes never change places."""
    return sorted(nodes, key=lambda node: (-measure(node), node.key))


def share(part: int, whole: int) -> float:
    """Return a fraction from 0 to 1; of nothing it is 0."""
    return part / whole if whole > 0 else 0.0
