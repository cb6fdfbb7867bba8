"""The disk budget as another process sees it, while the owner is killed again and again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults import outside
from tests.faults.episodes import BIG, Site, served
from tests.faults.place import Place

HARD_LIMIT_BYTES = 15_000_000
EPISODES = 5
WATCH = "import sys; from tests.faults.outside import watch; watch(sys.argv[1:])"
RATE_BYTES_PER_S = 6_000_000

KILLS = [
    "files.written@7=kill",
    "download.read@12=kill",
    "processes.send@1=kill",
    "files.renamed@2=kill",
    "db.commit@25=kill",
    "files.unlinked@4=kill",
]


@contextmanager
def watched(*folders: Path) -> Iterator[list[int]]:
    """Have another process walk the folders over and over; after the block, the list holds the most that it saw."""
    seen: list[int] = []
    with subprocess.Popen(
        [sys.executable, "-c", WATCH, *map(str, folders)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as watcher:
        try:
            yield seen
            out, _ = watcher.communicate(timeout=10)  # the end of its input is its sign
            seen += [int(word) for word in out.split()]
        finally:
            watcher.kill()


@pytest.fixture
def slow_site(site: Site) -> Iterator[Site]:
    """The same files from a server that takes its time, so that downloads run beside each other."""
    with served(site.folder, rate_bytes_per_s=RATE_BYTES_PER_S) as slow:
        yield slow


def test_the_hard_limit_holds_over_kills(place: Place, slow_site: Site) -> None:
    """Five episodes that don't fit together: the gate closes, and each start finds the files of a killed one."""
    settings = {
        "DISK_MANAGEMENT__HARD_LIMIT": f"{HARD_LIMIT_BYTES}",
        "DISK_MANAGEMENT__PAUSE_THRESHOLD": "11MB",
        "DISK_MANAGEMENT__RESUME_THRESHOLD": "8MB",
    }
    place.settings = settings
    urls = [slow_site.url(BIG, variant=f"episode={number}") for number in range(EPISODES)]
    place.sources = {url: slow_site.path(BIG) for url in urls}
    with watched(place.data_dir, place.storage_dir) as peaks:
        for plan in (*KILLS, ""):
            with place.owner(plan) as owner:
                owner.give("jobs.add", episodes=[{"source": url, "entity": "Radio/Studio"} for url in urls])
                if plan:
                    assert owner.code() == -signal.SIGKILL, f"{plan}: {owner.tail()}"
                    assert place.broken_promises() == []
                else:
                    owner.until_all_ended()
                    assert owner.stop() == 0
    peak_bytes, walks = peaks
    left = outside.read(place.data_dir)
    assert left is not None
    assert place.unfinished_business() == []
    assert peak_bytes <= HARD_LIMIT_BYTES
    # Or it proves nothing: it came close, the gate did close, and somebody looked.
    assert peak_bytes > 2 * 4_200_000
    assert "gate.closed" in [event["kind"] for event in left.events]
    assert walks > 100
