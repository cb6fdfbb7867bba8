"""How calm, true and well formed the treemap stays while sizes change, beside plain squarified; and what it costs.

    python benchmarks/treemap.py [--refreshes 60] [--seeds 5] [--rounds 30]

A library on 200 by 50 cells is laid out after every refresh, by the stable split tree and by plain squarified (Bruls,
Huizing and van Wijk 2000: sorted by size, cut in whole cells). Both get the same tiles with the same sizes in the same
rectangles: what differs is only where tiles lie. Four kinds of data: one folder of 40 files, of 100 files, 12 groups of
20 files, and the same groups while a download fills one large file after another. Between two refreshes a tenth of the
files grows by up to a twentieth, one in two hundred vanishes, and as many are new. Sizes are log-normal, sigma 1.

Columns, means over all refreshes of all seeds:

    churn     cells whose owner changed, without those that had to: when tiles grow by n cells together, n cells have to
              change owner whatever the layout does; in percent of all cells
    area      |cells − ideal| / ideal of each tile, where its ideal is its share of its group's inside; in percent. The
              smallest tile counts as much as the largest, so this is mostly what whole cells cost tiles of a few cells
    weighed   the same, weighed by size: of all cells, how many are too many or too few
    aspect    of each tile as it looks, a cell being twice as high as wide: longer over shorter side

Costs are CPU milliseconds at the median, of laying out (sizes changed since the last time) and of drawing. Timings are
reported, never asserted.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pulsetui.storage.treemap.canvas import draw
from pulsetui.storage.treemap.colours import Mode, palette
from pulsetui.storage.treemap.layout import Layout, Tile, TreemapLayout
from pulsetui.storage.treemap.seeding import Rect
from pulsetui.storage.views import Amount, StorageNode

WIDTH, HEIGHT = 200, 50
GROWING, GROWTH, GONE = 0.1, 0.05, 0.005
GIGABYTE = 1_000_000_000
Layer = Callable[[Layout], dict[str, Rect]]


@dataclass
class Library:
    """Files in groups (or in none), and how they change."""

    random: random.Random
    groups: int
    files: int
    downloads: bool = False
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    made: int = 0
    loading: str = ""

    def __post_init__(self) -> None:
        """Make the files."""
        for group in range(self.groups):
            scale = self.random.lognormvariate(0, 0.8)
            self.sizes[f"group:{group}"] = dict(self.new(scale) for _ in range(self.files))

    def new(self, scale: float) -> tuple[str, int]:
        """Return a file that wasn't there before."""
        self.made += 1
        return f"file:{self.made}", int(scale * self.random.lognormvariate(0, 1) * GIGABYTE) + 1

    def change(self) -> None:
        """Let the time between two refreshes pass."""
        chance = self.random.random
        for files in self.sizes.values():
            scale = statistics.median(files.values()) / GIGABYTE
            for key in list(files):
                if chance() < GONE and len(files) > 2:
                    del files[key]
                    files.update([self.new(scale)])
                elif chance() < GROWING:
                    files[key] = int(files[key] * (1 + GROWTH * chance())) + 1
        if self.downloads:
            self.load()

    def load(self) -> None:
        """Let a download go on: ten refreshes to the size of a large file."""
        files = self.sizes["group:0"]
        whole = 2 * max(size for key, size in files.items() if key != self.loading)
        if files.get(self.loading, whole) >= whole // 2:
            self.made += 1
            self.loading = f"file:{self.made}"
        files[self.loading] = files.get(self.loading, 0) + whole // 20

    def tree(self) -> StorageNode:
        """Return it as it is now."""
        groups = [
            node(key, [node(name, size=size) for name, size in files.items()]) for key, files in self.sizes.items()
        ]
        return node("library", groups) if self.groups > 1 else replace(groups[0], key="library")


def node(key: str, children: Sequence[StorageNode] = (), *, size: int = 0) -> StorageNode:
    """Return a node whose children are sorted as the store sorts them."""
    ordered = tuple(sorted(children, key=lambda child: (-child.size.allocated_bytes, child.key)))
    whole = size + sum(child.size.allocated_bytes for child in ordered)
    return StorageNode(key, f"{key}.mp4", "file", None, Amount(whole, whole, 1), children=ordered)


def stable(layout: Layout) -> dict[str, Rect]:
    """Return the tiles where they are."""
    return {tile.key: (tile.x, tile.y, tile.width, tile.height) for tile in layout.tiles}


def squarified(layout: Layout) -> dict[str, Rect]:
    """Return the same tiles, sorted and squarified inside of the same groups."""
    placed: dict[str, Rect] = {}
    insides: dict[str, Rect] = {layout.root: (0, 0, WIDTH - 1, HEIGHT - 1)}
    for parent in [layout.root, *(tile.key for tile in layout.tiles if tile.kind == "group")]:
        inside = [tile for tile in layout.tiles if tile.parent == parent]
        inside.sort(key=lambda tile: (tile.kind == "others", -tile.size_bytes))
        for tile, rect in _squarify(inside, insides[parent]):
            placed[tile.key] = rect
            x, y, width, height = rect
            insides[tile.key] = (x + 1, y + 1, max(1, width - 2), max(1, height - 2))
    return placed


def _squarify(tiles: Sequence[Tile], rect: Rect) -> Iterator[tuple[Tile, Rect]]:
    """Lay rows along the shorter side as long as their worst aspect gets better."""
    x, y, width, height = rect
    left = list(tiles)
    while left and width > 0 and height > 0:
        total = sum(tile.size_bytes for tile in left) or 1
        across = width >= 2 * height
        count = 1
        while count < len(left) and _worst(left[: count + 1], total, width, height) <= _worst(
            left[:count], total, width, height
        ):
            count += 1
        row, left = left[:count], left[count:]
        size = sum(tile.size_bytes for tile in row)
        depth = (width if across else height) if not left else round((width if across else height) * size / total)
        start, end = (y, y + height) if across else (x, x + width)
        for index, tile in enumerate(row):
            rest = sum(each.size_bytes for each in row[index:]) or 1
            extent = round((end - start) * tile.size_bytes / rest)
            yield tile, (x, start, depth, extent) if across else (start, y, extent, depth)
            start += extent
        x, y, width, height = (x + depth, y, width - depth, height) if across else (x, y + depth, width, height - depth)


def _worst(row: Sequence[Tile], total: int, width: int, height: int) -> float:
    """Return the worst aspect in a row along the shorter side."""
    area = width * 2 * height
    side = min(width, 2 * height)
    size = sum(tile.size_bytes for tile in row) * area / total
    sizes = [max(tile.size_bytes * area / total, 1e-9) for tile in row]
    return max(side * side * max(sizes) / size**2, size**2 / (side * side * min(sizes)))


def owners(placed: dict[str, Rect]) -> list[str]:
    """Return the tile that owns each cell; groups come first and own what their tiles leave."""
    cells = [""] * (WIDTH * HEIGHT)
    for key, (x, y, width, height) in placed.items():
        for line in range(y, y + height):
            cells[line * WIDTH + x : line * WIDTH + x + width] = [key] * width
    return cells


def churn(before: list[str], after: list[str]) -> float:
    """Return the share of cells that changed owner beyond what the tiles' growth needs."""
    counts: dict[str, int] = {}
    for old, new in zip(before, after, strict=True):
        if old != new:
            counts[new] = counts.get(new, 0) + 1
            counts[old] = counts.get(old, 0) - 1
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    return (changed - sum(count for count in counts.values() if count > 0)) / len(after)


def shape(layout: Layout, placed: dict[str, Rect]) -> tuple[list[float], float, list[float]]:
    """Return the tiles' area errors, their mean weighed by size, and the tiles' aspects."""
    insides: dict[str, Rect] = {layout.root: (0, 0, WIDTH - 1, HEIGHT - 1)}
    sizes: dict[str, int] = {}
    for tile in layout.tiles:
        sizes[tile.parent] = sizes.get(tile.parent, 0) + tile.size_bytes
        if tile.kind == "group" and tile.key in placed:
            x, y, width, height = placed[tile.key]
            insides[tile.key] = (x + 1, y + 1, max(1, width - 2), max(1, height - 2))
    errors, aspects = [], []
    off = cells = 0.0
    for tile in layout.tiles:
        _, _, width, height = placed.get(tile.key, (0, 0, 0, 0))
        inside = insides[tile.parent]
        ideal = tile.size_bytes * inside[2] * inside[3] / sizes[tile.parent]
        errors.append(abs(width * height - ideal) / ideal)
        if tile.kind != "group":
            off += abs(width * height - ideal)
            cells += ideal
        if width and height:
            aspects.append(max(width / (2 * height), 2 * height / width))
    return errors, off / cells, aspects


def measure(name: str, libraries: Sequence[Library], refreshes: int) -> None:
    """Print both layouts' figures on one kind of data."""
    results: dict[str, list[list[float]]] = {"split tree": [[], [], [], []], "squarified": [[], [], [], []]}
    for library in libraries:
        stays = TreemapLayout()
        before: dict[str, list[str]] = {}
        for _ in range(refreshes):
            layout = stays.lay_out(library.tree(), WIDTH, HEIGHT)
            for kind, layer in (("split tree", stable), ("squarified", squarified)):
                placed = layer(layout)
                after = owners(placed)
                errors, weighed, aspects = shape(layout, placed)
                if kind in before:
                    results[kind][0].append(churn(before[kind], after))
                results[kind][1] += errors
                results[kind][2].append(weighed)
                results[kind][3] += aspects
                before[kind] = after
            library.change()
    for kind, (churns, errors, weights, aspects) in results.items():
        percents = " ".join(f"{100 * statistics.mean(each):6.2f} %" for each in (churns, errors, weights))
        print(f"{name:24} {kind:12} {percents} {statistics.mean(aspects):7.2f}")


def time_ms(make: Callable[[], StorageNode], rounds: int) -> tuple[int, float, float]:
    """Return the tiles and what laying out and drawing take, at the median."""
    stays, colours = TreemapLayout(), palette(Mode.SIZE, now=datetime(2026, 1, 1, tzinfo=UTC))
    laid: list[float] = []
    drawn: list[float] = []
    for _ in range(rounds):
        tree = make()
        began = time.process_time()
        layout = stays.lay_out(tree, WIDTH, HEIGHT)
        between = time.process_time()
        draw(layout, colours, selected=layout.tiles[0].key)
        drawn.append(time.process_time() - between)
        laid.append(between - began)
    return len(layout.tiles), 1000 * statistics.median(laid), 1000 * statistics.median(drawn)


def changing(seed: int, groups: int, files: int, spread: float) -> Callable[[], StorageNode]:
    """Return what gives a tree, a little different each time."""
    source = random.Random(seed)
    sizes = [[int(source.lognormvariate(20, spread)) + 1 for _ in range(files)] for _ in range(groups)]

    def make() -> StorageNode:
        parts = [
            node(
                f"group:{number}",
                [node(f"file:{number}:{i}", size=int(s * source.uniform(1, 1.05))) for i, s in enumerate(each)],
            )
            for number, each in enumerate(sizes)
        ]
        return node("library", parts) if groups > 1 else parts[0]

    return make


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--refreshes", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    print(f"{'data':24} {'layout':12} {'churn':>8} {'area':>8} {'weighed':>8} {'aspect':>7}")
    for name, groups, files, downloads in (
        ("40 files", 1, 40, False),
        ("100 files", 1, 100, False),
        ("12 groups of 20", 12, 20, False),
        ("12 groups, a download", 12, 20, True),
    ):
        libraries = [Library(random.Random(seed), groups, files, downloads) for seed in range(given.seeds)]
        measure(name, libraries, given.refreshes)
    print(f"\n{'nodes':28} {'tiles':>6} {'layout':>9} {'drawing':>9} {'both':>9}")
    for name, make in (
        ("1,000 in one folder", changing(1, 1, 1000, 0.5)),
        ("1,000 in 32 groups", changing(2, 32, 31, 1.0)),
        ("10,000 in one folder", changing(3, 1, 10_000, 1.2)),
        ("10,000 in 100 groups", changing(4, 100, 100, 1.2)),
    ):
        tiles, laid, drawn = time_ms(make, given.rounds)
        print(f"{name:28} {tiles:6} {laid:6.2f} ms {drawn:6.2f} ms {laid + drawn:6.2f} ms")


if __name__ == "__main__":
    main()
