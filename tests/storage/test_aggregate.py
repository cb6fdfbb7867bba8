"""Sizes add up: children and own to the parent, categories to the total, all to what is on disk."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.catalog.entities import Placed
from pulsetui.settings.storage import Storage, UserRoot
from pulsetui.storage.aggregate import EMPTY, PARTS, TRASH, NodeKey, Usage, aggregate
from pulsetui.storage.discovery import unknown_folders
from pulsetui.storage.links import met_twice, settle_links
from pulsetui.storage.roots import Root, nested_in
from pulsetui.storage.scan.records import FolderRecord
from pulsetui.storage.views import CATEGORIES, NOTHING, OTHER, Amount
from tests.storage.trees import (
    AUDIO,
    LIBRARY,
    TEXT,
    VIDEO,
    Records,
    by_path,
    entities,
    folder,
    link,
    numbered,
    read_off,
)

MINE = UserRoot(name="mine", path=Path("/mnt/mine"))
ROOTS = numbered(Storage(roots=(MINE,)), Path("/srv/pulse"), Path("/mnt/media"))
TOP: NodeKey = ("library", LIBRARY)
UNASSIGNED: NodeKey = ("unassigned", LIBRARY)
SYSTEM: NodeKey = ("system", LIBRARY)


def in_roots(**folders: list[FolderRecord]) -> Records:
    """Return records by root's id; `trash` is the trash of the storage folder."""
    names = {"trash": "trash:storage"}
    return {ROOTS[names.get(name, name)].id: by_path(*given) for name, given in folders.items()}


def added_up(records: Records, *known: bytes, failures: Mapping[int, str] | None = None) -> dict[NodeKey, Usage]:
    return aggregate(tuple(ROOTS.values()), records, entities(*known), library_id=LIBRARY, failures=failures)


def sums(amounts: list[tuple[Amount, ...]]) -> tuple[Amount, ...]:
    return tuple(sum((each[index] for each in amounts), NOTHING) for index in range(len(CATEGORIES)))


def assert_sums_hold(nodes: Mapping[NodeKey, Usage]) -> None:
    """Check each node against its children."""
    for key, node in nodes.items():
        children = [child for child in nodes.values() if child.parent == key]
        assert node.total == sums([node.own, *(child.total for child in children)])
        assert sum(node.total, NOTHING) == node.size
        assert sum(node.own, NOTHING) == node.own_size
        if key != TRASH:
            assert node.trash == sum((child.trash for child in children), NOTHING)
        assert node.newest_ns >= max((child.newest_ns for child in children), default=0)
        seen = [at for at in (node.verified_ms, *(child.verified_ms for child in children)) if at]
        assert node.verified_ms == min(seen, default=0)


def test_a_scene_is_the_sum_of_its_folders_in_all_roots() -> None:
    nodes = added_up(
        in_roots(
            videos=[folder(b"A/b/c", 1, (VIDEO, 2, 900, 1024), newest_ns=5, verified_ms=70)],
            audio=[folder(b"A/b/c", 2, (AUDIO, 1, 90, 512), newest_ns=9, verified_ms=60)],
            mine=[folder(b"A/b/c/d/deep", 3, (TEXT, 1, 5, 512), verified_ms=80)],
        ),
        b"A/b/c",
    )
    scene = nodes["scene", 3]
    assert scene.parent == ("character", 2)
    assert (scene.total[VIDEO], scene.total[AUDIO], scene.total[TEXT]) == (
        Amount(900, 1024, 2),
        Amount(90, 512, 1),
        Amount(5, 512, 1),
    )
    assert scene.total[OTHER] == Amount(0, 3 * 4096, 0)
    assert scene.size == Amount(995, 2048 + 3 * 4096, 4)
    assert scene.own == scene.total
    assert (scene.newest_ns, scene.verified_ms) == (9, 60)
    assert nodes["project", 1].total == scene.total
    assert nodes["project", 1].own == EMPTY
    assert_sums_hold(nodes)


def test_files_above_the_last_level_count_where_they_are() -> None:
    nodes = added_up(in_roots(videos=[folder(b"A", 1, (VIDEO, 1, 7, 8)), folder(b"A/b", 2, (VIDEO, 1, 1, 2))]), b"A/b")
    assert nodes["project", 1].own[VIDEO] == Amount(7, 8, 1)
    assert nodes["project", 1].total[VIDEO] == Amount(8, 10, 2)
    assert nodes["character", 2].total[VIDEO] == Amount(1, 2, 1)


def test_an_entity_without_files_is_there_with_zeros() -> None:
    nodes = added_up({}, b"A/b")
    assert nodes["character", 2] == Usage(("project", 1))
    assert nodes[TOP].size == NOTHING
    assert set(nodes) == {
        ("project", 1),
        ("character", 2),
        TOP,
        UNASSIGNED,
        SYSTEM,
        *(("part", index) for index in range(len(PARTS))),
    }


def test_what_fits_no_layout_is_unassigned_and_the_roots_own_folders_are_system() -> None:
    nodes = added_up(
        in_roots(
            videos=[folder(b"", 1, (VIDEO, 1, 10, 20)), folder(b"unassigned", 2, (VIDEO, 1, 1, 2))],
            mine=[folder(b"", 3, allocated_bytes=100), folder(b"unassigned/x", 4, allocated_bytes=1)],
        )
    )
    assert nodes[UNASSIGNED].total[VIDEO] == Amount(11, 22, 2)
    assert nodes[UNASSIGNED].total[OTHER] == Amount(0, 4096 + 1, 0)
    assert nodes[SYSTEM].total[OTHER] == Amount(0, 4096 + 100, 0)
    assert_sums_hold(nodes)


def test_a_folder_without_an_entity_counts_for_the_one_above() -> None:
    nodes = added_up(in_roots(videos=[folder(b"A/b/c", 1, (VIDEO, 1, 1, 1)), folder(b"B", 2, (VIDEO, 1, 5, 5))]), b"A")
    assert nodes["project", 1].own[VIDEO] == Amount(1, 1, 1)
    assert nodes[UNASSIGNED].total[VIDEO] == Amount(5, 5, 1)


def test_the_data_folder_is_the_parts_of_system() -> None:
    data = [
        folder(b"", 1, (OTHER, 3, 30, 30)),
        folder(b"backups", 2, (OTHER, 1, 5, 5)),
        folder(b"cache/deep/er", 3, (OTHER, 1, 6, 6)),
        folder(b"logs", 4, (TEXT, 1, 7, 7)),
        folder(b"something", 5, (TEXT, 1, 8, 8)),
    ]
    nodes = added_up(in_roots(data=data, storage=[folder(b"", 6, (TEXT, 1, 9, 9))]))
    figures = {name: nodes["part", index].size.total_bytes for index, name in enumerate(PARTS)}
    assert figures == {"database": 30, "backups": 5, "cache": 6, "logs": 7, "trash": 0}
    assert nodes[SYSTEM].own_size == Amount(17, 17 + 3 * 4096, 2)
    assert nodes[SYSTEM].size == Amount(65, 65 + 6 * 4096, 8)
    assert nodes[TOP].size == nodes[SYSTEM].size


def test_trash_is_a_part_of_its_own_and_in_no_total() -> None:
    nodes = added_up(
        in_roots(
            videos=[folder(b"A", 1, (VIDEO, 1, 10, 20), newest_ns=1)],
            trash=[folder(b"", 2), folder(b"x", 3, (VIDEO, 2, 100, 200), newest_ns=9)],
        ),
        b"A",
    )
    thrown = Amount(100, 200 + 2 * 4096, 2)
    assert nodes[TRASH].trash == thrown
    assert nodes[TRASH].size == NOTHING
    assert nodes[SYSTEM].trash == nodes[TOP].trash == thrown
    assert nodes[SYSTEM].size == NOTHING
    assert nodes[TOP].size == Amount(10, 20 + 4096, 1)
    assert nodes[TOP].newest_ns == 1
    assert nodes["project", 1].trash == NOTHING
    assert_sums_hold(nodes)


def test_a_file_with_several_names_belongs_to_the_smallest_path() -> None:
    seen = link(50, b"z.mp4", 10)
    other = link(50, b"a.mp4", 10)
    records = in_roots(
        mine=[folder(b"B", 1, links=[other])],  # /mnt/mine/B/a.mp4
        videos=[folder(b"A", 2, links=[seen]), folder(b"C", 3, links=[other])],  # /mnt/media/videos/A/z.mp4
    )
    assert settle_links(tuple(ROOTS.values()), records) == {(ROOTS["videos"].id, b"A"): [seen]}
    assert settle_links(tuple(reversed(ROOTS.values())), records) == {(ROOTS["videos"].id, b"A"): [seen]}
    nodes = added_up(records, b"A", b"B", b"C")
    assert [nodes["project", number].total[VIDEO] for number in (1, 2, 3)] == [Amount(10, 20, 1), NOTHING, NOTHING]


def test_a_file_that_is_in_trash_and_in_a_scene_is_no_trash() -> None:
    records = in_roots(
        trash=[folder(b"", 1, links=[link(50, b"a")])],  # /mnt/media/.pulsetui-trash is the smaller path
        videos=[folder(b"A", 2, links=[link(50, b"b")])],
    )
    nodes = added_up(records, b"A")
    assert nodes["project", 1].total[VIDEO].file_count == 1
    assert nodes[TRASH].trash.file_count == 0


def test_a_folder_that_is_met_twice_counts_once() -> None:
    first, second = folder(b"A", 7, (VIDEO, 1, 3, 4)), folder(b"B", 7, (VIDEO, 1, 3, 4))
    records = in_roots(videos=[second, first], mine=[first])
    assert met_twice(tuple(ROOTS.values()), records) == {(ROOTS["videos"].id, b"B"), (ROOTS["mine"].id, b"A")}
    nodes = added_up(records, b"A", b"B")
    assert nodes["project", 1].size == Amount(3, 4 + 4096, 1)
    assert nodes["project", 2].size == NOTHING


def test_what_could_not_be_read_is_said_where_it_is_and_above() -> None:
    records = in_roots(
        videos=[folder(b"A/b", 1, error="Permission denied"), folder(b"A/a", 2, error="Permission denied")],
        audio=[folder(b"A", 0, error="gone"), folder(b"B", 0, error="gone")],
    )
    nodes = added_up(records, b"A/a", b"A/b", b"B", failures={ROOTS["mine"].id: "mine is not there"})
    assert nodes["character", 3].error == "a folder can't be read: /mnt/media/videos/A/b: Permission denied"
    assert nodes["project", 1].unreadable == 3
    assert nodes["project", 1].error.startswith("3 folders can't be read, such as /mnt/media/videos/A/a: ")
    assert nodes[TOP].error.startswith("mine is not there; 4 folders can't be read, such as ")
    assert nodes[SYSTEM].error == ""


def test_failures_of_our_own_folders_are_said_at_system_and_trash() -> None:
    nodes = added_up({}, failures={ROOTS["data"].id: "x is away", ROOTS["trash:data"].id: "y is away"})
    assert nodes[TRASH].error == "y is away"
    assert nodes[SYSTEM].error == nodes[TOP].error == "x is away; y is away"


def test_folders_that_fit_a_layout_are_found() -> None:
    records = in_roots(
        videos=[folder(b"", 1), folder(b"A", 2), folder(b"A/b/c/d/e", 3), folder(b"unassigned/x", 4)],
        audio=[folder(b"\xff", 5)],
        data=[folder(b"backups", 6)],
        trash=[folder(b"T", 7)],
    )
    every = tuple(ROOTS.values())
    assert unknown_folders(every, records, ()) == [b"A", b"A/b/c/d", b"\xff"]
    assert unknown_folders(every, records, entities(b"A/b/c/d")) == [b"\xff"]


# Made-up libraries: folders anywhere in any root, files with one name and files with several, some entities.

paths = st.lists(st.sampled_from([b"A", b"b", b"unassigned", b"\xff", b"c", b"backups"]), max_size=5).map(b"/".join)
sizes = st.integers(0, 10**12)
counts = st.lists(st.integers(0, 7), max_size=3, unique=True).flatmap(
    lambda found: st.tuples(*(st.tuples(st.just(each), st.integers(1, 99), sizes, sizes) for each in sorted(found)))
)
known_folders = st.lists(paths.filter(bool).map(lambda path: b"/".join(path.split(b"/")[:4])), max_size=5)


@dataclass(frozen=True)
class Library:
    records: dict[int, dict[bytes, FolderRecord]]
    placed: tuple[Placed, ...]


@st.composite
def libraries(draw: st.DrawFn) -> Library:
    records: dict[int, dict[bytes, FolderRecord]] = {}
    linked = {inode: draw(sizes) for inode in range(1000, 1000 + draw(st.integers(0, 4)))}
    inode = 0
    for root in ROOTS.values():
        for path in draw(st.lists(paths, max_size=4, unique=True)):
            inode += 1
            names = draw(st.lists(st.sampled_from(sorted(linked)), max_size=3, unique=True)) if linked else []
            links = [link(each, b"%d" % index, linked[each]) for index, each in enumerate(names)]
            # Some folders are one that was met before.
            shown = draw(st.sampled_from([inode, inode, inode, 1]))
            records.setdefault(root.id, {})[path] = folder(
                path,
                shown,
                *draw(counts),
                links=links,
                allocated_bytes=draw(sizes),
                newest_ns=draw(sizes),
                verified_ms=draw(sizes),
            )
    return Library(records, entities(*draw(known_folders)))


def on_disk(library: Library) -> Amount:
    """Count every folder and file once, with nothing but sets."""
    rank = {
        (root.id, path): (root.kind == "trash", os.fsencode(root.path) + b"/" + path)
        for root in ROOTS.values()
        for path in library.records.get(root.id, {})
    }
    folders: dict[int, FolderRecord] = {}
    for (root_id, path), _ in sorted(rank.items(), key=lambda item: item[1]):
        record = library.records[root_id][path]
        folders.setdefault(record.inode, record)
    files = {each.inode: each for record in folders.values() for each in record.links}
    whole = sum((Amount(each.total_bytes, each.allocated_bytes, 1) for each in files.values()), NOTHING)
    for record in folders.values():
        whole += Amount(0, record.allocated_bytes, 0)
        for _, number, total_bytes, allocated_bytes in record.counts:
            whole += Amount(total_bytes, allocated_bytes, number)
    return whole


@settings(max_examples=50, deadline=None)
@given(libraries(), st.randoms(use_true_random=False))
def test_everything_is_counted_once_whatever_comes_first(library: Library, chance: random.Random) -> None:
    nodes = aggregate(tuple(ROOTS.values()), library.records, library.placed, library_id=LIBRARY)
    assert_sums_hold(nodes)
    assert nodes[TOP].size + nodes[TOP].trash == on_disk(library)
    assert {("library", LIBRARY)} == {key for key, node in nodes.items() if node.parent is None}

    def shuffled(given_records: dict[bytes, FolderRecord]) -> dict[bytes, FolderRecord]:
        items = list(given_records.items())
        chance.shuffle(items)
        return dict(items)

    roots: list[Root] = list(ROOTS.values())
    chance.shuffle(roots)
    placed = list(library.placed)
    chance.shuffle(placed)
    again = {root_id: shuffled(records) for root_id, records in library.records.items()}
    assert aggregate(roots, again, placed, library_id=LIBRARY) == nodes


def test_a_real_library_equals_du_and_find_to_the_byte(tmp_path: Path) -> None:
    data, media, mine = tmp_path / "data", tmp_path / "media", tmp_path / "mine"
    files: dict[Path, int] = {
        media / "videos/A/b/c/1.mp4": 100_000,
        media / "videos/A/poster.png": 5_000,
        media / "videos/unassigned/2.mp4": 1,
        media / ".pulsetui-trash/x/3.mp4": 70_000,
        media / "stray": 9,
        data / "audio/A/b/c/1.wav": 12_345,
        data / "transcripts/A/b/c/1.json": 77,
        data / "pulse.db": 40_960,
        data / "backups/pulse-1.db": 20_480,
        data / ".pulsetui-trash/4.json": 5,
        mine / "A/notes.txt": 0,
        mine / os.fsdecode(b"\xff/\n.mp4"): 4_097,
    }
    for path, size in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    (mine / "A" / "1.mp4").hardlink_to(media / "videos/A/b/c/1.mp4")
    (mine / "A" / "again.mp4").hardlink_to(media / "videos/A/b/c/1.mp4")
    (mine / "A" / "kept.mp4").hardlink_to(media / ".pulsetui-trash/x/3.mp4")
    (mine / "A" / "loop").symlink_to(tmp_path)
    with (media / "videos/A/sparse.mp4").open("wb") as file:
        file.truncate(10_000_000)

    roots = tuple(numbered(Storage(roots=(UserRoot(name="mine", path=mine),)), data, media).values())
    records = {root.id: read_off(root, [inner.path for inner in nested_in(root, roots)]) for root in roots}
    known = entities(*unknown_folders(roots, records, ()))
    nodes = aggregate(roots, records, known, library_id=LIBRARY)
    whole = nodes[TOP].size + nodes[TOP].trash
    assert whole.allocated_bytes == du(data, media, mine)
    assert whole.total_bytes == sum(found(data, media, mine).values())
    assert whole.file_count == len(found(data, media, mine))
    scene = next(nodes[each.level, each.id] for each in known if each.folders == b"A/b/c")
    assert scene.total[TEXT].file_count == 1
    assert nodes[TRASH].trash.file_count == 1
    assert_sums_hold(nodes)


def du(*paths: Path) -> int:
    said = subprocess.run(["du", "-B1", "-s", "-c", *paths], capture_output=True, text=True, check=True).stdout
    return int(said.splitlines()[-1].split()[0])


def found(*paths: Path) -> dict[int, int]:
    """Return the sizes of files and links by inode, as find(1) says."""
    command = ["find", *map(str, paths), "!", "-type", "d", "-printf", "%i %s\n"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {int(line.split()[0]): int(line.split()[1]) for line in said.splitlines()}
