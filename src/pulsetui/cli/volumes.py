"""`pulsetui volumes`: which file systems there are, how they do, and what can be ordered of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pulsetui.cli.context import Context
from pulsetui.cli.output import note, print_json, print_line, print_table
from pulsetui.cli.words import LIBRARY
from pulsetui.db.database import DATABASE_NAME
from pulsetui.errors import UsageError
from pulsetui.files.names import display_text
from pulsetui.units import format_percent, format_size

if TYPE_CHECKING:
    from pulsetui.actions.base import Action
    from pulsetui.volumes.views import VolumeView

MOST_LETTERS = 4096
LEAST_DIGITS = 8
"""How much of a fingerprint is shown at least; more where that doesn't tell two apart."""
_WHICH = "`pulsetui volumes` lists them with their fingerprints"
_COLUMNS = (
    ("volume", False),
    ("state", False),
    ("type", False),
    ("used", True),
    ("free", True),
    ("name", False),
    ("mounted at", False),
)


async def list_volumes(context: Context) -> int:
    """Print all volumes, as of a look that is made now."""
    found = await volumes_now(context)
    if context.as_json:
        print_json([row_of(volume) for volume in found])
        return 0
    digits = _digits(found)
    print_table(_COLUMNS, [_row(volume, digits) for volume in found])
    for line in _remarks(found):
        note(line)
    return 0


async def volumes_now(context: Context) -> tuple[VolumeView, ...]:
    """Return all volumes, as of a look that is made now."""
    from pulsetui.core.volumes_at_rest import volumes_at_rest

    library = context.arguments.library
    if library is None and not (context.has_folder() and (context.data_dir / DATABASE_NAME).exists()):
        return await volumes_at_rest(context.loaded, None)
    async with context.reading() as database:
        return await volumes_at_rest(context.loaded, database, library=library)


def row_of(volume: VolumeView) -> dict[str, Any]:
    """Return a volume as the JSON that scripts rely on: bytes, bytes a second, seconds."""
    speed = volume.speed
    return {
        "fingerprint": volume.fingerprint,
        "uuid": volume.uuid,
        "name": volume.name,
        "mount_point": None if volume.mount_point is None else str(volume.mount_point),
        "device": volume.device,
        "fs_type": volume.fs_type,
        "kind": volume.kind,
        "library": volume.library,
        "display_name": volume.display_name,
        "is_tracked": volume.is_tracked,
        "is_online": volume.is_online,
        "quarantine": volume.quarantine or None,
        "read_only": volume.is_read_only,
        "total_bytes": volume.total_bytes,
        "available_bytes": volume.available_bytes,
        "tracked_at": volume.tracked_at,
        "last_seen_at": volume.last_seen_at,
        "read_bps": None if speed is None else speed.read_bps,
        "write_bps": None if speed is None else speed.write_bps,
        "last_speed_test_at": None if speed is None else speed.tested_at,
        "speed_test_method": None if speed is None else speed.method,
        "speed_test_bytes": None if speed is None else speed.size_bytes,
        "speed_test_beside": None if speed is None else speed.beside,
        "state": volume.state,
        "trouble": volume.trouble or None,
        "identity": volume.identity,
        "mount_points": [str(point) for point in volume.mount_points],
        "last_mount_point": None if volume.last_mount_point is None else str(volume.last_mount_point),
        "removable": volume.is_removable,
        "network": volume.is_network,
        "total_inodes": volume.total_inodes,
        "free_inodes": volume.free_inodes,
        "growth_bytes_per_day": volume.growth_bytes_per_day,
        "full_in_s": volume.full_in_s,
        "roots": volume.roots,
        "warnings": volume.warnings,
    }


def _digits(found: Sequence[VolumeView]) -> int:
    """Return how many digits tell all fingerprints apart."""
    different = len({volume.fingerprint for volume in found})
    digits = LEAST_DIGITS
    while len({volume.fingerprint[:digits] for volume in found}) < different:
        digits += 1
    return digits


def _row(volume: VolumeView, digits: int) -> tuple[str, ...]:
    total, used, free = volume.total_bytes, volume.used_bytes, volume.available_bytes
    marks = [mark for mark, holds in (("net", volume.is_network), ("usb", volume.is_removable)) if holds]
    where = volume.mount_point or volume.last_mount_point
    shown = "" if where is None else str(where) if volume.mount_point else f"({where})"
    return (
        volume.fingerprint[:digits],
        volume.state,
        " ".join([volume.fs_type, *marks]) + (" ro" if volume.is_read_only else ""),
        format_percent(used / total) if used is not None and total else "",
        "" if free is None else format_size(free),
        volume.display_name or "",
        shown,
    )


def _remarks(found: Sequence[VolumeView]) -> Iterator[str]:
    """Yield what is wrong, and what one should know of those that are tracked."""
    for volume in found:
        name = display_text(volume.name)
        if volume.trouble:
            yield volume.trouble if volume.trouble.startswith(name) else f"{name}: {volume.trouble}"
        if volume.is_tracked:
            yield from (f"{name}: {warning}" for warning in volume.warnings)


async def track(context: Context) -> int:
    """Track a volume."""
    from pulsetui.volumes.actions import TrackVolume

    wanted = context.arguments
    return await _ordered(
        context, TrackVolume(fingerprint=_named(context), name=wanted.name, library=_library(context))
    )


async def untrack(context: Context) -> int:
    """Track a volume no more."""
    from pulsetui.volumes.actions import UntrackVolume

    return await _ordered(context, UntrackVolume(fingerprint=_named(context), library=_library(context)))


async def rename(context: Context) -> int:
    """Call a volume something else."""
    from pulsetui.volumes.actions import RenameVolume

    wanted = context.arguments
    return await _ordered(
        context, RenameVolume(fingerprint=_named(context), name=wanted.name, library=_library(context))
    )


async def accept(context: Context) -> int:
    """End a quarantine."""
    from pulsetui.volumes.actions import AcceptVolume

    wanted = context.arguments
    return await _ordered(
        context, AcceptVolume(fingerprint=_named(context), mount=wanted.mount, library=_library(context))
    )


async def refresh(context: Context) -> int:
    """Have all volumes looked at now."""
    from pulsetui.volumes.actions import RefreshVolumes

    return await _ordered(context, RefreshVolumes())


async def monitor(context: Context) -> int:
    """Start or stop looking at them by itself."""
    from pulsetui.volumes.actions import SetMonitor

    if await context.live() is None:
        raise UsageError("no owner runs, so nothing looks by itself", hint="`pulsetui --no-ui` or the screens do")
    return await _ordered(context, SetMonitor.model_validate({"run": context.arguments.what == "start"}))


async def speedtest(context: Context) -> int:
    """Test a volume's speed, or stop the test that runs."""
    from pulsetui.cli.speedtest import tested
    from pulsetui.volumes.speed_actions import MeasureVolume, StopSpeedTest

    wanted = context.arguments
    if wanted.stop == (wanted.fingerprint is not None) or (wanted.stop and wanted.size):
        raise UsageError("name the volume to test, or --stop the test that runs", hint=_WHICH)
    if wanted.stop:
        if await context.live() is None:
            _tell(context, StopSpeedTest(), {"stopped": False})
            return 0
        return await _ordered(context, StopSpeedTest())
    action = MeasureVolume(fingerprint=_named(context), size=wanted.size)
    done = await tested(context, action)
    _tell(context, action, done)
    if not context.as_json:
        if done["method"] == "cache-affected":
            note("the page cache could not be kept out, so reading may be slower than this")
        if done["beside"]:
            note(f"meanwhile ran: {done['beside']}")
    return 0


def _named(context: Context) -> str:
    word: str = context.arguments.fingerprint
    if not 0 < len(word) <= MOST_LETTERS:
        raise UsageError("that is neither a fingerprint nor a mount point", hint=_WHICH)
    return word


def _library(context: Context) -> str:
    return context.arguments.library or LIBRARY


async def _ordered(context: Context, action: Action) -> int:
    _tell(context, action, await context.order(action))
    return 0


def _tell(context: Context, action: Action, outcome: dict[str, Any]) -> None:
    from pulsetui.actions.base import parse_outcome
    from pulsetui.volumes.sentences import volume_sentence

    if context.as_json:
        print_json(outcome)
        return
    print_line(volume_sentence(parse_outcome(action, outcome)) or "done")
    for warning in outcome.get("warnings", ()):
        note(warning)
