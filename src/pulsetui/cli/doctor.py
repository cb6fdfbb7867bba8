"""`pulsetui doctor`: checks the set-up and says what to do. Changes nothing."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pulsetui import resources
from pulsetui.actions.rights import rights_of
from pulsetui.catalog import store as catalog_store
from pulsetui.cli.context import Context
from pulsetui.cli.failures import explained
from pulsetui.cli.output import print_hanging, print_json
from pulsetui.cli.volumes import volumes_now
from pulsetui.clock import SystemClock, rfc3339
from pulsetui.core.disks import limits_on
from pulsetui.db.database import DATABASE_NAME, Reader
from pulsetui.db.identity import user_name
from pulsetui.db.place import modes_for
from pulsetui.errors import DatabaseError, PulseError
from pulsetui.events import store as events_store
from pulsetui.files.locks import is_network_file_system
from pulsetui.files.names import display_text
from pulsetui.pipeline.folders import VIDEOS
from pulsetui.pipeline.marker import Known, check_marker, known
from pulsetui.processes.runner import TaskSpec, run
from pulsetui.settings.models import Access
from pulsetui.storage.disks import disks, existing
from pulsetui.storage.refresh import store as storage_store
from pulsetui.storage.refresh.store import RefreshRow, State
from pulsetui.units import format_age, format_duration, format_size
from pulsetui.waiting import in_thread

Verdict = Literal["ok", "warning", "failed"]
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""No build of this program is older, so an earlier clock is wrong."""
_BACKWARDS = timedelta(minutes=1)
_LATE_S = 600.0
"""A refresh takes its time: sizes aren't called late before they are this old."""
_VOLUMES = "`pulsetui volumes` has all of them; docs/volumes.md says what a quarantine asks for"
_REFRESH = "`pulsetui storage refresh` reads them again; `pulsetui events --category storage` has what happened"
_MORE_WATCHES = "where a limit is reached, raise it (sysctl fs.inotify.max_user_watches); the schedule serves meanwhile"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    found: str
    hint: str = ""


async def doctor(context: Context) -> int:
    """Print what was found; exit 1 if something failed."""
    found = [await _guarded(name, check, context) for name, check in _ALWAYS.items()]
    if found[-1].verdict == "failed":
        found.append(Check("the rest", "warning", "not looked at: it depends on the settings", "mend them first"))
    else:
        found += [await _guarded(name, check, context) for name, check in _BY_SETTINGS.items()]
    if context.as_json:
        print_json([asdict(check) for check in found])
    else:
        for check in found:
            print_hanging(f"{check.verdict:<7}  {check.name:<14}  ", check.found)
            if check.hint:
                print_hanging(f"{'':<25}", check.hint)
    return 1 if any(check.verdict == "failed" for check in found) else 0


async def _guarded(name: str, check: Callable[[Context], Awaitable[Check]], context: Context) -> Check:
    try:
        return await check(context)
    except (PulseError, OSError) as error:
        ours = explained(error)
        return Check(name, "failed", str(ours), ours.hint)


async def _settings(context: Context) -> Check:
    """Say where the settings come from; wrong ones are an error."""
    origins = [origin for origin in context.loaded.origins.values() if origin != "default"]
    found = f"{len(origins)} set, by {', '.join(sorted(set(origins)))}" if origins else "all are defaults"
    return Check("settings", "ok", found)


async def _python(_context: Context) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("python", "ok" if fits else "failed", version, "" if fits else "use Python 3.11 to 3.13")


async def _files(_context: Context) -> Check:
    styles = sorted(resources.styles_dir().glob("*.tcss"))
    if not styles:
        return Check("files", "failed", f"no styles in {resources.styles_dir()}", "install pulsetui again")
    return Check("files", "ok", f"{len(styles)} style sheets, {resources.defaults_file().name}")


async def _data_folder(context: Context) -> Check:
    folder = context.data_dir
    check = await in_thread(_writable, "data folder", folder)
    if check.verdict == "failed":
        return check
    if is_network_file_system(existing(folder)):
        return Check(
            "data folder", "failed", f"{folder} is on a network file system", "put paths.data_dir on a local disk"
        )
    wanted = modes_for(context.loaded.settings.access.group).folder
    mode = stat.S_IMODE(folder.stat().st_mode) if folder.exists() else wanted
    if mode & ~wanted:
        said = f"{folder} has mode {mode:04o}, so others may look into it"
        return Check("data folder", "warning", said, f"the next start gives it {wanted:04o}")
    return check


async def _storage_folder(context: Context) -> Check:
    folder = context.loaded.settings.paths.storage.resolve()
    check = await in_thread(_writable, "storage folder", folder)
    if check.verdict != "failed" and (context.data_dir / DATABASE_NAME).exists():
        expected = await context.read(lambda reader: _known_storage(reader, folder / VIDEOS))
        await in_thread(check_marker, folder, expected)
    return check


async def _known_storage(reader: Reader, videos: Path) -> Known:
    return await known(reader, await catalog_store.library_uuid(reader) or "", videos)


def _writable(name: str, folder: Path) -> Check:
    there = existing(folder)
    if not there.is_dir():
        return Check(name, "failed", f"{there} is a file, not a folder", "name a folder in [paths]")
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        return Check(name, "failed", f"{there} is on a read-only file system", "mount it for writing")
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        return Check(name, "failed", f"this user may not write {there}", "give it the right, or set another folder")
    [disk] = disks((there,))
    state = "there" if there == folder else f"will be made below {there}"
    return Check(name, "ok", f"{folder}: {state}, {format_size(disk.free_bytes)} free")


async def _rights(context: Context) -> Check:
    """Say what this user may do, and which names in the settings nobody has."""
    access = context.loaded.settings.access
    folder = context.data_dir
    owner = folder.stat().st_uid if folder.exists() else os.geteuid()
    rights = await in_thread(rights_of, os.geteuid(), access, data_owner_uid=owner)
    found = f"{user_name(os.geteuid())} may {', '.join(sorted(rights))}; the folder is {user_name(owner)}'s"
    unknown = await in_thread(_unknown_names, access)
    if unknown:
        return Check("rights", "warning", f"{found}; [access] names nobody by {', '.join(unknown)}", "mend the names")
    return Check("rights", "ok", found)


def _unknown_names(access: Access) -> list[str]:
    return [name for name in (*access.admins, *access.operators) if not _known(name)]


def _known(name: str) -> bool:
    try:
        if name.startswith("@"):
            grp.getgrnam(name[1:])
        elif not name.isdecimal():
            pwd.getpwnam(name)
    except KeyError:
        return False
    return True


async def _limits(context: Context) -> Check:
    storage = context.loaded.settings.paths.storage.resolve()
    limits = await in_thread(limits_on, context.loaded, context.data_dir, storage)
    figures = (
        f"hard {format_size(limits.hard_bytes)}, pause {format_size(limits.pause_bytes)}, "
        f"resume {format_size(limits.resume_bytes)}, floor {format_size(limits.floor_bytes)}"
    )
    for disk in await in_thread(disks, (storage, context.data_dir)):
        said = f"{figures}; {format_size(disk.free_bytes)} free for {disk.path}"
        if disk.free_bytes < limits.floor_bytes:
            return Check("limits", "failed", said, "free space, or lower disk_management.free_space_floor")
        if disk.free_bytes - limits.floor_bytes < limits.resume_bytes // 10:
            return Check("limits", "warning", said, "the disk fills before the budget does: lower hard_limit")
    return Check("limits", "ok", figures)


async def _clock(context: Context) -> Check:
    now = SystemClock().now()
    newest = None
    with contextlib.suppress(PulseError):  # without a database that can be read, the clock has nothing to be held to
        newest = await context.read(_newest)
    if now < EARLIEST:
        return Check("clock", "failed", f"it says {rfc3339(now)}", "set it, or run NTP")
    if newest is not None and newest - now > _BACKWARDS:
        behind = format_duration((newest - now).total_seconds())
        return Check("clock", "warning", f"{rfc3339(now)}, {behind} before the newest event", "set it, or run NTP")
    return Check("clock", "ok", rfc3339(now))


async def _newest(reader: Reader) -> datetime | None:
    found = await events_store.list_events(reader, limit=1)
    return found[0].at if found else None


async def _database(context: Context) -> Check:
    path = context.data_dir / DATABASE_NAME
    if not path.exists():
        return Check("database", "ok", "none yet: the first start makes it")
    async with context.reading() as database:
        await database.quick_check()
    return Check("database", "ok", f"{path}: {format_size(path.stat().st_size)}, whole")


async def _owner(context: Context) -> Check:
    figures = await context.live()
    if figures is None:
        return Check("owner", "ok", "none: nothing runs")
    failing = [service["name"] for service in figures["services"] if not service["running"]]
    if failing:
        down = f"services down: {', '.join(failing)}"
        return Check("owner", "warning", down, "`pulsetui events --severity error` says why")
    return Check("owner", "ok", f"pid {figures['owner']['pid']}, all services run")


async def _volumes(context: Context) -> Check:
    """Say how the tracked volumes do, and on what the storage lies."""
    try:
        found = await volumes_now(context)
    except DatabaseError:
        return Check("volumes", "warning", "not known: the database can't be read", "mend the database first")
    tracked = [volume for volume in found if volume.is_tracked]
    home = next((volume for volume in found if "videos" in volume.roots), None)
    said = f"{len(found)} mounted or tracked, {len(tracked)} tracked"
    said += "" if home is None else f"; videos lie on {display_text(home.name)} ({home.fs_type}, {home.state})"
    bad = [volume for volume in tracked if not volume.is_online]
    if bad:
        troubles = "; ".join(f"{display_text(volume.name)} is {volume.state}: {volume.trouble}" for volume in bad)
        return Check("volumes", "warning", f"{said}; {troubles}", _VOLUMES)
    if home is not None and home.kind == "memory":
        return Check("volumes", "warning", f"{said}; what lies there is lost at a reboot", "use a disk for storage")
    full_s = context.loaded.settings.volumes.full_warning.total_seconds()
    filling = [volume for volume in tracked if volume.full_in_s is not None and volume.full_in_s < full_s]
    if filling:
        soon = ", ".join(f"{display_text(one.name)} in {format_duration(one.full_in_s or 0)}" for one in filling)
        return Check("volumes", "warning", f"{said}; full at this rate: {soon}", "make room, or lower hard_limit")
    return Check("volumes", "ok", said)


async def _sizes(context: Context) -> Check:
    """Say how old the sizes are, and why they are not younger."""
    storage = context.loaded.settings.storage
    if not (context.data_dir / DATABASE_NAME).exists():
        return Check("sizes", "ok", "none yet: the first start reads them")
    try:
        newest, state = await context.read(_refreshes)
    except PulseError:
        return Check("sizes", "warning", "not known: the database can't be read", "mend the database first")
    age_s = None if newest is None else (SystemClock().now() - newest.at).total_seconds()
    found = "none yet" if age_s is None else f"read {format_age(age_s)} ago"
    if newest is not None and newest.errors:
        found += f", {newest.errors:,} folders could not be read"
    if state.failure:
        return Check("sizes", "warning", f"{found}; the newest refresh failed: {state.failure}", _REFRESH)
    if not storage.refresh_interval:
        return Check("sizes", "ok", f"{found}; storage.refresh_interval is 0, so they are read on order only")
    late_s = 2 * storage.refresh_interval.total_seconds()
    if await context.live() is not None and (age_s is None or age_s > max(late_s, _LATE_S)):
        return Check("sizes", "warning", f"{found}, though an owner runs", _REFRESH)
    return Check("sizes", "ok", found)


async def _refreshes(reader: Reader) -> tuple[RefreshRow | None, State]:
    return await storage_store.newest_refresh(reader), await storage_store.state(reader)


async def _watches(context: Context) -> Check:
    """Say whether the kernel reports changes; where it doesn't, the schedule serves, so that is no failure."""
    storage = context.loaded.settings.storage
    every = format_duration(storage.refresh_interval.total_seconds()) if storage.refresh_interval else ""
    schedule = f"sizes follow every {every}" if every else "sizes follow on order only"
    if not storage.watches:
        return Check("watches", "ok", f"storage.watches is off: {schedule}")
    figures = await context.live()
    if figures is None:
        return Check("watches", "ok", "no owner runs, so nothing is watched")
    sizes = figures["storage"]
    watched = f"{sizes['watching']:,} folders are watched"
    if not sizes["why_not_watched"]:
        return Check("watches", "ok", watched)
    return Check("watches", "warning", f"{watched}, not all: {sizes['why_not_watched']}; {schedule}", _MORE_WATCHES)


async def _engine(context: Context) -> Check:
    name = context.loaded.settings.transcription.engine
    found = await run(TaskSpec("pulsetui.pipeline.tasks:check_engine", {"engine": name}), lambda _: None)
    return Check("engine", "ok", f"{name}, model {found['model']}, language {found['language']}")


_ALWAYS: dict[str, Callable[[Context], Awaitable[Check]]] = {"python": _python, "files": _files, "settings": _settings}
_BY_SETTINGS: dict[str, Callable[[Context], Awaitable[Check]]] = {
    "data folder": _data_folder,
    "storage folder": _storage_folder,
    "rights": _rights,
    "limits": _limits,
    "clock": _clock,
    "database": _database,
    "owner": _owner,
    "volumes": _volumes,
    "sizes": _sizes,
    "watches": _watches,
    "engine": _engine,
}
