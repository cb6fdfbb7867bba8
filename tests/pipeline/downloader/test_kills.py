"""The downloader in a process that is killed: what it leaves is gone on from."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import sys
from pathlib import Path

import pytest

from pulsetui.pipeline.downloader.contract import Head
from pulsetui.pipeline.downloader.partial import BATCH_BYTES, DURABLE_STEP_BYTES, trusted_bytes
from pulsetui.pipeline.downloader.transfer import Downloader
from tests.pipeline.downloader.conftest import MIB, Ledger, Place, media
from tests.pipeline.downloader.servers import Content, serving

BODY = media(4 * MIB + 321)

CHILD = """
import asyncio, sys
from pathlib import Path
from pulsetui import faults
from pulsetui.pipeline.downloader.transfer import Downloader, Request
from tests.pipeline.downloader.conftest import OPEN, Ledger, accept
from pulsetui.settings.models import Downloads

async def main(url, root, folder):
    downloader = Downloader(Downloads(**OPEN), check=accept)
    await downloader.fetch(Request("job", url, Path(folder), Path(root)), Ledger())

faults.arm_from_environment()
asyncio.run(main(*sys.argv[1:]))
"""


async def killed_at(point: str, url: str, place: Place) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, url, str(place.root), str(place.folder)),
        env={"PULSETUI_FAULTS": f"{point}=kill", "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert await child.wait() == -signal.SIGKILL, f"{point} was not reached"


@pytest.mark.parametrize(
    "point",
    [
        "download.socket",
        "download.request",
        "download.read@9",
        "files.created",
        "files.lock",
        "files.write@2",
        "files.written@3",
        "files.sync",
        "files.synced",
        "files.rename",
    ],
)
async def test_a_kill_leaves_what_the_next_fetch_goes_on_from(downloader: Downloader, place: Place, point: str) -> None:
    head = Head(len(BODY), 0, '"one"', None, "mp4", "")
    async with serving(Content(BODY)) as server:
        await killed_at(point, server.url(), place)
        assert place.names() in ([], ["job.partial"])
        kept = place.partial.read_bytes() if place.names() else b""
        ledger = Ledger()
        fetched = await downloader.fetch(place.request(server.url(), head), ledger)

    assert kept == BODY[: len(kept)]
    assert ledger.heads[0].have_bytes == len(kept)
    assert fetched.sha256 == hashlib.sha256(BODY).hexdigest()
    assert place.names() == ["job.mp4"]


async def test_a_kill_after_the_rename_leaves_the_whole_file(place: Place) -> None:
    async with serving(Content(BODY)) as server:
        await killed_at("files.renamed", server.url(), place)

    assert place.names() == ["job.mp4"]
    assert (place.folder / "job.mp4").read_bytes() == BODY


def test_what_was_written_since_the_machine_started_is_trusted_whole() -> None:
    assert trusted_bytes(12_345, written_before_start=False) == 12_345


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_after_a_power_loss_only_whole_synced_steps_are_trusted(steps: int) -> None:
    """A batch that crosses a step is synced before the next is written; it is never longer than two batches."""
    unsure = steps * DURABLE_STEP_BYTES + 2 * BATCH_BYTES
    assert trusted_bytes(unsure, written_before_start=True) == steps * DURABLE_STEP_BYTES
    assert trusted_bytes(unsure - 1, written_before_start=True) == max(0, steps - 1) * DURABLE_STEP_BYTES
