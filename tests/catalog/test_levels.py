"""How entities are written: as a path of names, and as TYPE:ID."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.catalog.levels import Reference, parse_entity, parse_reference
from pulsetui.errors import UsageError
from pulsetui.settings.storage import DEFAULT_LEVELS

UUID = "0b7e1c9a-1d5e-4a57-9a53-0d1f3c1b2a4e"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Harbor", ("Harbor",)),
        (" Harbor / Cast ", ("Harbor", "Cast")),
        ("A/B/C/D", ("A", "B", "C", "D")),
        ("Cafe\u0301/\u202eevil", ("Café", "evil")),
    ],
)
def test_a_path_is_cleaned_name_by_name(text: str, names: tuple[str, ...]) -> None:
    assert parse_entity(text, DEFAULT_LEVELS) == names


@pytest.mark.parametrize("text", ["", "/", "A//B", "A/", "/A", "A/ /B", "A/\x1b/B"])
def test_an_empty_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="empty name") as refused:
        parse_entity(text, DEFAULT_LEVELS)
    assert "project/character/scene/segment" in refused.value.hint


def test_more_names_than_levels_are_refused() -> None:
    with pytest.raises(UsageError, match="5 levels, and there are 4"):
        parse_entity("A/B/C/D/E", DEFAULT_LEVELS)


@given(st.text(max_size=60))
def test_whatever_is_typed_becomes_names_or_is_refused(text: str) -> None:
    try:
        names = parse_entity(text, DEFAULT_LEVELS)
    except UsageError:
        return
    assert 1 <= len(names) <= len(DEFAULT_LEVELS)
    assert all(names)
    assert not any("/" in name for name in names)


def test_a_path_is_measured_by_the_levels_that_are_set() -> None:
    assert parse_entity("A/B", ("series", "season")) == ("A", "B")
    with pytest.raises(UsageError, match="3 levels, and there are 2") as refused:
        parse_entity("A/B/C", ("series", "season"))
    assert refused.value.hint == "the levels are series, season"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("scene:17", Reference("scene", 17, None)),
        (" scene : 17 ", Reference("scene", 17, None)),
        (f"scene:{UUID}", Reference("scene", None, UUID)),
        (f"scene:{UUID.upper()}", Reference("scene", None, UUID)),
        ("library:1", Reference("library", 1, None)),
        ("part:4", Reference("part", 4, None)),
    ],
)
def test_a_reference_has_a_type_and_an_integer_or_a_uuid(text: str, reference: Reference) -> None:
    assert parse_reference(text, DEFAULT_LEVELS) == reference
    assert parse_reference(str(reference), DEFAULT_LEVELS) == reference


def test_a_type_is_one_of_the_levels_that_are_set() -> None:
    assert parse_reference("season:2", ("series", "season")).entity_type == "season"
    with pytest.raises(UsageError, match="there is no type 'seasn'") as refused:
        parse_reference("seasn:2", ("series", "season"))
    assert refused.value.hint == "did you mean season?"


@pytest.mark.parametrize("text", ["", "17", "scene", "scene:", ":17", "scene:x", "scene:-1", "scene:٣", "scene:1.0"])
def test_what_is_no_reference_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_reference(text, DEFAULT_LEVELS)
    assert "project" in refused.value.hint


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    for written in (text, f"scene:{text}"):
        try:
            reference = parse_reference(written, DEFAULT_LEVELS)
        except UsageError:
            continue
        assert (reference.id is None) != (reference.uuid is None)
        assert reference.id is None or 0 <= reference.id < 2**63
