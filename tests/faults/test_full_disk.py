"""Disks that really are full: small file systems, filled by somebody else while pulsetui works on them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults import outside
from tests.faults.episodes import BIG, FIRST, Site, served
from tests.faults.place import Place

MB = 1_000_000
RATE_BYTES_PER_S = 1_500_000
SETTINGS = {
    "DISK_MANAGEMENT__FREE_SPACE_FLOOR": "200kB",
    "DOWNLOADS__MAX_ATTEMPTS": "1",
    "TRANSCRIPTION__MAX_ATTEMPTS": "1",
}
only_root_mounts = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a file system of this size."""
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=0700", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Have another process write a file until not one more byte fits; return the file."""
    filling = folder / "filling"
    subprocess.run(["dd", "if=/dev/zero", f"of={filling}", "bs=4k", "status=none"], check=False, capture_output=True)
    found = os.statvfs(folder)
    assert found.f_bavail == 0
    return filling


@pytest.fixture
def slow_site(site: Site) -> Iterator[Site]:
    """The same files from a server so slow that something can happen meanwhile."""
    with served(site.folder, rate_bytes_per_s=RATE_BYTES_PER_S) as slow:
        yield slow


def kinds(place: Place) -> list[str]:
    return [event["kind"] for event in outside.live_events(place.data_dir)]


@only_root_mounts
def test_a_storage_disk_that_somebody_fills_closes_the_gate_until_there_is_room(place: Place, slow_site: Site) -> None:
    place.settings = SETTINGS
    url = slow_site.url(BIG)
    place.sources = {url: slow_site.path(BIG)}
    with small_disk(place.storage_dir, 12 * MB), place.owner() as owner:
        owner.give("jobs.add", episodes=[{"source": url, "entity": "Radio/Studio"}])
        owner.until(lambda: any(path.stat().st_size for path in place.videos.rglob("*.partial")), "bytes arrive")
        filling = fill(place.storage_dir)
        owner.until(lambda: "disk.full" in kinds(place), "the full disk is noticed")
        live = owner.live()
        assert live is not None
        assert not live["gate"]["open"]
        assert not live["can_download"]
        filling.unlink()
        owner.until_all_ended()
        assert "gate.opened" in kinds(place)
        assert owner.stop() == 0
        assert place.unfinished_business() == []


@only_root_mounts
def test_a_data_disk_that_somebody_fills_loses_nothing(place: Place, slow_site: Site) -> None:
    """The database can't commit: the ballast goes, the gate closes, and all goes on where it was."""
    place.settings = SETTINGS
    urls = [slow_site.url(BIG), slow_site.url(FIRST)]
    place.sources = {urls[0]: slow_site.path(BIG), urls[1]: slow_site.path(FIRST)}
    with small_disk(place.data_dir, 24 * MB), place.owner() as owner:
        owner.give("jobs.add", episodes=[{"source": url, "entity": "Radio/Studio"} for url in urls])
        owner.until(lambda: any(path.stat().st_size for path in place.videos.rglob("*.partial")), "bytes arrive")
        filling = fill(place.data_dir)
        owner.until(lambda: not (place.data_dir / "pulse.db.ballast").exists(), "the ballast is given up")
        fill(place.data_dir)
        owner.until(lambda: "gate.closed" in kinds(place), "the gate closes")
        filling.unlink()
        owner.until_all_ended()
        assert owner.stop() == 0
        assert place.unfinished_business() == []
