"""`pulsetui storage treemap` and `export`: trees of sizes as a picture, as nested JSON, as an ncdu export.

For a folder or an ncdu export neither a database nor a data folder is needed.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Sequence

from pulsetui.cli import tree_sources
from pulsetui.cli.blocking import told_while
from pulsetui.cli.context import Context, absolute
from pulsetui.cli.output import note, print_bytes, print_json, print_line
from pulsetui.cli.tree_sources import Detail, Found
from pulsetui.cli.words import WINDOWS
from pulsetui.clock import SystemClock
from pulsetui.errors import RefusedError, UsageError
from pulsetui.files.durable import write_durable
from pulsetui.files.folders import Folder
from pulsetui.storage.ncdu.walk import Exported, folder_chunks
from pulsetui.storage.ncdu.writer import tree_chunks
from pulsetui.units import format_age, format_size
from pulsetui.waiting import in_thread

ERRORS_SHOWN = 20
"""How many of the folders that could not be read are named."""


async def treemap(context: Context) -> int:
    """Print where the bytes are."""
    # A tree is many objects, and all of them stay until this process ends, which is soon: to look for cycles among
    # them, again and again while they grow in number, took half of the time.
    gc.disable()
    found = await _found(context)
    if context.as_json:
        from pulsetui.cli.nested import print_nested

        print_nested(found.tree, {"snapshot_at": found.at})
    else:
        _draw(context, found)
    _tell_errors(found.errors, found.error_count)
    return 0


async def _found(context: Context) -> Found:
    wanted = context.arguments
    detail = _detail(context)
    if wanted.path is not None:
        path = await in_thread(tree_sources.existing_folder, wanted.path)
        return await tree_sources.of_folder(context, path, detail)
    if wanted.import_file is not None:
        return await tree_sources.of_export(context, wanted.import_file, detail)
    return await tree_sources.of_entities(context, detail)


def _detail(context: Context) -> Detail:
    wanted = context.arguments
    growth_s = WINDOWS[wanted.over] if wanted.by == "growth" or context.as_json else None
    if context.as_json:
        return Detail(wanted.depth, growth_s=growth_s)
    from pulsetui.cli.picture import GROUP_CELLS, LEVELS, picture_size

    columns, rows = picture_size(wanted.size)
    width, height = GROUP_CELLS[0]
    levels = LEVELS if wanted.depth is None else wanted.depth
    return Detail.of_picture(levels, width * height / (columns * rows), growth_s)


def _draw(context: Context, found: Found) -> None:
    from pulsetui.cli.picture import LEVELS, Wanted, picture_size, print_picture

    wanted = context.arguments
    now = SystemClock().now()
    levels = LEVELS if wanted.depth is None else wanted.depth
    age = f"read {format_age((now - found.at).total_seconds())} ago" if found.at is not None else ""
    print_picture(
        found.tree,
        Wanted(picture_size(wanted.size), levels, wanted.by, wanted.apparent, now),
        remark="" if wanted.path is not None else age,
    )


async def export(context: Context) -> int:
    """Write sizes as an ncdu export."""
    wanted = context.arguments
    if wanted.file == "-" and context.as_json:
        raise UsageError(
            "--json says what was written, and - writes to the same place", hint="leave one of the two out"
        )
    done = Exported()
    now = SystemClock().now()
    if wanted.path is not None:
        path = await in_thread(tree_sources.existing_folder, wanted.path)
        await told_while(
            lambda: _amount(done),
            lambda stopped: _write(wanted.file, folder_chunks(path, now, done, cancelled=stopped)),
        )
    else:
        found = await tree_sources.of_entities(context, Detail(None))
        done.count(found.tree)
        await in_thread(_write, wanted.file, tree_chunks(found.tree, found.at or now))
    _tell_export(context, done)
    return 0


def _write(name: str, chunks: Iterable[bytes]) -> None:
    """Write pieces into a new file, whole or not at all, or to standard output. Blocks.

    Raises:
        RefusedError: the file is there already.
    """
    if name == "-":
        print_bytes(chunks)
        return
    target = absolute(name)
    with Folder.open(target.parent.resolve()) as folder:
        try:
            write_durable(folder, target.name, chunks, mode=0o666)
        except FileExistsError as error:
            raise RefusedError(
                f"{target} is there already", hint="name a new file, or write to standard output: -"
            ) from error


def _tell_export(context: Context, done: Exported) -> None:
    file = context.arguments.file
    if context.as_json:
        print_json(
            {
                "file": str(absolute(file)),
                "files": done.files,
                "folders": done.folders,
                "bytes": done.total_bytes,
                "errors": len(done.unreadable),
            }
        )
    elif file != "-":
        print_line(f"wrote {file}: {_amount(done)}; `ncdu -f` opens it")
    _tell_errors(done.unreadable, len(done.unreadable))


def _amount(done: Exported) -> str:
    return f"{done.files:,} files in {done.folders:,} folders, {format_size(done.total_bytes)}"


def _tell_errors(errors: Sequence[tuple[bytes, str]], count: int) -> None:
    """Name what could not be read, on standard error."""
    for path, why in errors[:ERRORS_SHOWN]:
        note(f"could not read {os.fsdecode(path) or 'the folder itself'}: {why}")
    if count > ERRORS_SHOWN:
        note(f"… and {count - ERRORS_SHOWN:,} more that could not be read")
