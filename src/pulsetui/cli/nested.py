"""Prints a tree of sizes as JSON, in the one nested form, node by node.

Not by `json.dumps` of the whole: folders nested a thousand deep are more than it can take, and a million nodes are
written as they come instead of being held a second time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pulsetui.cli.output import plain
from pulsetui.storage.tree.nested import to_json
from pulsetui.storage.views import StorageNode


def print_nested(tree: StorageNode, head: Mapping[str, Any]) -> None:
    """Print the tree with `head` before the figures of its top; a line each node."""
    for line in nested_lines(tree, head):
        sys.stdout.write(line)
    sys.stdout.flush()


def nested_lines(tree: StorageNode, head: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the document; ASCII only, so that no terminal can be moved by it."""
    pending: list[tuple[StorageNode, str] | str] = [(tree, "")]
    first: dict[str, Any] = dict(plain(head))
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
            continue
        node, behind = item
        figures = {**first, **to_json(replace(node, children=()))}
        first = {}
        if not node.children:
            yield f"{json.dumps(figures)}{behind}\n"
            continue
        del figures["value"]  # of leaves only
        yield f'{json.dumps(figures)[:-1]}, "children": [\n'
        pending.append(f"]}}{behind}\n")
        last = len(node.children) - 1
        pending.extend((node.children[at], "," if at < last else "") for at in range(last, -1, -1))
