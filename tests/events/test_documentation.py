from __future__ import annotations

import pytest
from tools.document_events import PAGE, events, page, table


@pytest.mark.parametrize("kind", sorted(events()))
def test_every_event_is_documented(kind: str) -> None:
    assert f"| `{kind}` |" in PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_events_say() -> None:
    current = PAGE.read_text(encoding="utf-8")
    assert current == page(current), "run: python tools/document_events.py"


def test_no_description_breaks_the_table() -> None:
    rows = [line for line in table().splitlines() if line.startswith("| `")]
    assert len(rows) == len(events()) > 15
    assert [row for row in rows if row.count("|") != 6] == []
