"""The `[storage]` section: what is accepted, and what a refusal says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.settings.storage import DEFAULT_LEVELS, RESERVED_LEVELS, Storage, layout_parts, layout_text
from tests.settings.test_load import load, refusal

ROOT = '[[storage.roots]]\nname = "renders"\npath = "/mnt/renders"\n'


def storage(tmp_path: Path, toml: str) -> Storage:
    return load(tmp_path, toml).settings.storage


@pytest.mark.parametrize("levels", [["series", "season", "episode"], ["a"], [f"level_{n}" for n in range(8)]])
def test_levels_are_whatever_one_calls_them(tmp_path: Path, levels: list[str]) -> None:
    assert storage(tmp_path, f"[storage]\nlevels = {levels}\n").levels == tuple(levels)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ("[]", "0 levels"),
        (str([f"level{n}" for n in range(9)]), "9 levels"),
        ('["Project"]', "'Project'"),
        ('["a b"]', "'a b'"),
        ('["2nd"]', "'2nd'"),
        ('["a", "b", "a"]', "'a' is there twice"),
        ('["a:b"]', "'a:b'"),
        *((f'["{name}"]', f"{name!r} is taken") for name in sorted(RESERVED_LEVELS)),
    ],
)
def test_levels_that_would_be_mistaken_for_something_else_are_refused(tmp_path: Path, levels: str, said: str) -> None:
    refused = str(refusal(tmp_path, f"[storage]\nlevels = {levels}\n"))
    assert said in refused
    assert refused.startswith(f"storage.levels from {tmp_path / 'config.toml'}: ")


def test_a_root_is_a_table_of_its_own(tmp_path: Path) -> None:
    toml = f'{ROOT}layout = "{{project}}/out/{{character}}"\ncategory = "image"\nexclude = ["*.tmp", "a b"]\n'
    (root,) = storage(tmp_path, toml).roots
    assert (root.name, root.path, root.category) == ("renders", Path("/mnt/renders"), "image")
    assert root.layout == "{project}/out/{character}"
    assert root.exclude == ("*.tmp", "a b")


def test_a_root_needs_only_name_and_path(tmp_path: Path) -> None:
    (root,) = storage(tmp_path, f'{ROOT}category = ""\n').roots
    assert (root.layout, root.category, root.exclude) == ("", None, ())


def test_roots_and_file_types_are_written_in_the_environment_as_in_the_file(tmp_path: Path) -> None:
    environment = {
        "PULSETUI_STORAGE__ROOTS": '[{ name = "renders", path = "/mnt/renders" }]',
        "PULSETUI_STORAGE__FILE_TYPES": '{ psd = "image" }',
    }
    found = load(tmp_path, environment=environment).settings.storage
    assert (found.roots[0].path, found.file_types) == (Path("/mnt/renders"), {"psd": "image"})
    said = str(refusal(tmp_path, environment={"PULSETUI_STORAGE__ROOTS": "/mnt/renders"}))
    assert "PULSETUI_STORAGE__ROOTS" in said
    assert "write it as in the file" in said


@pytest.mark.parametrize("path", ["renders", "./renders", "../renders"])
def test_a_relative_root_is_refused(tmp_path: Path, path: str) -> None:
    said = str(refusal(tmp_path, f'[[storage.roots]]\nname = "renders"\npath = "{path}"\n'))
    assert said.startswith("storage.roots.path from ")
    assert f"{path!r} is relative; write the whole path" in said


@pytest.mark.parametrize("other", ["/mnt/renders", "/mnt/renders/old", "/mnt", "/mnt/x/../renders"])
def test_a_root_in_or_around_another_is_refused_with_both_paths(tmp_path: Path, other: str) -> None:
    said = str(refusal(tmp_path, f'{ROOT}[[storage.roots]]\nname = "other"\npath = "{other}"\n'))
    assert said.startswith("storage.roots from ")
    assert "'/mnt/renders'" in said
    assert f"{str(Path(other).resolve())!r}" in said


def test_roots_beside_each_other_are_fine_and_need_names_of_their_own(tmp_path: Path) -> None:
    assert len(storage(tmp_path, f'{ROOT}[[storage.roots]]\nname = "b"\npath = "/mnt/renders2"\n').roots) == 2
    said = str(refusal(tmp_path, f'{ROOT}[[storage.roots]]\nname = "renders"\npath = "/mnt/x"\n'))
    assert "two roots are called 'renders'" in said


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("{scene}/{project}", "out of order"),
        ("{project}/{scene}", "out of order"),
        ("{project}/{project}", "out of order"),
        ("{character}", "out of order"),
        ("{prject}", "'{prject}' is no level"),
        ("{project", "'{project' is no level"),
        ("{project}-{character}", "is no level"),
        ("renders/all", "names no level"),
        ("/{project}", "has the part ''"),
        ("{project}/", "has the part ''"),
        ("{project}/../x", "has the part '..'"),
    ],
)
def test_a_wrong_layout_is_refused_with_what_to_write(tmp_path: Path, layout: str, said: str) -> None:
    refused = str(refusal(tmp_path, f'{ROOT}layout = "{layout}"\n'))
    assert refused.startswith("storage.roots from ")
    assert "layout of 'renders'" in refused
    assert said in refused
    assert "write it like {project}/{character}/{scene}/{segment}" in refused


def test_a_layout_is_judged_by_the_levels_that_are_set(tmp_path: Path) -> None:
    toml = f'[storage]\nlevels = ["series", "season"]\n{ROOT}'
    assert storage(tmp_path, f'{toml}layout = "{{series}}/x/{{season}}"\n').roots
    assert "write it like {series}/{season}" in str(refusal(tmp_path, f'{toml}layout = "{{project}}"\n'))


def test_an_unknown_key_of_a_root_names_the_nearest(tmp_path: Path) -> None:
    assert "a root has no 'layot'; did you mean layout?" in str(refusal(tmp_path, f'{ROOT}layot = "x"\n'))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('name = "a/b"', "name 'a/b' is refused"),
        ('name = ""', "name '' is refused"),
        ('category = "film"', "'film' is refused"),
        ("path = 7", "is not a path"),
    ],
)
def test_a_wrong_value_of_a_root_is_refused(tmp_path: Path, line: str, said: str) -> None:
    key = line.partition(" ")[0]
    kept = [each for each in ROOT.splitlines() if not each.startswith(key)]
    assert said in str(refusal(tmp_path, "\n".join([*kept, line]) + "\n"))


def test_file_types_are_a_table_of_extensions(tmp_path: Path) -> None:
    toml = '[storage.file_types]\n".PSD" = "image"\nblend = "model"\n'
    assert storage(tmp_path, toml).file_types == {"psd": "image", "blend": "model"}


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('psd = "picture"', "'picture' is no category (for psd)"),
        ('"a.b" = "image"', "extension 'a.b' is refused"),
        ('psd = "image"\nPSD = "image"', "'psd' is there twice"),
    ],
)
def test_a_wrong_file_type_is_refused(tmp_path: Path, toml: str, said: str) -> None:
    refused = str(refusal(tmp_path, f"[storage.file_types]\n{toml}\n"))
    assert refused.startswith("storage.file_types from ")
    assert said in refused


@given(st.lists(st.sampled_from([*(f"{{{level}}}" for level in DEFAULT_LEVELS), "out", "x y", "é"]), max_size=7))
def test_a_layout_has_the_levels_in_order_from_the_top_or_is_refused(parts: list[str]) -> None:
    levels = [part for part in parts if part.startswith("{")]
    good = levels == [f"{{{level}}}" for level in DEFAULT_LEVELS[: len(levels)]] and levels
    if good:
        found = layout_parts("/".join(parts), DEFAULT_LEVELS)
        assert [f"{{{level}}}" if level else name for level, name in found] == parts
    else:
        with pytest.raises(ValueError, match=re.escape(layout_text(DEFAULT_LEVELS))):
            layout_parts("/".join(parts), DEFAULT_LEVELS)
