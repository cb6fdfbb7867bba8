from __future__ import annotations

import pytest
from tools.document_settings import PAGE, page, tables

from pulsetui.settings.keys import setting_fields


@pytest.mark.parametrize("key", sorted(setting_fields()))
def test_every_setting_is_documented_in_its_section(key: str) -> None:
    section, _, name = key.rpartition(".")
    _, _, after = PAGE.read_text(encoding="utf-8").partition(f"## [{section}]\n")
    described, _, _ = after.partition("\n## ")
    assert f"| `{name}` |" in described


def test_the_page_is_what_the_models_say() -> None:
    current = PAGE.read_text(encoding="utf-8")
    assert current == page(current), "run: python tools/document_settings.py"


def test_no_description_breaks_the_table() -> None:
    rows = [line for line in tables().splitlines() if line.startswith("| `")]
    assert len(rows) == len(setting_fields())
    assert [row for row in rows if row.count("|") != 4] == []
