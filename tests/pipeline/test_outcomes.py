"""What becomes of a job: one step, its events and its room, in one transaction."""

from __future__ import annotations

import pytest

from pulsetui import faults
from pulsetui.budget.ledger import Parts
from pulsetui.errors import (
    DatabaseError,
    FailureClass,
    LeaseLostError,
    RefusedError,
    SourceError,
    SpaceError,
    WorkerFailedError,
    WorkerLostError,
)
from pulsetui.pipeline import states
from pulsetui.pipeline.jobs import Stage
from tests.pipeline.house import MB, House, kinds
from tests.pipeline.test_states import VIDEO


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (SourceError("404", failure=FailureClass.PERMANENT), FailureClass.PERMANENT),
        (SourceError("503", failure=FailureClass.RATE_LIMITED, retry_after_s=9), FailureClass.RATE_LIMITED),
        (SpaceError("full"), FailureClass.SPACE),
        (WorkerLostError("signal 9"), FailureClass.POISON),
        (WorkerFailedError("no sound", kind="no-audio"), FailureClass.PERMANENT),
        (WorkerFailedError("no media", kind="not-media"), FailureClass.PERMANENT),
        (WorkerFailedError("engine", kind="engine-failed"), FailureClass.TRANSIENT),
        (WorkerFailedError("full", kind="space"), FailureClass.SPACE),
        (OSError(5, "Input/output error"), FailureClass.TRANSIENT),
        (RefusedError("a link on the way"), FailureClass.TRANSIENT),
        (ZeroDivisionError(), FailureClass.TRANSIENT),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_means_a_failure_of_its_class(house: House, error: Exception, failure: FailureClass) -> None:
    failed = house.outcomes.failed(error)
    assert failed.failure is failure
    assert failed.text
    assert 0 <= failed.draw <= 1
    assert failed.retry_after_s == getattr(error, "retry_after_s", None)


def test_hostile_text_of_an_error_becomes_plain(house: House) -> None:
    assert house.outcomes.failed(OSError("\x1b[2Jgone\n")).text == "\\x1b[2Jgone\\n"


async def test_what_to_do_about_a_failure_is_kept_with_it_and_left_out_of_the_feed(house: House) -> None:
    error = SourceError("404: not found", failure=FailureClass.PERMANENT, hint="check the\naddress")
    job = await house.step(await house.downloading(), house.outcomes.failed(error))
    assert job.last_failure is not None
    assert job.last_failure.text == "404: not found; check the\\naddress"
    assert house.told[-1].text() == "An episode given up: 404: not found"


async def test_a_step_its_events_and_its_room_are_one_commit(house: House) -> None:
    job = await house.downloading()
    assert await house.database.write(lambda tx: house.budget.reserve(tx, job.id, Parts(video=MB)))
    house.told.clear()
    before, log = await house.row(job), await house.log()
    faults.arm("db.commit=EIO")
    failed = states.AttemptFailed(FailureClass.TRANSIENT, "it broke", 0.5)
    with pytest.raises(DatabaseError):
        await house.outcomes.write(job, failed)
    faults.disarm()
    assert await house.row(job) == before
    assert await house.log() == log
    assert house.told == [], "what was not committed is not told"
    assert house.budget.ledger.outstanding_bytes() == MB
    assert set(await house.reservations()) == {job.id}

    await house.outcomes.write(job, failed)
    assert (await house.get(job)).stage is Stage.QUEUED
    assert house.budget.ledger.outstanding_bytes() == 0
    assert await house.reservations() == {}
    assert kinds(house.told) == ["job.attempt_failed"]


async def test_each_stage_change_is_in_the_log(house: House) -> None:
    job = await house.transcribing()
    await house.step(job, states.Rejected("{}", "a gap of 90 s of speech", 2.0))
    dead = await house.step(
        await house.downloading(), states.AttemptFailed(FailureClass.PERMANENT, "404 not found", 0.5)
    )
    unfit = await house.step(await house.queue(), states.Unfit("needs 900 GB"))
    ended = await house.step(await house.downloading(), states.OwnerEnded())
    shut = await house.step(
        await house.downloading(), states.AttemptFailed(FailureClass.SHUTDOWN, "pulsetui stopped", 0.0)
    )
    lost = await house.step(await house.downloaded(), states.VideoLost())
    said = {event.job_id: (event.kind, event.text()) for event in house.told}
    assert said == {
        job.id: ("job.held", "An episode held: a gap of 90 s of speech"),
        dead.id: ("job.dead", "An episode given up: 404 not found"),
        unfit.id: ("job.held", "An episode held: needs 900 GB"),
        ended.id: ("job.waits", "An episode back to queued: its owner ended"),
        shut.id: ("job.waits", "An episode back to queued: pulsetui stopped"),
        lost.id: ("job.waits", "An episode back to queued: its media is not on disk"),
    }


async def test_a_failed_attempt_says_when_the_next_one_comes(house: House) -> None:
    await house.step(await house.downloading(), states.AttemptFailed(FailureClass.TRANSIENT, "it broke", 1.0))
    assert house.told[-1].text() == "An episode: it broke (attempt 1, transient), next try in 5s"
    await house.step(await house.downloading(), states.AttemptFailed(FailureClass.TRANSIENT, "it broke", 0.0))
    assert house.told[-1].text().endswith("next try at once")


async def test_the_caller_is_told_whether_there_is_something_to_delete(house: House) -> None:
    job = await house.downloading()
    after, delete = await house.outcomes.write(job, states.Downloaded(VIDEO, "0" * 64, 1.0))
    assert (after.stage, delete) == (Stage.DOWNLOADED, False)
    job = await house.transcribing()
    proof = await house.transcribed()
    assert proof.transcript is not None
    _, delete = await house.outcomes.write(job, states.Accepted(proof.transcript, None, "{}", 1.0, 1.0))
    assert delete


async def test_a_step_that_is_refused_or_fenced_off_tells_nothing(house: House) -> None:
    job = await house.downloading()
    await house.step(job, states.Cancelled())
    house.told.clear()
    with pytest.raises(LeaseLostError):
        await house.outcomes.write(job, states.AttemptFailed(FailureClass.TRANSIENT, "it broke", 1.0))
    with pytest.raises(RefusedError):
        await house.outcomes.write(await house.get(job), states.OwnerEnded())
    assert house.told == []
