"""Volumes in the running owner: looked at by its service, ordered by name, shown to screens."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulsetui.core.assembly import open_core
from pulsetui.core.source import CoreSource
from pulsetui.errors import NotTrackedError, RefusedError
from tests.core.conftest import Configure
from tests.core.owner import owning
from tests.until import until
from tests.volumes.mounts import ext4_image, may_mount, mounted, tmpfs, unmount


@may_mount
async def test_a_volume_is_tracked_followed_and_kept_across_a_restart(watchful: Configure, tmp_path: Path) -> None:
    image, point = ext4_image(tmp_path / "image"), tmp_path / "point"
    with mounted(image, point):
        async with owning(watchful()) as owner:
            await until(lambda: owner.core.volumes.refreshed_at is not None)
            source = CoreSource(owner.core)
            before = await source.volumes()
            assert [one.state for one in before.volumes if point in one.mount_points] == ["untracked"]
            said = await source.order("volumes.track", {"fingerprint": str(point), "name": "Archive"})
            assert said == "Archive is tracked in library main"
            view = await source.volumes()
            assert view is not before
            assert (view.volumes[0].name, view.volumes[0].state) == ("Archive", "online")
            assert await source.order("volumes.rename", {"fingerprint": str(point), "name": "Films"}) == (
                "Archive is now called Films"
            )
        async with owning(watchful()) as owner:
            source = CoreSource(owner.core)
            assert (await source.volumes()).volumes[0].name == "Films"
            told = [event.data()["mount_point"] for event in owner.told if event.kind == "volume.added"]
            assert str(point) not in told
            # The service sees it go by itself, long before the next look is due.
            await until(lambda: owner.core.volumes._table._epoll is not None)
            unmount(point)
            await until(lambda: owner.core.volumes.view().volumes[0].state == "offline")
            await until(lambda: "volume.removed" in owner.said())


@may_mount
async def test_an_order_without_any_service_looks_by_itself(watchful: Configure, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "point") as point:
        async with owning(watchful(), run=False) as owner:
            source = CoreSource(owner.core)
            with pytest.raises(NotTrackedError):
                await source.order("volumes.untrack", {"fingerprint": str(point)})
            await source.order("volumes.track", {"fingerprint": str(point)})
            assert await source.order("volumes.untrack", {"fingerprint": str(point)}) == (
                f"{point} isn't tracked in library main any more; its files stay"
            )


async def test_the_view_stays_the_same_object_between_looks_and_a_look_is_a_change(
    watchful: Configure,
) -> None:
    async with owning(watchful(), run=False) as owner:
        source = CoreSource(owner.core)
        first = await source.volumes()
        assert await source.volumes() is first
        source._changed.clear()
        said = await source.order("volumes.refresh", {})
        assert said.endswith("of 0 tracked ones 0 are online")
        assert source._changed.is_set()
        assert await source.volumes() is not first
        assert await source.order("volumes.monitor", {"run": False}) == "volumes are looked at on order only"
        assert not (await source.volumes()).monitor.is_running


async def test_each_volume_knows_which_roots_are_on_it(watchful: Configure) -> None:
    async with owning(watchful(), run=False) as owner:
        view = await CoreSource(owner.core).volumes()
        roots = [name for one in view.volumes for name in one.roots]
        assert {"videos", "audio", "transcripts", "data"} <= set(roots)


@may_mount
async def test_media_in_memory_are_refused_unless_they_are_wanted(watchful: Configure, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "point") as point:
        unwilling = watchful(volumes__allow_memory=False, paths__storage_dir=str(point / "not" / "yet"))
        with pytest.raises(RefusedError, match="in memory") as refused:
            async with owning(unwilling, run=False):
                pass
        assert "volumes.allow_memory" in refused.value.hint
        assert list(point.iterdir()) == []
        async with open_core(unwilling, front_end="cli") as core:  # an order leaves the storage alone
            assert core.volumes.refreshed_at is None


@may_mount
async def test_media_in_memory_are_taken_where_they_are_wanted(watchful: Configure, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "point") as point:
        async with owning(watchful(paths__storage_dir=str(point)), run=False):
            assert (point / "videos").is_dir()
