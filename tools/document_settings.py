"""Writes the tables of `docs/settings.md` from the settings' models, keeping the text around them.

Run after a setting changed: `python tools/document_settings.py`. A test fails while the page is behind.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from pulsetui import resources
from pulsetui.settings.keys import section_models, setting_fields

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
START, END = "<!-- made by tools/document_settings.py -->\n", "<!-- end -->\n"


def tables() -> str:
    """Return one Markdown table for each section."""
    shipped = tomllib.loads(resources.defaults_file().read_text(encoding="utf-8"))
    lines: list[str] = []
    for section, model in section_models().items():
        purpose = " ".join((model.__doc__ or "").split())
        lines += [f"## [{section}]", "", purpose, "", "| key | default | what it does |", "|---|---|---|"]
        table = shipped
        for part in section.split("."):
            table = table[part]
        for key, field in setting_fields().items():
            above, _, name = key.rpartition(".")
            if above == section:
                what = " ".join((field.description or "").split())
                lines.append(f"| `{name}` | `{json.dumps(table[name], ensure_ascii=False)}` | {what} |")
        lines.append("")
    return "\n".join(lines)


def page(current: str) -> str:
    """Return the page with its tables made anew."""
    before, _, rest = current.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
