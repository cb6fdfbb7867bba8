"""What speed tests have to know of the rest: room in the budget, what else runs, where pulsetui writes on a volume.

The invariant: while a test runs on a disk of ours, what it may write counts as still to come, so bytes on disk and
bytes to come stay below the hard limit, and downloads leave the floor free beside it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pulsetui.budget.ledger import NOTHING, Parts, padded
from pulsetui.budget.service import Budget
from pulsetui.errors import RefusedError
from pulsetui.pipeline.live import Live
from pulsetui.storage.refresh.refresher import Refresher
from pulsetui.units import format_size
from pulsetui.volumes.records import Detected
from pulsetui.volumes.speedtest import Surroundings
from pulsetui.waiting import in_thread

_NO_JOB = -1
"""By what the ledger knows the room of a speed test; jobs count from 1."""


def surroundings_of(
    budget: Budget, live: Live, refresher: Refresher, roots: Sequence[tuple[str, Path]]
) -> Surroundings:
    """Return what speed tests have to know; `roots` are names and folders of the storage roots."""

    @asynccontextmanager
    async def hold(path: Path, size_bytes: int) -> AsyncIterator[None]:
        parts = await in_thread(_parts, budget, path, padded(size_bytes))
        if parts is None:
            yield
            return
        await _grant(budget, parts)
        try:
            yield
        finally:
            budget.ledger.release(_NO_JOB)
            for changed in budget.on_change:  # downloads that wait for room
                changed()

    def running() -> Mapping[str, int]:
        counts = {kind: sum(1 for _ in live.of_kind(kind)) for kind in ("download", "transcription")}
        return {**counts, "storage refresh": int(refresher.progress is not None)}

    def folders(found: Detected) -> Sequence[Path]:
        points = set(found.mount_points)
        return [folder for _, folder in roots if points & {folder, *folder.parents}]

    return Surroundings(hold=hold, running=running, folders=folders)


def _parts(budget: Budget, path: Path, size_bytes: int) -> Parts | None:
    """Return the test's room as the ledger counts it: on the disk of the videos or of the rest; None: on neither."""
    device = path.stat().st_dev
    if budget.usage.storage_dir.exists() and budget.usage.storage_dir.stat().st_dev == device:
        return Parts(video=size_bytes)
    if budget.usage.data_dir.stat().st_dev == device:
        return Parts(audio=size_bytes)
    return None


async def _grant(budget: Budget, parts: Parts) -> None:
    """Hold the room.

    Raises:
        RefusedError: it would pass the hard limit or the floor, or usage isn't known.
    """
    if budget.usage.trouble:  # without a running owner, nobody has walked yet
        await budget.reconcile()
    usage_bytes = budget.usage.total_bytes()
    if budget.usage.trouble:
        raise RefusedError(
            f"how much pulsetui uses isn't known: {budget.usage.trouble}", hint="`pulsetui doctor` says what to do"
        )
    if budget.ledger.grant(_NO_JOB, parts, NOTHING, usage_bytes=usage_bytes, free=budget.free, limits=budget.limits):
        return
    limits, committed = budget.limits, usage_bytes + budget.ledger.outstanding_bytes()
    raise RefusedError(
        f"a speed test of {format_size(parts.total())} would pass the limit or the floor: {format_size(committed)} of "
        f"{format_size(limits.hard_bytes)} are committed, and {format_size(max(0, budget.disk_room_bytes()))} are left "
        f"above the floor of {format_size(limits.floor_bytes)}",
        hint="test with less (--size), or wait until there is room: `pulsetui status`",
    )
