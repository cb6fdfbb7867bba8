"""The tree as it is read: from any node, to any depth, whole or by level, down to the files."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.errors import NotFoundError, UsageError
from pulsetui.storage.refresh import steps as refreshing
from pulsetui.storage.refresh.reading import Found
from pulsetui.storage.tree import hierarchy
from pulsetui.storage.tree.hierarchy import to_json
from pulsetui.storage.tree.keys import parse_key
from pulsetui.storage.tree.listing import Place, listed
from pulsetui.storage.views import CATEGORIES, NOTHING, Amount, StorageNode
from tests.storage.house import BLOCK, House, broken_sums, record

SPEC_KEYS = (
    {"name", "entity_type", "entity_id", "total_bytes", "allocated_bytes", "file_count"}
    | {f"{name}_bytes" for name in CATEGORIES}
    | {"reclaimable_bytes", "candidate_bytes"}
)
THREE = {
    "Harbor/Cast/One/a": {0: 9 * BLOCK},
    "Harbor/Cast/One": {1: 100},
    "Harbor/Crew": {2: 5},
    "Lagoon/Cast": {0: 2 * BLOCK},
    "unassigned": {0: 7},
}


def below(node: StorageNode) -> dict[str, int]:
    """Return the sizes of a node's children by name."""
    return {child.name: child.size.total_bytes for child in node.children}


def depth_of(node: StorageNode) -> int:
    return 1 + max(map(depth_of, node.children), default=-1) if node.children else 0


async def test_a_small_library_comes_whole_and_sums_up(house: House) -> None:
    await house.take(THREE)
    tree = await house.tree()
    assert below(tree) == {"Harbor": 9 * BLOCK + 105, "Lagoon": 2 * BLOCK, "unassigned": 7, "system": 0}
    assert broken_sums(tree) == []
    one = next(node for node in tree.walk() if node.name == "One")
    assert below(one) == {"a": 9 * BLOCK, "(files)": 100}
    assert [child.name for child in tree.children][:2] == ["Harbor", "Lagoon"], "the largest first"


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
async def test_a_depth_is_kept_and_what_lies_below_it_is_said_to_be_there(house: House, depth: int) -> None:
    await house.take(THREE)
    tree = await house.tree(depth=depth)
    assert depth_of(tree) == depth
    cut = [node for node in tree.walk() if node.entity_type == ["library", "project", "character", "scene"][depth]]
    assert all(node.has_more for node in cut if node.name in ("main", "Harbor", "One"))
    assert broken_sums(tree) == []


async def test_a_view_from_a_node_says_where_it_hangs_and_how_large_all_is(house: House) -> None:
    await house.take(THREE)
    view = await house.hierarchy.view((await house.node("One")).key)
    assert [node.name for node in view.ancestors] == ["main", "Harbor", "Cast"]
    assert view.whole == (await house.tree()).size
    assert view.snapshot_at == house.clock.now()


async def test_a_library_that_is_too_large_comes_by_level_and_the_smallest_as_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hierarchy, "WHOLE", 30)
    monkeypatch.setattr(hierarchy, "LEVEL_MOST", 8)
    await house.take(
        {f"P{number}/C{each}/S": {number % 8: BLOCK * (40 - number)} for number in range(20) for each in (1, 2)}
    )
    tree = await house.tree()
    more = [child for child in tree.children if child.name.startswith("(")]
    assert [child.name for child in tree.children if child.entity_type == "project"] == [f"P{n}" for n in range(8)]
    assert [child.name for child in more] == ["(14 smaller ones)"], "12 projects, unassigned and system"
    assert broken_sums(tree) == []
    project = await house.tree((await house.node("P19")).key)
    assert depth_of(project) == 2, "small enough to be whole"
    middle = await house.tree((await house.node("P3")).key, depth=1)
    assert all(child.has_more for child in middle.children if child.entity_type == "character")


async def test_a_reference_names_an_entity_by_integer_or_uuid(house: House) -> None:
    await house.take(THREE)
    key = (await house.node("One")).key
    row = await house.database.read(lambda reader: reader.one("SELECT uuid FROM entities WHERE name = 'One'"))
    assert row is not None
    assert await house.hierarchy.resolve(key) == await house.hierarchy.resolve(f"scene:{row['uuid']}") == key
    assert await house.hierarchy.resolve("part:4") == "part:4"
    for missing in ("scene:999", "part:99", "segment:1"):
        with pytest.raises(NotFoundError):
            await house.hierarchy.resolve(missing)
    with pytest.raises(UsageError):
        await house.hierarchy.resolve("nothing")


@pytest.mark.parametrize(
    "key", ["scene:999", "x", "files:scene:999", "folder:1:nowhere", "file:1:nowhere/x", "scene:1x"]
)
async def test_what_is_not_there_is_not_found(house: House, key: str) -> None:
    await house.take(THREE)
    with pytest.raises(NotFoundError):
        await house.tree(key)


async def test_names_are_found_in_any_case_the_largest_first_with_their_place(house: House) -> None:
    await house.take({**THREE, "Ärger": {0: 5}, "100%": {0: 1}})
    assert [view.tree.name for view in await house.hierarchy.find("CAST", 5)] == ["Cast", "Cast"]
    found = await house.hierarchy.find("cast", 1)
    assert [node.name for node in found[0].ancestors] == ["main", "Harbor"]
    assert [view.tree.name for view in await house.hierarchy.find("äRG", 5)] == ["Ärger"]
    assert [view.tree.name for view in await house.hierarchy.find("%", 5)] == ["100%"]
    assert await house.hierarchy.find("", 5) == ()


async def test_the_past_shows_the_sizes_of_then_and_times_are_those_of_refreshes(house: House) -> None:
    await house.take({"Harbor": {0: BLOCK}, "Lagoon": {0: BLOCK}})
    then = house.clock.now()
    house.clock.advance(3600)
    await house.take({"Harbor": {0: 5 * BLOCK}, "Lagoon": {0: BLOCK}})
    view = await house.hierarchy.view(history_at=then)
    assert view.history_at == then
    assert {name: size for name, size in below(view.tree).items() if size} == {"Harbor": BLOCK, "Lagoon": BLOCK}
    assert view.whole.total_bytes == 2 * BLOCK
    assert await house.hierarchy.times() == (then, house.clock.now())


# Files


async def real(house: House) -> None:
    """Store what is really on disk below the videos."""
    begun = await refreshing.begin(
        house.database, house.settings, house.data_dir, house.data_dir / "storage", cause="order", full=True,
        now=house.clock.now(),
    )  # fmt: skip
    root = next(root for root in begun.roots if root.name == "videos")
    records = {}
    top = os.fsencode(house.videos)
    for folder, _, files in os.walk(top):
        path = folder[len(top) + 1 :]
        status = os.lstat(folder)
        sizes = [os.lstat(folder + b"/" + name) for name in files]
        counts = ((0, len(sizes), sum(one.st_size for one in sizes), sum(512 * one.st_blocks for one in sizes)),)
        records[path] = replace(
            record(path, status.st_ino, {}), allocated_bytes=512 * status.st_blocks, counts=counts if files else ()
        )
    await house.store(begun, Found(records={other.id: {} for other in begun.roots} | {root.id: records}))


async def test_below_the_last_level_files_are_listed_as_they_are_now(house: House) -> None:
    house.write("Harbor/Cast/One/a/first.mp4", 5 * BLOCK)
    house.write("Harbor/Cast/One/a/deep/below/second.mp4", 3 * BLOCK)
    await real(house)
    house.write("Harbor/Cast/One/a/new.mp4", BLOCK)
    key = (await house.node("a")).key
    tree = await house.tree(key)
    assert below(tree) == {"first.mp4": 5 * BLOCK, "deep": 3 * BLOCK, "new.mp4": BLOCK, "(folder itself)": 0}
    assert broken_sums(tree) == []
    deep = await house.hierarchy.view(next(child.key for child in tree.children if child.name == "deep"))
    assert below(deep.tree) == {"below": 3 * BLOCK, "(folder itself)": 0}
    assert [node.name for node in deep.ancestors] == ["main", "Harbor", "Cast", "One", "a"]
    below_deep = await house.hierarchy.view(deep.tree.children[0].key)
    assert [node.name for node in below_deep.ancestors][-2:] == ["a", "deep"]
    file = await house.tree(below_deep.tree.children[0].key)
    assert (file.name, file.entity_type, file.path) == (
        "second.mp4", "file", os.fsencode(house.videos / "Harbor/Cast/One/a/deep/below/second.mp4"),
    )  # fmt: skip


async def test_what_a_scene_has_itself_is_listed_without_its_segments(house: House) -> None:
    house.write("Harbor/Cast/One/a/segment.mp4", BLOCK)
    house.write("Harbor/Cast/One/cover.png", 9)
    await real(house)
    one = await house.tree((await house.node("One")).key)
    own = next(child for child in one.children if child.entity_type == "files")
    assert below(await house.tree(own.key)) == {"cover.png": 9, "(folder itself)": 0}


async def test_a_folder_swapped_for_a_link_is_not_followed(house: House, tmp_path: Path) -> None:
    house.write("Harbor/Cast/One/a/first.mp4", 5)
    await real(house)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/secret").write_bytes(b"secret")
    folder = house.videos / "Harbor/Cast/One/a"
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "elsewhere")
    tree = await house.tree((await house.node("a")).key)
    assert (tree.children, "symbolic link" in tree.error, tree.size.total_bytes) == ((), True, 5)


async def test_a_folder_that_is_gone_says_so_and_keeps_its_size(house: House, tmp_path: Path) -> None:
    house.write("Harbor/Cast/One/a/first.mp4", 5)
    await real(house)
    (house.videos / "Harbor").rename(tmp_path / "gone")
    tree = await house.tree((await house.node("a")).key)
    assert "not there any more" in tree.error
    assert tree.size.total_bytes == 5


def test_of_many_files_the_largest_are_named_and_the_rest_is_summed(tmp_path: Path) -> None:
    for number in range(1, 31):
        (tmp_path / f"{number:02}.bin").write_bytes(b"x" * number * BLOCK)
    os.link(tmp_path / "30.bin", tmp_path / "again.bin")
    (tmp_path / "link.bin").symlink_to("30.bin")
    place = Place(1, tmp_path, b"", lambda _: 7, {b"": record(b"", 1, {})}, exclude=("29.*",))
    nodes, error = listed([place], most_files=4)
    assert error == ""
    assert [node.name for node in nodes[1:]] == ["30.bin", "28.bin", "27.bin", "26.bin"]
    assert nodes[0].name == "(26 more files)"
    assert nodes[0].size.total_bytes == sum(range(1, 26)) * BLOCK + len("30.bin")
    assert sum((node.size for node in nodes), NOTHING).file_count == 30


async def test_names_that_are_no_text_come_back_as_the_bytes_they_are(house: House) -> None:
    name = b"bad \xff\x1b[31m\n.mp4"
    folder = house.videos / "Harbor/Cast/One/a"
    folder.mkdir(parents=True)
    (folder / os.fsdecode(name)).write_bytes(b"x")
    await real(house)
    tree = await house.tree((await house.node("a")).key)
    file = next(child for child in tree.children if child.entity_type == "file")
    assert os.fsencode(file.name) == name
    assert await house.tree(file.key) == file
    plain = json.loads(json.dumps(to_json(file)))
    assert base64.b64decode(plain["path_base64"]) == os.fsencode(folder) + b"/" + name
    assert "\x1b" not in plain["name"]


# The nested form

leaves = st.builds(
    lambda total, files: StorageNode(
        "file:1:x",
        "x",
        "file",
        None,
        Amount(total, total, files),
        categories=(Amount(total, total, files),) + (NOTHING,) * 7,
    ),
    st.integers(0, 10**6),
    st.integers(0, 3),
)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(
        lambda children: StorageNode(
            "scene:1", "s", "scene", 1, sum((child.size for child in children), NOTHING), children=tuple(children),
            categories=tuple(sum((child.categories[index] for child in children), NOTHING) for index in range(8)),
        )
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(tree=trees)
def test_the_nested_form_has_values_on_leaves_only_and_they_sum_to_the_total(tree: StorageNode) -> None:
    plain = to_json(tree)

    def value(node: dict[str, object]) -> int:
        assert node.keys() >= SPEC_KEYS
        assert ("value" in node) != ("children" in node)
        children = node.get("children", [])
        assert isinstance(children, list)
        return int(str(node.get("value", 0))) + sum(map(value, children))

    assert value(plain) == plain["total_bytes"] == sum(plain[f"{name}_bytes"] for name in CATEGORIES)


def test_a_tree_deeper_than_python_recurses_has_a_nested_form() -> None:
    node = StorageNode("folder:1:x", "x", "folder", None, Amount(1, 1, 1))
    for _ in range(3000):
        node = StorageNode("folder:1:x", "x", "folder", None, Amount(1, 1, 1), children=(node,))
    plain, depth = to_json(node), 0
    while "children" in plain:
        (plain,), depth = plain["children"], depth + 1
    assert (depth, plain["value"]) == (3000, 1)


@pytest.mark.parametrize(
    ("text", "kind", "node", "root", "path"),
    [
        ("scene:17", "node", ("scene", 17), 0, b""),
        ("files:scene:17", "files", ("scene", 17), 0, b""),
        ("files:3:a/b", "folder", ("", 0), 3, b"a/b"),
        ("folder:3:", "folder", ("", 0), 3, b""),
        ("file:3:a:b/\udcff", "file", ("", 0), 3, b"a:b/\xff"),
    ],
)
def test_keys_are_taken_apart(text: str, kind: str, node: tuple[str, int], root: int, path: bytes) -> None:
    key = parse_key(text)
    assert (key.kind, key.node, key.root_id, key.path) == (kind, node, root, path)
