"""The growing tree of plain folders: nothing lost, nothing twice, however much of it is shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pulsetui.storage.plain import tree as plain_tree
from pulsetui.storage.plain.nodes import Branch, PlainFile
from pulsetui.storage.plain.tree import MOST_FILES, MOST_NODES, PlainTree
from pulsetui.storage.views import CATEGORIES, NOTHING, OTHER, Amount, StorageNode

NAMES = st.sampled_from([b"a", b"b", b"c\xff", b"\n"])
SIZES = st.integers(0, 10**13)
ENTRIES = st.lists(
    st.tuples(
        st.lists(NAMES, max_size=5),
        st.integers(0, len(CATEGORIES) - 1),
        SIZES,
        SIZES,
        st.sampled_from(["named", "counted", "linked"]),
    ),
    max_size=30,
)


def branch_of(tree: PlainTree, parts: list[bytes]) -> Branch:
    branch = tree.top
    for part in parts:
        branch = tree.enter(branch, part)
    return branch


def grow(tree: PlainTree, entries: list[tuple[list[bytes], int, int, int, str]]) -> Amount:
    """Put everything into the tree and return what it has to sum to."""
    whole, inodes = NOTHING, set()
    for number, (parts, category, total_bytes, allocated_bytes, how) in enumerate(entries):
        branch = branch_of(tree, parts)
        tree.add_folder(branch, 4096)
        whole += Amount(0, 4096, 0)
        file = PlainFile(b"%d" % number, category, total_bytes, allocated_bytes, number)
        if how == "counted":
            tree.add_counts(branch, [(category, 3, total_bytes, allocated_bytes)], number)
            whole += Amount(total_bytes, allocated_bytes, 3)
        elif how == "named":
            tree.add_file(branch, file)
            whole += Amount(total_bytes, allocated_bytes, 1)
        else:
            tree.add_link(
                branch, b"/".join(parts), (1, total_bytes % 3), file._replace(total_bytes=7, allocated_bytes=8)
            )
            if total_bytes % 3 not in inodes:
                whole += Amount(7, 8, 1)
            inodes.add(total_bytes % 3)
    return whole


def assert_exact(tree: StorageNode) -> None:
    for node in tree.walk():
        assert sum(node.categories, NOTHING) == node.size
        if node.children:
            assert sum((child.size for child in node.children), NOTHING) == node.size
            sizes = [child.size.allocated_bytes for child in node.children]
            assert sizes == sorted(sizes, reverse=True)


@given(ENTRIES, st.integers(0, 7), st.sampled_from([None, 1, 2]))
def test_every_node_is_the_sum_of_its_children_whatever_is_shown(
    entries: list[tuple[list[bytes], int, int, int, str]], depth: int, most_files: int | None
) -> None:
    growing = PlainTree(b"/top", depth=depth, most_files=most_files)
    whole = grow(growing, entries)
    tree = growing.tree()
    assert tree.size == whole
    assert_exact(tree)
    deepest = {node.key: level for level, node in _levels(tree)}
    assert max(deepest.values()) <= depth
    assert len(deepest) == len(list(tree.walk()))  # each key names one node


@given(entries=ENTRIES, most=st.sampled_from([1, 7, 20]))
def test_a_tree_that_gets_too_large_while_it_grows_loses_levels_and_no_byte(
    entries: list[tuple[list[bytes], int, int, int, str]], most: int
) -> None:
    kept = plain_tree.MOST_NODES
    plain_tree.MOST_NODES = most
    try:
        growing = PlainTree(b"/top")
        whole = grow(growing, entries)
        tree = growing.tree()
    finally:
        plain_tree.MOST_NODES = kept
    assert tree.size == whole
    assert_exact(tree)
    shown = [level for level, node in _levels(tree) if node.entity_type != "files"]
    assert len(shown) <= most or max(shown) <= 1


@given(entries=ENTRIES)
def test_a_picture_names_the_largest_files_and_loses_no_byte(
    entries: list[tuple[list[bytes], int, int, int, str]],
) -> None:
    kept = plain_tree.MOST_NAMED
    plain_tree.MOST_NAMED = 3
    try:
        growing = PlainTree(b"/top", depth=9, most_files=100)
        whole = grow(growing, entries)
        tree = growing.tree()
    finally:
        plain_tree.MOST_NAMED = kept
    assert tree.size == whole
    assert_exact(tree)
    files = [(node.size.allocated_bytes, node.size.total_bytes) for node in tree.walk() if node.entity_type == "file"]
    assert len(files) <= 3
    named = sorted((allocated, total) for _, _, total, allocated, how in entries if how == "named")
    if not any(how == "linked" for *_, how in entries):
        assert sorted(files) == named[len(named) - len(files) :]


def _levels(tree: StorageNode) -> list[tuple[int, StorageNode]]:
    found = [(0, tree)]
    for level, node in found:
        found += [(level + 1, child) for child in node.children]
    return found


def test_without_a_depth_a_large_tree_is_cut_to_what_fits() -> None:
    growing = PlainTree(b"/top")
    for number in range(60):
        folder = growing.enter(growing.top, b"f%d" % number)
        for inner in range(20):
            below = growing.enter(folder, b"g%d" % inner)
            for last in range(15):
                growing.add_file(below, PlainFile(b"%d" % last, OTHER, 1, 1))
    tree = growing.tree()
    assert tree.size.file_count == 60 * 20 * 15
    shown = list(tree.walk())
    assert 60 * 20 < len(shown) <= MOST_NODES
    assert all(node.has_more for node in shown if node.name.startswith("g"))
    assert not any(node.has_more for node in shown if node.name.startswith("f"))


def test_the_largest_files_of_a_folder_get_nodes_and_the_others_one_for_all() -> None:
    growing = PlainTree(b"/top")
    for number in range(MOST_FILES * 3):
        growing.add_file(growing.top, PlainFile(b"%d" % number, OTHER, number, number))
    tree = growing.tree()
    files = [node for node in tree.children if node.entity_type == "file"]
    assert {int(node.name) for node in files} == set(range(MOST_FILES * 2, MOST_FILES * 3))
    [rest] = [node for node in tree.children if node.entity_type == "files"]
    assert rest.name == "(2,000 more files)"
    assert rest.size.file_count == MOST_FILES * 2
    assert tree.has_more


def test_with_a_depth_every_file_has_its_node() -> None:
    growing = PlainTree(b"/top", depth=1)
    for number in range(MOST_FILES + 5):
        growing.add_file(growing.top, PlainFile(b"%d" % number, OTHER, 1, 1))
    tree = growing.tree()
    assert len(tree.children) == MOST_FILES + 5
    assert not tree.has_more


def test_the_folder_itself_and_files_without_a_name_are_nodes_of_their_own() -> None:
    growing = PlainTree(b"/", depth=3)
    with_files = growing.enter(growing.top, b"named")
    growing.add_folder(with_files, 4096)
    growing.add_file(with_files, PlainFile(b"a", 0, 1, 1))
    summed = growing.enter(growing.top, b"summed")
    growing.add_counts(summed, [(0, 5, 10, 20)], 0)
    growing.enter(summed, b"below")
    named, others = (growing.tree().children[at] for at in (0, 1))
    assert [child.name for child in named.children] == ["(folder itself)", "a"]
    assert [child.name for child in others.children] == ["(files)", "below"]
    assert (named.path, named.children[1].path) == (b"/named", b"/named/a")


def test_errors_of_what_is_not_shown_are_told_by_the_folder_that_stands_for_it() -> None:
    growing = PlainTree(b"/top", depth=1)
    above = growing.enter(growing.top, b"a")
    growing.add_folder(growing.enter(above, b"b"), 0, "b can't be read")
    assert growing.tree().children[0].error == "b can't be read"


def test_small_folders_are_not_worth_listing() -> None:
    growing = PlainTree(b"/top", depth=2)
    small, large = growing.enter(growing.top, b"small"), growing.enter(growing.top, b"large")
    growing.add_counts(small, [(0, 1, 10, 10)], 0)
    growing.add_counts(large, [(0, 1, 990, 990)], 0)
    assert growing.worth_naming(0.1) == {growing.top, large}
    assert growing.worth_naming(0.0) == {growing.top, small, large}
