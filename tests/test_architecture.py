from __future__ import annotations

import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")


def rooms() -> set[str]:
    """Return the rooms that there are: packages and modules at the top of pulsetui."""
    found = {path.parent.name for path in (REPOSITORY / "src" / "pulsetui").glob("*/__init__.py")}
    found |= {path.stem for path in (REPOSITORY / "src" / "pulsetui").glob("*.py")}
    return {name for name in found if not name.startswith("__")}


def test_the_parts_table_names_the_rooms_that_there_are() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == rooms()


def test_the_direction_on_the_page_is_the_one_that_is_enforced() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(contract["layers"] for contract in contracts["contracts"] if contract["type"] == "layers")
    _, drawing, _ = PAGE.split("```")[:3]
    assert " ".join(drawing.split()).split(" → ") == layers
