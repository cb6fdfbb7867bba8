"""The one nested form of the tree of sizes, for the treemap, the command line and reports. Pure."""

from __future__ import annotations

import base64
import os
from typing import Any

from pulsetui.clock import rfc3339
from pulsetui.files.names import display_text
from pulsetui.storage.views import CATEGORIES, StorageNode


def to_json(node: StorageNode) -> dict[str, Any]:
    """Return a node with all that is below it as JSON values, in the form that d3-hierarchy's `sum` takes.

    `value` (apparent bytes) is on nodes without children only. Where a name is no UTF-8, `name` and `path` are escaped
    and `path_base64` has the bytes. Built without recursion: folders may be nested thousands deep.
    """
    top: dict[str, Any] = {}
    pending = [(node, top)]
    while pending:
        here, plain = pending.pop()
        plain.update(_figures(here))
        if here.children:
            below: list[dict[str, Any]] = [{} for _ in here.children]
            plain["children"] = below
            pending.extend(zip(here.children, below, strict=True))
        else:
            plain["value"] = here.size.total_bytes
    return top


def _figures(node: StorageNode) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "name": _text(node.name),
        "entity_type": node.entity_type,
        "entity_id": node.entity_id,
        "key": _text(node.key),
        "total_bytes": node.size.total_bytes,
        "allocated_bytes": node.size.allocated_bytes,
        "file_count": node.size.file_count,
    }
    for index, name in enumerate(CATEGORIES):
        plain[f"{name}_bytes"] = node.categories[index].total_bytes if node.categories else None
    plain["reclaimable_bytes"] = node.reclaimable_bytes
    plain["candidate_bytes"] = node.candidate_bytes
    if node.path is not None:
        path = os.fsdecode(node.path)
        plain["path"] = _text(path)
        if plain["path"] != path:
            plain["path_base64"] = base64.b64encode(node.path).decode("ascii")
    if node.newest_at is not None:
        plain["newest_at"] = rfc3339(node.newest_at)
    if node.growth_bytes is not None:
        plain["growth_bytes"] = node.growth_bytes
    if node.has_more:
        plain["has_more"] = True
    if node.error:
        plain["error"] = _text(node.error)
    return plain


def _text(text: str) -> str:
    """Return text as it is, or escaped where it holds bytes that are no UTF-8: JSON has no place for those."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return display_text(text)
    return text
