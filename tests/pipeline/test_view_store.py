"""What the screens read beside the job table."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from pulsetui.db.database import Reader
from pulsetui.errors import FailureClass
from pulsetui.pipeline import states, view_store
from pulsetui.pipeline.deletion import Sweeper
from pulsetui.pipeline.transcriber.acceptance import Verdict
from pulsetui.pipeline.view_store import receipt_rows
from tests.pipeline.house import House
from tests.pipeline.test_states import TRANSCRIBED
from tests.pipeline.test_store import Recording

VERDICT = Verdict(
    accepted=False,
    has_speech=True,
    reasons=("63 % of the speech has text, less than 70 %",),
    coverage=0.63,
    speech_s=120.0,
    largest_gap_s=41.5,
    gap_at_s=60.0,
    end_distance_s=3.0,
    compression_ratio=1.25,
    repeats_at_s=None,
)


async def test_what_waits_to_be_transcribed_comes_before_what_waits_to_be_downloaded(house: House) -> None:
    later = await house.queue()
    urgent = await house.queue(priority=5)
    downloaded = await house.downloaded()
    await house.downloading()
    await house.step(await house.downloading(), states.AttemptFailed(FailureClass.TRANSIENT, "it broke", 1.0))
    views = await house.database.read(lambda reader: view_store.queued(reader, limit=10))
    assert [(view.job_id, view.position, view.stage) for view in views] == [
        (downloaded.id, 1, "downloaded"),
        (urgent.id, 2, "queued"),
        (later.id, 3, "queued"),
    ]
    short = await house.database.read(lambda reader: view_store.queued(reader, limit=2))
    assert short == views[:2]


async def test_what_ended_lately_is_told_the_latest_first_with_what_it_freed(house: House) -> None:
    done = await house.transcribed(size=100_000)
    assert await Sweeper(house.outcomes, interval_s=0).sweep()
    dead = await house.step(
        await house.downloading(entity="Harbor"), states.AttemptFailed(FailureClass.PERMANENT, "404 not found", 0.0)
    )
    await house.queue()
    views = await house.database.read(lambda reader: view_store.ended(reader, limit=10))
    assert [(view.job_id, view.stage, view.freed_bytes, view.error) for view in views] == [
        (dead.id, "dead", 0, "404 not found"),
        (done.id, "transcribed", 150_000, ""),
    ]
    assert views[0].name == "Harbor / An episode"
    assert views[0].ended_at == dead.stage_since
    assert len(await house.database.read(lambda reader: view_store.ended(reader, limit=1))) == 1


async def test_throughput_is_that_of_the_window(house: House) -> None:
    assert (await house.database.read(lambda r: view_store.throughput(r, now=house.clock.now()))).transcriptions == 0
    await house.transcribed(size=100_000)
    house.clock.advance(7200)
    await house.transcribed(size=200_000)
    await house.transcribed(size=300_000)
    assert await Sweeper(house.outcomes, interval_s=0).sweep()
    now = house.clock.now() + timedelta(minutes=1)
    found = await house.database.read(lambda reader: view_store.throughput(reader, now=now))
    assert (found.transcriptions, found.freed_bytes) == (2, 600_000)
    assert (found.audio_s, found.work_s, found.window_s) == (20.0, 6.0, 3600.0)


async def test_the_window_begins_with_the_first_job_where_there_is_less_to_look_back_on(house: House) -> None:
    await house.transcribed()
    now = house.clock.now() + timedelta(minutes=10)
    found = await house.database.read(lambda reader: view_store.throughput(reader, now=now))
    assert found.window_s == 600.0


def test_the_receipt_is_shown_as_figures() -> None:
    job = replace(TRANSCRIBED, receipt=json.dumps(asdict(VERDICT)))
    assert receipt_rows(job) == (
        ("accepted", "no"),
        ("speech", "120.0 s, 63% covered by text"),
        ("longest gap", "41.5 s of speech without text"),
        ("end", "text ends 3.0 s before the last speech"),
        ("repetition", "compresses 1.25 times"),
        ("reason", "63 % of the speech has text, less than 70 %"),
    )


def test_media_without_speech_says_so() -> None:
    silent = replace(VERDICT, accepted=True, has_speech=False, reasons=())
    job = replace(TRANSCRIBED, receipt=json.dumps(asdict(silent)))
    assert receipt_rows(job) == (("accepted", "yes"), ("speech", "none found"))
    assert receipt_rows(replace(TRANSCRIBED, receipt=None)) == ()


@pytest.mark.parametrize(
    "asked",
    [
        lambda reader: view_store.queued(reader, limit=20),
        lambda reader: view_store.ended(reader, limit=10),
    ],
    ids=["queued", "ended"],
)
async def test_no_list_reads_the_whole_table(house: House, asked: Callable[[Reader], Awaitable[object]]) -> None:
    async def explained(reader: Reader) -> list[str]:
        recording = Recording(reader)
        await asked(recording)
        return await recording.plans()

    plans = await house.database.read(explained)
    assert plans
    assert not [each for each in plans if "SCAN jobs" in each and "INDEX" not in each], plans
