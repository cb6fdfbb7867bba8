"""`pulsetui library`: the libraries that there are, and making and removing them."""

from __future__ import annotations

from collections import Counter

from pulsetui.catalog import store as catalog_store
from pulsetui.catalog.actions import AddLibrary, RemoveLibrary
from pulsetui.catalog.entities import Library
from pulsetui.cli.context import Context
from pulsetui.cli.output import print_json, print_line, print_table
from pulsetui.clock import rfc3339
from pulsetui.db.database import Reader
from pulsetui.errors import UsageError
from pulsetui.volumes import store as volumes_store

_COLUMNS = (("library", False), ("volumes", True), ("entities", True), ("made at", False))


async def list_libraries(context: Context) -> int:
    """Print the libraries, and how much is in each."""
    libraries, tracked = await context.read(_libraries)
    if context.as_json:
        print_json(
            [
                {
                    "name": library.name,
                    "uuid": library.uuid,
                    "created_at": library.created_at,
                    "volumes": tracked[library.name],
                    "entities": library.entity_count,
                }
                for library in libraries
            ]
        )
        return 0
    rows = (
        (library.name, f"{tracked[library.name]:,}", f"{library.entity_count:,}", rfc3339(library.created_at))
        for library in libraries
    )
    print_table(_COLUMNS, rows)
    return 0


async def _libraries(reader: Reader) -> tuple[tuple[Library, ...], Counter[str]]:
    tracked = Counter(record.library for record in await volumes_store.list_volumes(reader))
    return await catalog_store.list_libraries(reader), tracked


async def add(context: Context) -> int:
    """Make a library."""
    done = await context.order(AddLibrary(name=_name(context)))
    if context.as_json:
        print_json(done)
    else:
        print_line(f"library {done['name']} was made; `pulsetui --library {done['name']} volumes track` tracks in it")
    return 0


async def remove(context: Context) -> int:
    """Remove a library without entities."""
    done = await context.order(RemoveLibrary(name=_name(context)))
    if context.as_json:
        print_json(done)
        return 0
    gone = f"; not tracked any more: {', '.join(done['untracked'])}" if done["untracked"] else ""
    print_line(f"library {done['name']} was removed{gone}")
    return 0


def _name(context: Context) -> str:
    name: str = context.arguments.name
    if not name or len(name) > 200:
        raise UsageError("a library's name has 1 to 200 characters", hint="take another name")
    return name
