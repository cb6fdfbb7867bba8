from __future__ import annotations

from dataclasses import replace

from pulsetui.storage.views import StorageNode, StorageView
from pulsetui.tui.renderables.place import Spot
from pulsetui.tui.storage_choices import choices, shell_text
from pulsetui.tui.storage_place import StoragePlace
from tests.tui.showing import make_view
from tests.tui.storage_fakes import LIBRARY, find, leaf


def at_root() -> StoragePlace:
    place = StoragePlace()
    place.take(None, make_view())
    return place


def without(view: StorageView, key: str) -> StorageView:
    kept = tuple(child for child in view.tree.children if child.key != key)
    return replace(view, tree=replace(view.tree, children=kept))


def test_the_largest_is_selected_first() -> None:
    assert at_root().selected == LIBRARY.children[0].key


def test_what_is_known_of_an_opened_node_shows_at_once() -> None:
    place = at_root()

    assert place.open("project:0")
    assert place.view is not None
    assert [node.name for node in place.view.ancestors] == ["Library"]
    assert place.view.tree.children


def test_going_up_selects_what_one_comes_from() -> None:
    place = at_root()
    place.open("project:1")
    assert place.leave()

    assert (place.key, place.selected) == (None, "project:1")


def test_coming_back_finds_the_selection_again() -> None:
    place = at_root()
    place.open("project:0")
    place.select("character:1")
    place.leave()
    place.open("project:0")

    assert place.selected == "character:1"


def test_opening_something_deep_and_going_up_step_by_step_follows_the_path() -> None:
    place = at_root()
    place.open("scene:0")
    assert place.leave()
    assert (place.key, place.selected) == ("character:0", "scene:0")


def test_a_refresh_keeps_the_selection() -> None:
    place = at_root()
    place.select("project:3")
    place.take(None, make_view())

    assert place.selected == "project:3"


def test_what_a_vanished_selection_was_in_is_selected_instead() -> None:
    place = at_root()
    place.open("project:0")
    inner = next(node for node in place.view.tree.children if node.children).children[0]  # type: ignore[union-attr]
    outer = place.index.parent(inner.key)  # type: ignore[union-attr]
    place.select(inner.key)
    assert outer is not None
    bare = replace(outer, children=())
    view = make_view("project:0")
    kept = tuple(bare if child.key == outer.key else child for child in view.tree.children)
    place.take("project:0", replace(view, tree=replace(view.tree, children=kept)))

    assert place.selected == outer.key


def test_what_vanished_and_comes_back_is_selected_again() -> None:
    place = at_root()
    place.select("project:2")
    place.take(None, without(make_view(), "project:2"))
    assert place.selected == LIBRARY.children[0].key
    place.take(None, make_view())

    assert place.selected == "project:2"


def test_a_tree_read_for_another_place_is_not_put_on_display() -> None:
    place = at_root()
    place.open("project:0")
    place.take(None, make_view())

    assert place.view is not None
    assert place.view.tree.key == "project:0"


def test_losing_what_is_open_goes_up() -> None:
    place = at_root()
    place.open("project:0")
    place.open("character:0")
    place.lost()

    assert place.key == "project:0"


def test_a_file_cannot_be_opened() -> None:
    place = StoragePlace()
    place.take("segment:0", make_view("segment:0"))

    assert not place.open("file:1:0/Part 1.mp4")


def test_grafted_nodes_are_found_with_their_path() -> None:
    place = at_root()
    segment, _ = find(LIBRARY, "segment:0")
    place.graft(segment)
    found = place.find("file:1:0/Part 1.mp4")

    assert found is not None
    assert [node.entity_type for node in found[1]] == ["library", "project", "character", "scene", "segment"]


def test_a_copied_path_names_the_very_file_in_a_shell() -> None:
    assert shell_text(b"/a/b.mp4") == "/a/b.mp4"
    assert shell_text(b"/a/it's here.mp4") == "'/a/it'\"'\"'s here.mp4'"
    assert shell_text(b"/a/\xff\n\x1b[31m'\\") == "$'/a/\\xff\\x0a\\x1b[31m\\x27\\x5c'"


def offered(node: StorageNode, *above: StorageNode) -> list[str]:
    return [choice.value for choice in choices(Spot(node, above, LIBRARY.size), frozenset())]


def test_the_menu_offers_what_can_be_done_with_a_node_and_no_more() -> None:
    segment, above = find(LIBRARY, "segment:0")
    file = segment.children[0]

    assert offered(LIBRARY) == ["details", "mark"]
    assert offered(segment, *above) == ["details", "jobs", "path", "mark"]
    assert offered(file, *above, segment) == ["jobs", "path", "mark"]
    assert offered(leaf("part:1", "trash", {}), LIBRARY) == ["mark"]
