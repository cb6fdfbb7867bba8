"""The volumes as of a look that is made just now, without the owner: for commands, whether one runs or not.

The invariant: looking changes nothing, neither in the database nor on a volume.
"""

from __future__ import annotations

from pulsetui.catalog import store as catalog_store
from pulsetui.clock import SystemClock
from pulsetui.db.database import Database, Reader
from pulsetui.settings.load import LoadedSettings
from pulsetui.storage.roots import roots_of
from pulsetui.volumes import overview, store
from pulsetui.volumes.changes import look
from pulsetui.volumes.detector import Detector
from pulsetui.volumes.overview import Past
from pulsetui.volumes.records import Record
from pulsetui.volumes.views import VolumeView
from pulsetui.waiting import in_thread


async def volumes_at_rest(
    loaded: LoadedSettings, database: Database | None, *, library: str | None = None
) -> tuple[VolumeView, ...]:
    """Return all volumes, as `VolumesView.volumes` has them; without a database, those that are mounted.

    With a `library`, only what that one tracks is called tracked.

    Raises:
        NotFoundError: there is no such library.
        PulseError: the database can't be read, or the mounts can't be looked at.
    """
    settings = loaded.settings
    records, past = await _kept(database, library)
    volumes = settings.volumes
    detector = Detector(
        ignored=volumes.ignored_types, probe_timeout_s=volumes.probe_timeout.total_seconds(), clock=SystemClock()
    )
    try:
        detected = await detector.detect()
    finally:
        await detector.close()
    found, _ = look(None, detected, records, past, now=SystemClock().now(), full_warning=volumes.full_warning)
    data_dir, storage_dir = await in_thread(
        lambda: (settings.paths.data_dir.resolve(), settings.paths.storage.resolve())
    )
    roots = roots_of(settings.storage, data_dir, storage_dir)
    return overview.view_of(found, past, [(root.name, root.path) for root in roots])


async def _kept(database: Database | None, library: str | None) -> tuple[tuple[Record, ...], Past]:
    """Return what is tracked, and how full it was."""
    if database is None:
        return (), {}

    async def read(reader: Reader) -> tuple[tuple[Record, ...], Past]:
        if library is not None:
            await catalog_store.get_library(reader, library)
        records = await store.list_volumes(reader)
        return tuple(one for one in records if library in (None, one.library)), await store.list_points(reader)

    return await database.read(read)
