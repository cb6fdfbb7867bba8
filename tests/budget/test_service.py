"""The budget at work: on a real database and real folders."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.budget import store
from pulsetui.budget.gate import Cause
from pulsetui.budget.ledger import Parts, padded
from pulsetui.budget.usage import Kind
from pulsetui.db.database import Transaction
from pulsetui.errors import DatabaseError, LeaseLostError, SpaceError
from tests.pipeline.house import LIMITS, MB, House, kinds, media, opened


async def reserve(house: House, job_id: int, parts: Parts, written: Parts = Parts()) -> bool:  # noqa: B008 - frozen
    return await house.database.write(lambda tx: house.budget.reserve(tx, job_id, parts, written))


async def release(house: House, job_id: int) -> None:
    await house.database.write(lambda tx: house.budget.release(tx, job_id))


def room(house: House) -> int:
    committed = house.budget.committed_bytes()
    assert committed is not None
    return LIMITS.ceiling_bytes - committed


async def test_nothing_may_start_before_usage_is_known(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        assert house.budget.may_start()
        house.budget.usage.unread = "not read yet"
        assert house.budget.committed_bytes() is None
        assert not house.budget.may_start()
        assert house.budget.fullness() == 1.0
        assert not await reserve(house, 1, Parts(video=1))


async def test_a_reservation_is_stored_and_counted_until_it_is_released(house: House) -> None:
    job = await house.queue()
    before = house.budget.committed_bytes() or 0
    parts = Parts(video=5 * MB, audio=MB, transcript=1000)
    assert await reserve(house, job.id, parts)
    assert (house.budget.committed_bytes() or 0) >= before + parts.total()
    assert await house.reservations() == {job.id: parts}
    await release(house, job.id)
    assert house.budget.ledger.outstanding_bytes() == 0
    assert await house.reservations() == {}


async def test_what_does_not_fit_is_neither_counted_nor_stored(house: House) -> None:
    job = await house.queue()
    assert not await reserve(house, job.id, Parts(video=99 * MB))
    assert house.budget.ledger.outstanding_bytes() == 0
    assert await house.reservations() == {}


@pytest.mark.parametrize("held_before", [False, True])
async def test_a_reservation_that_is_rolled_back_is_not_counted(house: House, *, held_before: bool) -> None:
    job = await house.queue()
    if held_before:
        assert await reserve(house, job.id, Parts(video=2 * MB))
    counted, stored = house.budget.ledger.outstanding_bytes(), await house.reservations()

    async def fails(tx: Transaction) -> None:
        assert await house.budget.reserve(tx, job.id, Parts(video=30 * MB))
        raise LeaseLostError("somebody else was first")

    with pytest.raises(LeaseLostError):
        await house.database.write(fails)
    assert house.budget.ledger.outstanding_bytes() == counted
    assert await house.reservations() == stored


async def test_a_release_that_is_rolled_back_is_not_counted(house: House) -> None:
    job = await house.queue()
    assert await reserve(house, job.id, Parts(video=2 * MB))

    async def fails(tx: Transaction) -> None:
        await house.budget.release(tx, job.id)
        raise LeaseLostError("somebody else was first")

    with pytest.raises(LeaseLostError):
        await house.database.write(fails)
    assert house.budget.ledger.outstanding_bytes() == 2 * MB
    assert await house.reservations() == {job.id: Parts(video=2 * MB)}


async def test_writing_moves_bytes_from_reserved_to_used(house: House) -> None:
    job = await house.queue()
    path = house.videos / f"{job.uuid}.partial"
    assert await reserve(house, job.id, Parts(video=5 * MB))
    committed = house.budget.committed_bytes()
    house.budget.follow(path, Kind.VIDEOS)
    house.budget.moved(job.id, path, Kind.VIDEOS, 2 * MB)
    assert house.budget.committed_bytes() == committed
    assert house.budget.usage.by_kind()[Kind.VIDEOS] == 2 * MB + 4096, "the folder itself is counted too"
    house.budget.settled(path)
    await release(house, job.id)
    assert house.budget.committed_bytes() == (committed or 0) - 3 * MB


async def test_a_body_may_grow_while_there_is_room(house: House) -> None:
    job = await house.queue()
    assert await reserve(house, job.id, Parts(video=5 * MB, audio=MB))
    assert await house.budget.extend_video(job.id, 10 * MB) >= padded(10 * MB)
    (parts,) = (await house.reservations()).values()
    assert (parts.video >= padded(10 * MB), parts.audio) == (True, MB)


async def test_a_body_grows_by_what_it_needs_if_there_is_no_room_for_a_step(house: House) -> None:
    job = await house.queue()
    assert await reserve(house, job.id, Parts(video=room(house) - 2 * MB))
    total = house.budget.ledger.reservations[job.id].reserved.video + MB
    assert await house.budget.extend_video(job.id, total) == padded(total)


async def test_a_body_that_finds_no_room_is_told_so_and_keeps_what_it_has(house: House) -> None:
    job = await house.queue()
    assert await reserve(house, job.id, Parts(video=90 * MB))
    with pytest.raises(SpaceError, match=r"no room to grow to 99\.0 MB"):
        await house.budget.extend_video(job.id, 99 * MB)
    assert await house.reservations() == {job.id: Parts(video=90 * MB)}


async def test_a_body_whose_job_was_taken_away_can_not_grow(house: House) -> None:
    job = await house.queue()
    with pytest.raises(LeaseLostError):
        await house.budget.extend_video(job.id, MB)
    assert await house.reservations() == {}


# The gate


async def test_the_gate_closes_and_opens_with_events_numbers_and_a_pause_in_the_history(house: House) -> None:
    job = await house.queue()
    house.told.clear()
    assert await reserve(house, job.id, Parts(video=93 * MB))
    await house.budget.check()
    assert not house.budget.may_start()
    house.clock.advance(90)
    await release(house, job.id)
    await house.budget.check()
    assert house.budget.may_start()
    assert kinds(house.told) == ["gate.closed", "gate.opened"]
    closed, opened_again = house.told
    assert closed.text().startswith("paused: committed 9")
    assert "≥ 92.0 MB" in closed.text()
    assert opened_again.text().endswith("after 1m 30s")
    figures = await house.database.read(lambda reader: store.pause_figures(reader, now=house.clock.now()))
    assert (figures.count, figures.resumed, figures.total_s, figures.longest_s) == (1, 1, 90.0, 90.0)
    assert house.budget.peak_committed_bytes >= 93 * MB


async def test_a_closed_gate_survives_a_restart_and_opens_at_resume_only(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        filling = media(house.videos / "a.mp4", 92 * MB)
        await house.counted()
        await house.budget.check()
        assert house.budget.gate.cause is Cause.BUDGET
        since = house.budget.gate.since
    filling.path.write_bytes(b"x" * 82 * MB)
    async with opened(tmp_path) as house:
        assert not house.budget.gate.is_open
        await house.budget.check()
        assert not house.budget.may_start(), "82 MB is between resume and pause"
        assert house.budget.gate.since == since
        filling.path.write_bytes(b"x" * 70 * MB)
        await house.counted()
        await house.budget.check()
        assert house.budget.may_start()


async def test_a_pause_that_runs_counts_up_to_now(house: House) -> None:
    job = await house.queue()
    assert await reserve(house, job.id, Parts(video=93 * MB))
    await house.budget.check()
    house.clock.advance(40)
    figures = await house.database.read(lambda reader: store.pause_figures(reader, now=house.clock.now()))
    assert (figures.count, figures.resumed, figures.longest_s) == (1, 0, 40.0)


async def test_closing_takes_effect_even_if_it_can_not_be_stored(house: House) -> None:
    job = await house.queue()
    assert await reserve(house, job.id, Parts(video=93 * MB))
    faults.arm("db.commit@*=EIO")
    with pytest.raises(DatabaseError):
        await house.budget.check()
    faults.disarm()
    assert not house.budget.gate.is_open
    await release(house, job.id)
    faults.arm("db.commit=EIO")
    with pytest.raises(DatabaseError):
        await house.budget.check()
    assert not house.budget.gate.is_open, "opening waits for its commit"


async def test_an_unreadable_folder_makes_usage_unknown_and_closes_the_gate(house: House) -> None:
    (house.videos / "show").mkdir()
    faults.arm("storage.folder@*=EACCES")
    await house.counted()
    await house.budget.check()
    assert house.budget.gate.cause is Cause.UNKNOWN
    assert "Permission denied" in house.budget.gate.reason
    faults.disarm()
    await house.counted()
    await house.budget.check()
    assert house.budget.may_start()


async def test_a_full_disk_closes_the_gate_for_a_check_interval_at_least(house: House) -> None:
    house.told.clear()
    await house.budget.disk_is_full("a.mp4")
    assert kinds(house.told) == ["gate.closed", "disk.full"]
    assert house.budget.gate.cause is Cause.DISK_FULL
    house.clock.advance(29)
    await house.budget.check()
    assert not house.budget.may_start()
    house.clock.advance(1)
    await house.budget.check()
    assert house.budget.may_start()


async def test_a_full_disk_keeps_the_gate_closed_above_resume(house: House) -> None:
    job = await house.queue()
    assert await reserve(house, job.id, Parts(video=80 * MB))
    await house.budget.disk_is_full("a.mp4")
    house.clock.advance(1000)
    await house.budget.check()
    assert not house.budget.may_start()
    await release(house, job.id)
    await house.budget.check()
    assert house.budget.may_start()


async def test_the_operator_s_pause_stops_starts_survives_a_restart_and_leaves_the_gate_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        assert await house.database.write(lambda tx: house.budget.set_operator_pause(tx, paused=True))
        assert not await house.database.write(lambda tx: house.budget.set_operator_pause(tx, paused=True))
        assert (house.budget.gate.is_open, house.budget.may_start()) == (True, False)
    async with opened(tmp_path) as house:
        assert house.budget.operator_paused
        await house.budget.check()
        assert not house.budget.may_start()
        assert await house.database.write(lambda tx: house.budget.set_operator_pause(tx, paused=False))
        assert house.budget.may_start()


async def test_a_pause_that_is_rolled_back_pauses_nothing(house: House) -> None:
    async def fails(tx: Transaction) -> None:
        await house.budget.set_operator_pause(tx, paused=True)
        raise LeaseLostError("no")

    with pytest.raises(LeaseLostError):
        await house.database.write(fails)
    assert house.budget.may_start()


async def test_downloads_must_suspend_close_to_the_hard_limit(house: House) -> None:
    filling = house.videos / "a.partial"
    house.budget.follow(filling, Kind.VIDEOS)
    rest = LIMITS.suspend_bytes - house.budget.usage.total_bytes()
    house.budget.moved(1, filling, Kind.VIDEOS, rest - 1)
    assert not house.budget.must_suspend()
    house.budget.moved(1, filling, Kind.VIDEOS, rest)
    assert house.budget.must_suspend()


async def test_reservations_are_taken_over_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        job = await house.downloaded()
        assert await reserve(house, job.id, Parts(audio=3 * MB, transcript=MB))
    async with opened(tmp_path) as house:
        assert house.budget.ledger.outstanding_bytes() == 0
        await house.budget.restore_reservations()
        assert house.budget.ledger.outstanding_bytes() == 4 * MB


async def test_a_closed_gate_of_many_checks_writes_one_event(house: House) -> None:
    job = await house.queue()
    assert await reserve(house, job.id, Parts(video=93 * MB))
    await asyncio.gather(*(house.budget.check() for _ in range(20)))
    assert kinds(house.told).count("gate.closed") == 1


async def test_who_waits_for_room_is_told_when_there_may_be_some(house: House) -> None:
    told: list[int] = []
    house.budget.on_change.append(lambda: told.append(1))
    house.budget.freed(Kind.VIDEOS, 0)
    assert len(told) == 1
    job = await house.queue()
    await release(house, job.id)
    assert len(told) == 2
