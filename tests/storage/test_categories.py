"""A file's category follows from its last extension."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.db.database import Database
from pulsetui.settings.storage import Category, Storage
from pulsetui.storage.categories import BUILT_IN, category_of, category_table
from pulsetui.storage.views import CATEGORIES
from tests.db.conftest import database

__all__ = ["database"]

TABLE = category_table(BUILT_IN)


def test_settings_know_the_categories_in_their_order() -> None:
    assert get_args(Category) == CATEGORIES


async def test_the_database_has_the_built_in_table(database: Database) -> None:
    rows = await database.read(lambda reader: reader.all("SELECT extension, category FROM file_type_categories"))
    assert {row["extension"]: row["category"] for row in rows} == BUILT_IN


@pytest.mark.parametrize(
    ("name", "category"),
    [
        (b"a.mp4", "video"),
        (b"a.MP4", "video"),
        (b"a.b.Jpeg", "image"),
        (b"a.mp4.partial", "intermediate"),
        (b"a.json", "metadata"),
        (b"a.gguf", "model"),
        (b"a.opus", "audio"),
        (b"a.jsonl.zst", "text"),
        (b"\xff\xfe.wav", "audio"),
        (b"a.\xff", "other"),
        (b"a", "other"),
        (b"a.", "other"),
        (b"mp4", "other"),
        (b".mp4", "other"),
        (b".hidden.mp4", "video"),
        (b"a.docx", "other"),
    ],
)
def test_the_last_extension_decides_in_either_case(name: bytes, category: str) -> None:
    assert CATEGORIES[category_of(name, TABLE)] == category


def test_settings_add_extensions_and_win() -> None:
    table = category_table(BUILT_IN, Storage(file_types={".PSD": "image", "bin": "other"}).file_types)
    assert CATEGORIES[category_of(b"a.psd", table)] == "image"
    assert CATEGORIES[category_of(b"a.bin", table)] == "other"
    assert CATEGORIES[category_of(b"a.mp4", table)] == "video"


def test_a_category_that_nobody_knows_is_other() -> None:
    assert category_table({"x": "hologram"}) == {"x": CATEGORIES.index("other")}


@given(st.binary(max_size=40))
def test_any_name_has_a_category(name: bytes) -> None:
    assert 0 <= category_of(name, TABLE) < len(CATEGORIES)
