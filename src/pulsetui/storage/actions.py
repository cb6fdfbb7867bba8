"""What can be ordered of storage: a refresh."""

from __future__ import annotations

from pulsetui.actions.base import Action, ActionContext, Outcome, Right
from pulsetui.storage.refresh.refresher import Refresher


class SizesRefreshed(Outcome):
    """What a refresh found, and what it took."""

    levels: dict[str, int]
    """Entities by level, from the top level down."""
    folders: int
    reused_folders: int
    """Folders that were kept as known, without a listing."""
    files: int
    bytes: int
    """Apparent bytes of all files, trash aside."""
    allocated_bytes: int
    errors: int
    """Folders and roots that could not be read."""
    seconds: float


class RefreshStorage(Action, verb="storage.refresh", right=Right.ADMIN):
    """Bring the sizes up to date."""

    full: bool = False
    """List every folder, also those that seem unchanged."""

    async def run(self, context: ActionContext) -> SizesRefreshed:
        """Refresh; what was written before the order is in it."""
        refresher: Refresher = context.services["storage"]
        done = await refresher.refresh(full=self.full)
        return SizesRefreshed(
            levels=dict(done.levels),
            folders=done.folders,
            reused_folders=done.reused_folders,
            files=done.file_count,
            bytes=done.total_bytes,
            allocated_bytes=done.allocated_bytes,
            errors=done.errors,
            seconds=done.seconds,
        )
