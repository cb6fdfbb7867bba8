"""The queue in SQLite: order, fences, and what a claim costs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulsetui.db.database import Reader, Transaction
from pulsetui.errors import FailureClass, LeaseLostError, NotFoundError
from pulsetui.pipeline import states, store, view_store
from pulsetui.pipeline.jobs import Job, Stage
from tests.pipeline.house import House


async def head(house: House, stage: Stage = Stage.QUEUED, *, limit: int = 10) -> list[int]:
    jobs = await house.database.write(lambda tx: store.head(tx, stage, now=house.clock.now(), limit=limit))
    return [job.id for job in jobs]


async def test_a_job_comes_back_as_it_was_written(house: House) -> None:
    job = await house.transcribed(entity="Harbor/Cast")
    assert await house.get(job) == job
    assert job.entity == "Harbor/Cast"
    assert job.entity_folders == ("Harbor", "Cast")
    assert job.video is not None
    assert job.video.delete_pending


async def test_an_unknown_job_is_not_found(house: House) -> None:
    with pytest.raises(NotFoundError, match="no job 7"):
        await house.database.read(lambda reader: store.get(reader, 7))


async def test_the_older_of_equals_is_claimed_first(house: House) -> None:
    first, second = await house.queue(), await house.queue()
    assert await head(house) == [first.id, second.id]


async def test_priority_goes_before_age_and_age_in_the_end_before_priority(house: House) -> None:
    old = await house.queue()
    urgent = await house.queue(priority=2)
    house.clock.advance(2 * 3600)
    urgent_but_late = await house.queue(priority=2)
    assert await head(house) == [urgent.id, old.id, urgent_but_late.id]


async def test_only_ready_jobs_of_the_stage_are_at_the_head(house: House) -> None:
    queued = await house.queue()
    downloaded = await house.downloaded()
    await house.downloading()
    await house.step(await house.queue(), states.Cancelled())
    assert await head(house) == [queued.id]
    assert await head(house, Stage.DOWNLOADED) == [downloaded.id]


async def test_a_job_that_backs_off_is_ready_when_its_time_has_come(house: House) -> None:
    job = await house.step(await house.downloading(), states.AttemptFailed(FailureClass.TRANSIENT, "it broke", 1.0))
    assert job.next_attempt_at == house.clock.now() + timedelta(seconds=5)
    wake = await house.database.read(store.next_wake)
    assert wake == job.next_attempt_at
    assert await head(house) == []
    house.clock.advance(5)
    assert await head(house) == [job.id]
    assert await house.database.read(store.next_wake) is None


async def test_the_head_is_as_long_as_it_was_asked_for(house: House) -> None:
    jobs = [await house.queue() for _ in range(4)]
    assert await head(house, limit=2) == [job.id for job in jobs[:2]]


async def test_an_open_job_of_the_same_source_is_found_and_an_ended_one_is_not(house: House) -> None:
    job = await house.queue(source="https://host.example/a.mp4")

    async def found() -> int | None:
        return await house.database.read(lambda reader: store.find_open_by_source(reader, job.source_url))

    assert await found() == job.id
    await house.step(job, states.Cancelled())
    assert await found() is None


async def test_stages_are_counted_as_jobs_move(house: House) -> None:
    await house.queue()
    await house.downloaded()
    counts = await house.database.read(store.stage_counts)
    assert {stage: count for stage, count in counts.items() if count} == {"queued": 1, "downloaded": 1}
    assert set(counts) == set(Stage)


async def test_sizes_are_those_of_the_same_source_the_latest_first(house: House) -> None:
    for size in (1_000, 2_000, 3_000):
        await house.downloaded(size=size)
    sizes = await house.database.read(lambda reader: store.sizes_of_source(reader, "host.example", 2))
    assert sizes == [3_000, 2_000]
    assert await house.database.read(lambda reader: store.sizes_of_source(reader, "other.example", 2)) == []


# Fences: a worker that lost its lease changes nothing, whichever write comes next.


async def by_cancelling(house: House, job: Job) -> None:
    await house.step(await house.get(job), states.Cancelled())


async def by_its_owner_s_end(house: House, job: Job) -> None:
    await house.step(await house.get(job), states.OwnerEnded())


async def by_another_s_claim(house: House, job: Job) -> None:
    """The same stage again, under another lease: only the token tells."""
    back = await house.step(await house.get(job), states.OwnerEnded())
    await house.claimed(back, worker="w-2")


LOSSES = [by_cancelling, by_its_owner_s_end, by_another_s_claim]


@pytest.mark.parametrize("lose", LOSSES)
async def test_a_lost_lease_stores_no_progress_and_no_heartbeat(house: House, lose: Any) -> None:
    job = await house.downloading()
    assert job.lease is not None
    token = job.lease.token
    await lose(house, job)
    before = await house.row(job)
    figures = {token: (job.id, 77.0, 100.0)}
    until = house.clock.now() + timedelta(hours=1)

    lost = await house.database.write(lambda tx: store.heartbeat(tx, house.clock.now(), until, figures))
    await house.database.write(lambda tx: store.record_progress(tx, figures))

    assert lost == {token}
    assert await house.row(job) == before
    assert not await house.database.read(lambda reader: store.holds(reader, job.id, token))


async def test_a_kept_lease_stores_progress_and_heartbeat(house: House) -> None:
    job = await house.downloading()
    assert job.lease is not None
    until = house.clock.now() + timedelta(hours=1)
    figures = {job.lease.token: (job.id, 77.0, 100.0)}
    assert await house.database.write(lambda tx: store.heartbeat(tx, house.clock.now(), until, figures)) == set()
    after = await house.get(job)
    assert after.lease is not None
    assert (after.lease.until, after.progress) == (until, 0.77)
    await house.database.write(lambda tx: store.record_progress(tx, {job.lease.token: (job.id, 90.0, 100.0)}))  # type: ignore[union-attr]
    assert (await house.get(job)).progress == 0.9


STEPS_OF_A_DOWNLOAD: list[states.Event] = [
    states.Sized(5, '"tag"', None),
    states.AttemptFailed(FailureClass.TRANSIENT, "it broke", 0.5),
    states.AttemptFailed(FailureClass.SHUTDOWN, "pulsetui stopped", 0.0),
    states.Unfit("too large"),
]


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("event", STEPS_OF_A_DOWNLOAD, ids=lambda event: type(event).__name__)
async def test_a_download_that_lost_its_lease_takes_no_step(house: House, lose: Any, event: states.Event) -> None:
    await takes_no_step(house, await house.downloading(), lose, event)


@pytest.mark.parametrize("lose", LOSSES)
async def test_a_download_that_lost_its_lease_can_not_finish(house: House, lose: Any) -> None:
    job = await house.downloading()
    video = (await house.downloaded()).video
    assert video is not None
    await takes_no_step(house, job, lose, states.Downloaded(video, "0" * 64, 1.0))


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("what", ["accepted", "rejected", "failed", "longer"])
async def test_a_transcription_that_lost_its_lease_takes_no_step(house: House, lose: Any, what: str) -> None:
    job = await house.transcribing()
    proof = await house.transcribed()
    assert proof.transcript is not None
    event: states.Event = {
        "accepted": states.Accepted(proof.transcript, proof.audio, "{}", 10.0, 1.0),
        "rejected": states.Rejected("{}", "gaps", 1.0),
        "failed": states.AttemptFailed(FailureClass.POISON, "it died", 0.5),
        "longer": states.AudioLonger("longer than stated", 10.0),
    }[what]  # type: ignore[assignment]
    await takes_no_step(house, job, lose, event)


async def takes_no_step(house: House, job: Job, lose: Any, event: states.Event) -> None:
    await lose(house, job)
    before, told = await house.row(job), len(await house.log())
    reserved = await house.reservations()
    with pytest.raises(LeaseLostError, match=f"job {job.id}"):
        await house.step(job, event)
    assert await house.row(job) == before
    assert len(await house.log()) == told
    assert await house.reservations() == reserved


# What a claim costs


class Recording(Transaction):
    """Keeps what it was asked, to have each statement explained."""

    def __init__(self, inner: Reader) -> None:
        super().__init__(inner._connection)
        self.asked: list[tuple[str, Any]] = []

    async def all(self, sql: str, parameters: Any = ()) -> Any:
        self.asked.append((sql, parameters))
        return await super().all(sql, parameters)

    async def execute(self, sql: str, parameters: Any = ()) -> int:
        self.asked.append((sql, parameters))
        return await super().execute(sql, parameters)

    async def plans(self) -> list[str]:
        """Return how SQLite carries out each statement."""
        asked, self.asked = self.asked, []
        found = [await self.all(f"EXPLAIN QUERY PLAN {sql}", parameters) for sql, parameters in asked]
        return ["\n".join(row["detail"] for row in rows) for rows in found]


@pytest.mark.parametrize("stage", [Stage.QUEUED, Stage.DOWNLOADED])
async def test_no_statement_of_a_claim_reads_the_whole_table(house: House, stage: Stage) -> None:
    job = await house.queue() if stage is Stage.QUEUED else await house.downloaded()

    async def claim(tx: Transaction) -> list[str]:
        recording = Recording(tx)
        (found,) = await store.head(recording, stage, now=house.clock.now(), limit=64)
        after, _ = states.step(found, states.Claimed(house.lease()), house.clock.now(), house.outcomes.policy)
        await store.apply(recording, found, after)
        return await recording.plans()

    plans = await house.database.write(claim)
    assert len(plans) == 3
    assert not [each for each in plans if "SCAN" in each or "TEMP B-TREE" in each], plans
    assert "jobs_backing_off" in plans[0]
    assert "USING INDEX jobs_ready (stage=?)" in plans[1]
    assert (await house.get(job)).stage.running


ASKED_AGAIN_AND_AGAIN: dict[str, Callable[[Reader], Awaitable[object]]] = {
    "next_wake": store.next_wake,
    "to_delete": lambda reader: store.to_delete(reader, 50),
    "sizes_of_source": lambda reader: store.sizes_of_source(reader, "host.example", 200),
    "find_open_by_source": lambda reader: store.find_open_by_source(reader, "https://host.example/a.mp4"),
    "expired": lambda reader: store.expired(reader, datetime(2026, 1, 1, tzinfo=UTC)),
    "with_lease": store.with_lease,
    "throughput": lambda reader: view_store.throughput(reader, now=datetime(2026, 1, 1, tzinfo=UTC)),
}


@pytest.mark.parametrize("asked", ASKED_AGAIN_AND_AGAIN.values(), ids=ASKED_AGAIN_AND_AGAIN.keys())
async def test_what_is_asked_again_and_again_reads_no_whole_table(
    house: House, asked: Callable[[Reader], Awaitable[object]]
) -> None:
    async def explained(reader: Reader) -> list[str]:
        recording = Recording(reader)
        await asked(recording)
        return await recording.plans()

    plans = await house.database.read(explained)
    assert plans
    assert not [each for each in plans if "SCAN" in each and "INDEX" not in each and "stage_counts" not in each], plans
    assert not [each for each in plans if "TEMP B-TREE" in each], plans
