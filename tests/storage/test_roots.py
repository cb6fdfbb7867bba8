"""Which folders are accounted for, and which of the user's are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulsetui.errors import SettingsError
from pulsetui.settings.storage import Storage, UserRoot
from pulsetui.storage.layouts import Layout
from pulsetui.storage.roots import nested_in, roots_of
from pulsetui.storage.views import CATEGORIES
from tests.storage.trees import numbered

DATA, STORAGE = Path("/srv/pulse"), Path("/mnt/media")


def with_roots(*roots: UserRoot, **settings: object) -> Storage:
    return Storage.model_validate({"roots": roots, **settings})


def user(name: str, path: str, **values: object) -> UserRoot:
    return UserRoot.model_validate({"name": name, "path": path, **values})


def test_built_in_roots_lie_where_the_pipeline_writes() -> None:
    roots = {root.name: root for root in roots_of(Storage(), DATA, STORAGE)}
    assert {name: root.path for name, root in roots.items()} == {
        "videos": STORAGE / "videos",
        "audio": DATA / "audio",
        "transcripts": DATA / "transcripts",
        "tokens": DATA / "tokens",
        "analysis": DATA / "analysis",
        "data": DATA,
        "storage": STORAGE,
        "trash:data": DATA / ".pulsetui-trash",
        "trash:storage": STORAGE / ".pulsetui-trash",
    }
    with_layout = {name for name, root in roots.items() if root.layout is not None}
    assert with_layout == {"videos", "audio", "transcripts", "tokens", "analysis"}
    assert all(root.id == 0 for root in roots.values())


def test_built_in_roots_fix_the_category_by_kind() -> None:
    roots = {root.name: root for root in roots_of(Storage(), DATA, STORAGE)}
    named = {name: CATEGORIES[root.category] for name, root in roots.items() if root.category is not None}
    assert named == {
        "videos": "video",
        "audio": "audio",
        "transcripts": "text",
        "tokens": "text",
        "analysis": "metadata",
    }


def test_one_folder_for_everything_is_counted_once() -> None:
    names = [root.name for root in roots_of(Storage(), DATA, DATA)]
    assert "storage" not in names
    assert "trash:storage" not in names
    assert len({root.path for root in roots_of(Storage(), DATA, DATA)}) == len(names)


def test_each_root_leaves_out_those_inside_it() -> None:
    roots = roots_of(with_roots(user("renders", "/srv/pulse/renders")), DATA, DATA / "storage")
    by_name = {root.name: root for root in roots}
    assert {root.name for root in nested_in(by_name["data"], roots)} == set(by_name) - {"data"}
    assert {root.name for root in nested_in(by_name["storage"], roots)} == {"videos", "trash:storage"}
    assert {root.name for root in nested_in(by_name["renders"], roots)} == {"trash:renders"}
    assert nested_in(by_name["videos"], roots) == ()


def test_a_users_root_has_its_own_layout_category_and_exclusions_and_a_trash() -> None:
    given = user("renders", "/mnt/renders", layout="{series}/out/{season}", category="image", exclude=["*.bak"])
    settings = with_roots(given, levels=("series", "season"), exclude=("@eaDir",))
    roots = {root.name: root for root in roots_of(settings, DATA, STORAGE)}
    root = roots["renders"]
    assert (root.kind, root.path, root.optional) == ("user", Path("/mnt/renders"), False)
    assert root.layout == Layout((None, b"out", None))
    assert root.category == CATEGORIES.index("image")
    assert root.exclude == ("@eaDir", "*.bak")
    assert roots["videos"].layout == Layout((None, None))
    assert roots["videos"].exclude == ("@eaDir",)
    assert roots["trash:renders"].path == Path("/mnt/renders/.pulsetui-trash")
    assert roots["trash:renders"].exclude == ()


def test_ids_come_from_what_is_stored() -> None:
    roots = numbered(Storage(), DATA, STORAGE)
    assert sorted(root.id for root in roots.values()) == list(range(1, 10))
    (new, *_) = roots_of(Storage(), DATA, STORAGE, {"audio": 7})
    assert (new.name, new.id) == ("videos", 0)


@pytest.mark.parametrize(
    ("path", "relation"),
    [
        ("/mnt/media/videos", "is"),
        ("/mnt/media/videos/Harbor", "lies in"),
        ("/mnt/media", "lies around"),
        ("/", "lies around"),
        ("/srv/pulse/audio/x", "lies in"),
        ("/srv/pulse/.pulsetui-trash/1", "lies in"),
    ],
)
def test_a_root_in_or_around_a_built_in_one_is_refused_with_both_paths(path: str, relation: str) -> None:
    with pytest.raises(SettingsError) as refused:
        roots_of(with_roots(user("mine", path)), DATA, STORAGE)
    said = str(refused.value)
    assert f"mine ({path}) {relation} " in said
    assert said.count("(/") == 2
    assert refused.value.hint


@pytest.mark.parametrize("path", ["/srv/pulse/renders", "/mnt/media/renders", "/mnt/media/videos2"])
def test_a_root_beside_the_built_in_ones_may_lie_in_our_folders(path: str) -> None:
    assert any(root.path == Path(path) for root in roots_of(with_roots(user("mine", path)), DATA, STORAGE))


def test_the_names_of_built_in_roots_are_taken() -> None:
    for name in ("videos", "data", "storage"):
        with pytest.raises(SettingsError, match="is one of pulsetui's own"):
            roots_of(with_roots(user(name, "/mnt/x")), DATA, STORAGE)
