"""An owner that is killed right when the disk of its videos is away, started without that disk and then with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults import outside
from tests.faults.episodes import BIG, FIRST, Site, served
from tests.faults.place import Owner, Place
from tests.volumes.mounts import ext4_image, may_mount, mounted, unmount

RATE_BYTES_PER_S = 1_500_000
SETTINGS = {
    "DISK_MANAGEMENT__FREE_SPACE_FLOOR": "200kB",
    "DOWNLOADS__MAX_ATTEMPTS": "1",
    "TRANSCRIPTION__MAX_ATTEMPTS": "1",
}
REFUSED = 6


@pytest.fixture
def slow_site(site: Site) -> Iterator[Site]:
    """The same files from a server so slow that something can happen meanwhile."""
    with served(site.folder, rate_bytes_per_s=RATE_BYTES_PER_S) as slow:
        yield slow


def kinds(place: Place) -> list[str]:
    return [event["kind"] for event in outside.live_events(place.data_dir)]


def queue(place: Place, owner: Owner, site: Site) -> None:
    place.settings = SETTINGS
    place.sources = {site.url(BIG): site.path(BIG), site.url(FIRST): site.path(FIRST)}
    owner.give("jobs.add", episodes=[{"source": url, "entity": "Radio/Studio"} for url in place.sources])


@may_mount
@pytest.mark.parametrize("notices", [True, False])
def test_a_kill_while_the_disk_is_away_loses_nothing_and_writes_nothing_in_its_place(
    place: Place, slow_site: Site, notices: bool
) -> None:
    image = ext4_image(place.root / "image", 48)
    place.settings = SETTINGS
    with mounted(image, place.storage_dir), place.owner() as owner:
        queue(place, owner, slow_site)
        owner.until(lambda: any(path.stat().st_size for path in place.videos.rglob("*.partial")), "bytes arrive")
        unmount(place.storage_dir)
        if notices:
            owner.until(lambda: "gate.closed" in kinds(place), "the gate closes")
        owner.kill()
    empty = place.storage_dir.stat()
    with place.owner() as owner:
        assert owner.code() == REFUSED
        assert "mount its disk" in owner.tail()
    now = place.storage_dir.stat()
    assert list(place.storage_dir.iterdir()) == []
    assert (now.st_mtime_ns, now.st_ino) == (empty.st_mtime_ns, empty.st_ino)
    with mounted(image, place.storage_dir):
        kept = {path.name: path.stat().st_size for path in place.videos.rglob("*.partial")}
        assert any(kept.values())
        with place.owner() as owner:
            owner.until_all_ended()
            assert owner.stop() == 0
        assert {job["attempts"] for job in outside.live_jobs(place.data_dir)} <= {0, 1}
        assert place.broken_promises() == []
        assert place.unfinished_business() == []
    assert list(place.storage_dir.iterdir()) == []
