"""The Volumes screen over a real core and a real disk, by keys alone."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from pulsetui.core.source import CoreSource
from pulsetui.tui.app import PulseApp
from pulsetui.tui.widgets.volume_table import VolumeTable
from tests.core.conftest import Configure, configure, watchful  # noqa: F401 - fixtures
from tests.core.owner import owning
from tests.tui.looking import press, seen, until
from tests.volumes.mounts import ext4_image, may_mount, mounted


@may_mount
async def test_a_disk_is_tracked_renamed_goes_away_comes_back_and_is_untracked_by_keys(
    watchful: Configure,  # noqa: F811
    tmp_path: Path,
) -> None:
    image, point = ext4_image(tmp_path / "films.img"), tmp_path / "films"
    async with owning(watchful()) as owner:
        app = PulseApp(CoreSource(owner.core), zone=UTC, reduced_motion=True)
        async with app.run_test(size=(200, 50), notifications=True) as pilot:
            await press(pilot, "4")
            await seen(pilot, "none is tracked yet")
            with mounted(image, point):
                await until(pilot, lambda: point in _mounted(app))
                await press(pilot, "g")
                while (now := _under_cursor(app)) != str(point):
                    await press(pilot, "j")
                    assert _under_cursor(app) != now, "the last row, and not the disk"
                await press(pilot, "t")
                await seen(pilot, "Track this volume?")
                await press(pilot, *"Films", "enter")
                await seen(pilot, "✓ online        Films")
                assert (point / ".pulsetui-volume").is_file()
                await press(pilot, "n")
                await seen(pilot, "Rename this volume")
                await press(pilot, *"Films2", "enter")
                await seen(pilot, "✓ online        Films2")
            await seen(pilot, "⊘ offline       Films2")
            with mounted(image, point):
                await seen(pilot, "✓ online        Films2")
                await press(pilot, "u")
                await seen(pilot, "Untrack this volume?")
                await press(pilot, "right", "enter")
                await seen(pilot, "none is tracked yet")
                assert (point / ".pulsetui-volume").is_file()


def _under_cursor(app: PulseApp) -> str:
    selected = app.screen.query_one(VolumeTable).selected
    return str(selected.mount_point) if selected is not None else ""


def _mounted(app: PulseApp) -> list[Path | None]:
    view = app.screen.query_one(VolumeTable).view
    return [volume.mount_point for volume in view.volumes] if view is not None else []
