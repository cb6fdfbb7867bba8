"""A library of sizes with fixed values: projects, characters, scenes, segments with their files, and the rest."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pulsetui.errors import NotFoundError, PulseError
from pulsetui.storage.views import (
    CATEGORIES,
    NOTHING,
    Amount,
    HistoryPoint,
    StorageNode,
    StorageView,
)

AT = datetime(2026, 11, 20, 13, 58, 2, tzinfo=UTC)
"""When the sizes were read: 4m 9s before the screens' fixed now."""
TIMES = tuple(AT - timedelta(hours=hours) for hours in (72, 48, 24, 12, 6, 3, 2, 1))
GB = 10**9
MB = 10**6
_BLOCK = 4096

_PROJECTS = (("Harbor", 1.0), ("Northern", 0.55), ("Glass Coast", 0.3), ("Winter lights", 0.12), ("夜の港", 0.06))
_CHARACTERS = ("Cast", "Crew", "Narration")
_ROOT = b"/mnt/hdd/videos"


def amount(total_bytes: int, files: int = 1) -> Amount:
    """Return an amount as a disk of 4 KiB blocks has it."""
    return Amount(total_bytes, -(-total_bytes // _BLOCK) * _BLOCK, files)


def branch(key: str, name: str, children: Sequence[StorageNode], **changes: object) -> StorageNode:
    """Return a node that is the sum of its children."""
    kind, _, number = key.partition(":")
    largest = sorted(children, key=lambda child: (-child.size.allocated_bytes, child.key))
    values: dict[str, object] = {
        "key": key,
        "name": name,
        "entity_type": kind,
        "entity_id": int(number) if number.isdigit() else None,
        "size": sum((child.size for child in children), NOTHING),
        "categories": tuple(
            sum((child.categories[index] for child in children), NOTHING) for index in range(len(CATEGORIES))
        ),
        "reclaimable_bytes": sum(child.reclaimable_bytes for child in children),
        "candidate_bytes": sum(child.candidate_bytes for child in children),
        "incoming_bytes": sum(child.incoming_bytes for child in children),
        "newest_at": max((child.newest_at for child in children if child.newest_at), default=None),
        "growth_bytes": sum(child.growth_bytes or 0 for child in children),
        "children": tuple(largest),
    }
    return StorageNode(**{**values, **changes})  # type: ignore[arg-type]


def leaf(key: str, name: str, parts: dict[str, Amount], **changes: object) -> StorageNode:
    """Return a node with what it has of each category."""
    kind, _, number = key.partition(":")
    values: dict[str, object] = {
        "key": key,
        "name": name,
        "entity_type": kind,
        "entity_id": int(number) if number.isdigit() else None,
        "size": sum(parts.values(), NOTHING),
        "categories": tuple(parts.get(category, NOTHING) for category in CATEGORIES),
        "newest_at": AT - timedelta(hours=2),
        "growth_bytes": 0,
    }
    return StorageNode(**{**values, **changes})  # type: ignore[arg-type]


def _files(segment: int, folder: bytes, name: str, video_bytes: int) -> tuple[StorageNode, ...]:
    """Return the files of one segment."""
    sizes = (
        (f"{name}.mp4", "video", video_bytes * 91 // 100),
        ("cover.png", "image", video_bytes * 4 // 100),
        ("mix.wav", "audio", video_bytes * 3 // 100),
        ("render.cache", "intermediate", video_bytes * 2 // 100),
        ("segment.json", "metadata", 5_120),
    )
    return tuple(
        leaf(
            f"file:1:{segment}/{file}",
            file,
            {category: amount(size)},
            path=folder + b"/" + file.encode(),
            entity_type="file",
            entity_id=None,
        )
        for file, category, size in sizes
    )


def _segment(chance: random.Random, number: int, name: str, above: bytes, scale: float) -> StorageNode:
    folder = above + b"/" + name.encode()
    video_bytes = int(scale * chance.paretovariate(1.2) * 6 * GB)
    age_days = chance.choice((0.02, 0.2, 2, 9, 40, 200))
    return branch(
        f"segment:{number}",
        name,
        _files(number, folder, name, video_bytes),
        path=folder,
        newest_at=AT - timedelta(days=age_days),
        growth_bytes=video_bytes // 9 if age_days < 1 else -video_bytes // 30 if chance.random() < 0.2 else 0,
        reclaimable_bytes=video_bytes // 2 if chance.random() < 0.12 else 0,
        candidate_bytes=video_bytes // 3 if chance.random() < 0.15 else 0,
        incoming_bytes=9_200 * MB if number in (3, 61) else 0,
    )


def _project(chance: random.Random, number: int, name: str, weight: float) -> StorageNode:
    characters = []
    for at, character in enumerate(_CHARACTERS[: 3 if weight > 0.2 else 2]):
        scenes = []
        for scene in range(chance.randint(3, 7)):
            above = b"/".join((_ROOT, name.encode(), character.encode(), f"Scene {scene + 1}".encode()))
            first = number * 1000 + at * 300 + scene * 30
            scale = weight * chance.choice((0.4, 1, 1, 2.5)) * (1, 0.5, 0.2)[at]
            parts = [
                _segment(chance, first + part, f"Part {part + 1}", above, scale)
                for part in range(chance.randint(3, 14))
            ]
            scenes.append(branch(f"scene:{number * 100 + at * 10 + scene}", f"Scene {scene + 1}", parts))
        own = leaf(
            f"files:character:{number * 10 + at}",
            "(files)",
            {"image": amount(int(weight * 700 * MB), 12)},
            entity_type="files",
        )
        characters.append(branch(f"character:{number * 10 + at}", character, [*scenes, own]))
    return branch(f"project:{number}", name, characters)


def _system() -> StorageNode:
    parts = (
        leaf("part:1", "trash", {"video": amount(31 * GB, 204)}, reclaimable_bytes=31 * GB),
        leaf("part:2", "cache", {"intermediate": amount(18 * GB, 3_012)}),
        leaf("part:3", "backups", {"other": amount(4_100 * MB, 14)}),
        leaf("part:4", "database", {"other": amount(187 * MB, 3)}),
        leaf("part:5", "logs", {"text": amount(62 * MB, 21)}),
    )
    return branch("system:1", "system", parts)


def make_library() -> StorageNode:
    """Return the whole library."""
    chance = random.Random(11)
    projects = [_project(chance, at, name, weight) for at, (name, weight) in enumerate(_PROJECTS)]
    loose = leaf(
        "unassigned:1", "unassigned", {"video": amount(12 * GB, 31)}, entity_type="unassigned", error="2 folders unread"
    )
    return branch("library:1", "Library", [*projects, loose, _system()])


LIBRARY = make_library()
EMPTY_LIBRARY = StorageNode("library:1", "Library", "library", 1, NOTHING, categories=(NOTHING,) * len(CATEGORIES))


def changed(tree: StorageNode, change: Callable[[StorageNode], StorageNode | None]) -> StorageNode:
    """Return a tree with each leaf changed, or dropped where `change` returns None, and the sums anew."""

    def of(node: StorageNode) -> StorageNode | None:
        if not node.children:
            return change(node)
        kept = tuple(found for child in node.children if (found := of(child)) is not None)
        sums = branch(node.key, node.name, kept, path=node.path, entity_type=node.entity_type)
        return replace(sums, entity_id=node.entity_id, error=node.error)

    result = of(tree)
    assert result is not None
    return result


def scaled(node: StorageNode, factor: float) -> StorageNode:
    """Return a leaf with its sizes times `factor`."""

    def times(one: Amount) -> Amount:
        return amount(int(one.total_bytes * factor), one.file_count) if one.file_count else NOTHING

    categories = tuple(times(one) for one in node.categories)
    return replace(node, size=sum(categories, NOTHING), categories=categories)


Found = tuple[StorageNode, tuple[StorageNode, ...]]
"""A node, and what is above it, from the root down."""


_indexed: deque[tuple[StorageNode, dict[str, Found]]] = deque(maxlen=12)


def _all(tree: StorageNode) -> dict[str, Found]:
    """Return every node of a tree by its key."""
    for known, kept in _indexed:
        if known is tree:
            return kept
    found: dict[str, Found] = {}
    _indexed.append((tree, found))
    pending: list[Found] = [(tree, ())]
    while pending:
        node, above = pending.pop()
        found[node.key] = node, above
        pending.extend((child, (*above, node)) for child in node.children)
    return found


def find(tree: StorageNode, key: str | None) -> Found:
    """Return a node and what is above it, from the root down."""
    try:
        return _all(tree)[key or tree.key]
    except KeyError:
        raise NotFoundError(f"no {key} in storage") from None


def cut(node: StorageNode, depth: int) -> StorageNode:
    """Return a tree without what is deeper than `depth`; the files of a segment come only when it is the root."""
    if depth == 0:
        return replace(node, children=(), has_more=bool(node.children))
    children = tuple(cut(child, 0 if child.entity_type == "segment" else depth - 1) for child in node.children)
    return replace(node, children=children)


class FakeStorage:
    """Answers what `StorageSource` asks from one tree; a test sets `library`, `at`, `state`."""

    def __init__(self, library: StorageNode = LIBRARY, at: datetime | None = AT) -> None:
        self.library = library
        self.at = at
        self.state: dict[str, object] = {}
        """Fields of the view that a test wants otherwise: `refreshing`, `failure`."""
        self.error: PulseError | None = None
        self.asked: list[tuple[str | None, int, float, datetime | None]] = []
        self._kept: dict[object, StorageView] = {}
        self._pasts: dict[datetime, tuple[StorageNode, StorageNode]] = {}
        self._courses: dict[str, tuple[StorageNode, list[HistoryPoint]]] = {}

    def view(self, key: str | None, depth: int, growth_s: float, history_at: datetime | None) -> StorageView:
        """Return the view; the same object as long as nothing changed."""
        if self.error is not None:
            raise self.error
        self.asked.append((key, depth, growth_s, history_at))
        kept_by = (key, depth, growth_s, history_at, id(self.library), self.at, tuple(self.state.items()))
        if kept_by not in self._kept:
            self._kept[kept_by] = self._view(key, depth, history_at)
        return self._kept[kept_by]

    def _view(self, key: str | None, depth: int, history_at: datetime | None) -> StorageView:
        library = self.library if history_at is None else self._past(history_at)
        node, above = find(library, key)
        view = StorageView(
            tree=cut(node, depth),
            ancestors=tuple(replace(one, children=(), has_more=True) for one in above),
            whole=library.size,
            snapshot_at=self.at,
            history_at=history_at,
            history_events=() if history_at is None else ("Harbor / Part 12 downloaded, 774 MB",),
        )
        return replace(view, **self.state)  # type: ignore[arg-type]

    def _past(self, moment: datetime) -> StorageNode:
        """Return the library as it was: smaller, and without categories."""
        return self._then(self.library, moment)

    @staticmethod
    def _then(tree: StorageNode, moment: datetime) -> StorageNode:
        hours = (AT - moment).total_seconds() / 3600
        factor = 1 / (1 + hours / 200)
        return changed(tree, lambda node: replace(scaled(node, factor), growth_bytes=int(hours * 40 * MB)))

    def find(self, text: str, limit: int) -> list[StorageView]:
        """Return what has a name like that, the largest first."""
        found = [node for node in self.library.walk() if text.lower() in node.name.lower()]
        found.sort(key=lambda node: (-node.size.allocated_bytes, node.key))
        return [self._view(node.key, 0, None) for node in found[:limit]]

    def history(self, key: str) -> list[HistoryPoint]:
        """Return how large a node was."""
        if key not in self._courses or self._courses[key][0] is not self.library:
            past = [HistoryPoint(at, self._then(find(self.library, key)[0], at).size) for at in TIMES]
            self._courses[key] = self.library, past
        past = self._courses[key][1]
        return [*past, HistoryPoint(AT, find(self.library, key)[0].size)]
