"""The job's state machine: any events in any order, and the rules one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pulsetui.errors import FailureClass, RefusedError
from pulsetui.pipeline import states
from pulsetui.pipeline.backoff import Backoff
from pulsetui.pipeline.jobs import Job, Lease, MediaFile, Stage, TranscriptFile
from pulsetui.pipeline.states import Delete, Event, Instruction, Policy, Release, step

NOW = datetime(2026, 11, 20, 12, 45, tzinfo=UTC)
BACKOFF = Backoff(base_s=5, cap_s=100, retry_after_cap_s=3600)
POLICY = Policy(download_attempts=3, transcription_attempts=2, backoff=BACKOFF, delete_video=True, delete_audio=True)
VIDEO = MediaFile(Path("/videos/v.mp4"), 100, 4096, 1, 2, 3)
AUDIO = MediaFile(Path("/audio/a.wav"), 50, 4096, 1, 4, 5)
TRANSCRIPT = TranscriptFile(Path("/transcripts/t.json"), 10, "1" * 64)
JOB = Job(
    id=7,
    uuid="u",
    kind="episode",
    title="An episode",
    source_url="https://host.example/v.mp4",
    entity_id=None,
    entity=None,
    entity_folders=("unassigned",),
    priority=0,
    stage=Stage.QUEUED,
    stage_since=NOW,
    submitted_by="ada",
    submitted_at=NOW,
)
ACCEPTED = states.Accepted(TRANSCRIPT, AUDIO, "{}", 10.0, 1.0)
REJECTED = states.Rejected("{}", "a gap of 90 s", 1.0)
DOWNLOADED = states.Downloaded(VIDEO, "0" * 64, 10.0)
FREE = (FailureClass.SPACE, FailureClass.AWAY, FailureClass.SHUTDOWN)


def claim(token: str = "token") -> states.Claimed:
    return states.Claimed(Lease(token, "owner", "dl-1", NOW + timedelta(seconds=30)))


def failed(failure: FailureClass, *, draw: float = 1.0, retry_after_s: float | None = None) -> states.AttemptFailed:
    return states.AttemptFailed(failure, "it broke", draw, retry_after_s)


def after(job: Job, *events: Event, policy: Policy = POLICY) -> Job:
    for event in events:
        job, _ = step(job, event, NOW, policy)
    return job


def instructions(job: Job, event: Event) -> list[Instruction]:
    return step(job, event, NOW, POLICY)[1]


DOWNLOADING = after(JOB, claim())
WAITING = after(DOWNLOADING, DOWNLOADED)
TRANSCRIBING = after(WAITING, claim())
TRANSCRIBED = after(TRANSCRIBING, ACCEPTED)
HELD = after(TRANSCRIBING, REJECTED)
DEAD = after(DOWNLOADING, failed(FailureClass.PERMANENT))
CANCELLED = after(JOB, states.Cancelled())
ONE_OF_EACH = (JOB, DOWNLOADING, WAITING, TRANSCRIBING, TRANSCRIBED, HELD, DEAD, CANCELLED)
IN_EACH_STAGE = {job.stage: job for job in ONE_OF_EACH}


class AnyOrder(RuleBasedStateMachine):
    """Events as they come, sensible or not: what is refused changes nothing, what is taken keeps the invariants."""

    def __init__(self) -> None:
        super().__init__()
        self.job = JOB
        self.policy = POLICY
        self.now = NOW

    @initialize(job=st.sampled_from(ONE_OF_EACH))
    def begins(self, job: Job) -> None:
        self.job = job

    def take(self, event: Event, *stages: Stage) -> bool:
        """Take an event that only jobs in `stages` know; return whether it was taken."""
        self.now += timedelta(seconds=1)
        before = self.job
        if stages and before.stage not in stages:
            with pytest.raises(RefusedError, match=f"job 7 is {before.stage.value}"):
                step(before, event, self.now, self.policy)
            return False
        self.job, orders = step(before, event, self.now, self.policy)
        if self.job.stage is not before.stage:
            assert self.job.stage_since == self.now
        leaves_download = before.stage is Stage.DOWNLOADING and self.job.stage in (Stage.QUEUED, Stage.HELD, Stage.DEAD)
        if leaves_download or (self.job.stage in (Stage.TRANSCRIBED, Stage.CANCELLED) and before.stage.running):
            assert Release() in orders, "its room must be given back"
        assert (Delete() in orders) == isinstance(event, states.Accepted)
        return True

    @rule(token=st.text("ab", min_size=1, max_size=2))
    def claims(self, token: str) -> None:
        before = self.job
        if self.take(claim(token), Stage.QUEUED, Stage.DOWNLOADED):
            assert self.job.attempts == before.attempts + 1
            assert self.job.worker == "dl-1"

    @rule(length=st.none() | st.integers(0, 99))
    def sized(self, length: int | None) -> None:
        before = self.job
        if self.take(states.Sized(length, None, None), Stage.DOWNLOADING):
            assert self.job == replace(before, declared_bytes=length, etag=None, last_modified=None)

    @rule()
    def downloaded(self) -> None:
        if self.take(DOWNLOADED, Stage.DOWNLOADING):
            assert (self.job.stage, self.job.attempts, self.job.last_failure) == (Stage.DOWNLOADED, 0, None)

    @rule(video=st.booleans(), audio=st.booleans())
    def accepted(self, *, video: bool, audio: bool) -> None:
        self.policy = replace(POLICY, delete_video=video, delete_audio=audio)
        if self.take(ACCEPTED, Stage.TRANSCRIBING):
            assert self.job.transcript == TRANSCRIPT
            assert self.job.video is not None
            assert self.job.audio is not None
            assert (self.job.video.delete_pending, self.job.audio.delete_pending) == (video, audio)

    @rule()
    def rejected(self) -> None:
        if self.take(REJECTED, Stage.TRANSCRIBING):
            assert self.job.stage is Stage.HELD
            assert self.job.video == VIDEO, "media without an accepted transcript stays"

    @rule(failure=st.sampled_from(FailureClass), draw=st.floats(0, 1), wait=st.none() | st.floats(0, 9999))
    def fails(self, failure: FailureClass, draw: float, wait: float | None) -> None:
        before = self.job
        if not self.take(failed(failure, draw=draw, retry_after_s=wait), Stage.DOWNLOADING, Stage.TRANSCRIBING):
            return
        limit = self.policy.attempts(before.stage)
        free = failure in FREE
        assert self.job.attempts == before.attempts - free
        assert self.job.last_failure is not None
        out = failure is FailureClass.PERMANENT or (not free and before.attempts >= limit)
        assert (self.job.stage is Stage.DEAD) == out
        if self.job.next_attempt_at is not None:
            assert not out
            assert timedelta(0) <= self.job.next_attempt_at - self.now <= timedelta(seconds=3600)

    @rule(room=st.floats(0, 200_000))
    def is_longer(self, room: float) -> None:
        before = self.job
        if self.take(states.AudioLonger("longer", room), Stage.TRANSCRIBING):
            assert self.job.video == before.video
            if self.job.stage is Stage.DOWNLOADED:
                assert (self.job.duration_s or 0) > room
                assert self.job.attempts == before.attempts - 1

    @rule()
    def owner_ends(self) -> None:
        before = self.job
        if self.take(states.OwnerEnded(), Stage.DOWNLOADING, Stage.TRANSCRIBING):
            assert self.job.attempts == before.attempts - 1

    @rule()
    def is_retried(self) -> None:
        stages = (Stage.QUEUED, Stage.DOWNLOADED, Stage.HELD, Stage.DEAD, Stage.CANCELLED)
        if self.take(states.Retried(), *stages):
            has_media = self.job.video is not None and self.job.video.present
            assert self.job.stage is (Stage.DOWNLOADED if has_media else Stage.QUEUED)
            assert (self.job.attempts, self.job.next_attempt_at) == (0, None)

    @rule()
    def is_cancelled(self) -> None:
        self.take(states.Cancelled(), *(set(Stage) - {Stage.TRANSCRIBED, Stage.CANCELLED}))

    @rule()
    def media_is_lost(self) -> None:
        if self.take(states.VideoLost(), Stage.DOWNLOADED):
            assert (self.job.stage, self.job.video, self.job.sha256) == (Stage.QUEUED, None, None)

    @precondition(lambda self: self.job.stage is Stage.TRANSCRIBED)
    @rule(what=st.sampled_from((("video",), ("audio",), ("video", "audio"))))
    def media_is_deleted(self, what: tuple[str, ...]) -> None:
        self.take(states.MediaDeleted(what))
        for each in what:
            assert getattr(self.job, each).deleted
            assert getattr(self.job, each).size_bytes, "sizes stay, for statistics"

    @precondition(lambda self: self.job.stage is Stage.TRANSCRIBED)
    @rule(what=st.sampled_from(("video", "audio")))
    def media_is_kept(self, what: str) -> None:
        self.take(states.MediaKept(what))
        assert getattr(self.job, what).present

    @invariant()
    def it_is_leased_exactly_while_it_runs(self) -> None:
        assert (self.job.lease is not None) == self.job.stage.running
        assert (self.job.worker is not None) == self.job.stage.running

    @invariant()
    def media_goes_only_with_a_transcript(self) -> None:
        for each in (self.job.video, self.job.audio):
            if each is not None and (each.delete_pending or each.deleted):
                assert self.job.transcript is not None
                assert self.job.stage is Stage.TRANSCRIBED
            assert each is None or not (each.delete_pending and each.deleted)

    @invariant()
    def the_rest_fits_the_stage(self) -> None:
        job = self.job
        assert job.attempts >= 0
        assert (job.transcript is not None) == (job.stage is Stage.TRANSCRIBED)
        if job.stage in (Stage.DOWNLOADED, Stage.TRANSCRIBING):
            assert job.video is not None
        if job.next_attempt_at is not None:
            assert job.stage in (Stage.QUEUED, Stage.DOWNLOADED)
        if job.stage in (Stage.DEAD, Stage.HELD):
            assert job.last_failure is not None
        assert (job.id, job.uuid, job.source_url) == (JOB.id, JOB.uuid, JOB.source_url)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=80, stateful_step_count=30)


def test_the_way_of_an_episode() -> None:
    assert [job.stage for job in (JOB, DOWNLOADING, WAITING, TRANSCRIBING, TRANSCRIBED)] == [
        "queued",
        "downloading",
        "downloaded",
        "transcribing",
        "transcribed",
    ]


KNOWN: dict[Any, set[Stage]] = {
    claim(): {Stage.QUEUED, Stage.DOWNLOADED},
    DOWNLOADED: {Stage.DOWNLOADING},
    ACCEPTED: {Stage.TRANSCRIBING},
    REJECTED: {Stage.TRANSCRIBING},
    states.OwnerEnded(): {Stage.DOWNLOADING, Stage.TRANSCRIBING},
    states.VideoLost(): {Stage.DOWNLOADED},
    states.Unfit("too large"): {Stage.QUEUED, Stage.DOWNLOADING, Stage.DOWNLOADED},
    states.Cancelled(): set(Stage) - {Stage.TRANSCRIBED, Stage.CANCELLED},
}


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("event", KNOWN, ids=lambda event: type(event).__name__)
def test_a_stage_takes_the_events_that_it_knows_and_refuses_the_others(event: Event, stage: Stage) -> None:
    job = IN_EACH_STAGE[stage]
    if stage in KNOWN[event]:
        assert step(job, event, NOW, POLICY)[0] != job
        return
    with pytest.raises(RefusedError, match=f"job 7 is {stage.value}") as refused:
        step(job, event, NOW, POLICY)
    assert "pulsetui jobs show 7" in refused.value.hint


@pytest.mark.parametrize("failure", FREE)
def test_space_and_shutdown_cost_no_attempt_however_often(failure: FailureClass) -> None:
    job = JOB
    for _ in range(10):
        job = after(job, claim(), failed(failure))
    assert (job.stage, job.attempts) == (Stage.QUEUED, 0)


@pytest.mark.parametrize("failure", [FailureClass.TRANSIENT, FailureClass.RATE_LIMITED, FailureClass.POISON])
def test_out_of_attempts_is_dead_with_its_last_error(failure: FailureClass) -> None:
    job = JOB
    for _ in range(2):
        job = after(job, claim(), failed(failure))
        assert job.stage is Stage.QUEUED
    job = after(job, claim(), failed(failure))
    assert (job.stage, job.attempts) == (Stage.DEAD, 3)
    assert job.last_failure is not None
    assert job.last_failure.text == "it broke"


def test_each_stage_has_its_own_attempts() -> None:
    job = after(JOB, claim(), failed(FailureClass.TRANSIENT), claim(), DOWNLOADED, claim())
    assert job.attempts == 1
    job = after(job, failed(FailureClass.POISON), claim())
    assert job.stage is Stage.TRANSCRIBING
    assert after(job, failed(FailureClass.POISON)).stage is Stage.DEAD


def test_a_permanent_failure_is_dead_at_once_and_can_be_revived() -> None:
    assert DEAD.stage is Stage.DEAD
    revived = after(DEAD, states.Retried())
    assert (revived.stage, revived.attempts, revived.last_failure) == (Stage.QUEUED, 0, None)


def test_a_dead_transcription_is_revived_where_its_media_is() -> None:
    dead = after(TRANSCRIBING, failed(FailureClass.PERMANENT))
    assert after(dead, states.Retried()).stage is Stage.DOWNLOADED


def test_what_waits_need_not_wait_after_a_retry() -> None:
    waiting = after(DOWNLOADING, failed(FailureClass.TRANSIENT))
    assert waiting.next_attempt_at is not None
    assert after(waiting, states.Retried()).next_attempt_at is None


def test_a_server_s_retry_after_is_kept_to() -> None:
    waiting = after(DOWNLOADING, failed(FailureClass.RATE_LIMITED, draw=0.0, retry_after_s=120))
    assert waiting.next_attempt_at == NOW + timedelta(seconds=120)


def test_shutdown_lets_the_next_start_go_on_at_once() -> None:
    assert after(DOWNLOADING, failed(FailureClass.SHUTDOWN)).next_attempt_at is None


def test_a_lack_of_room_is_waited_out_for_a_moment() -> None:
    job = after(DOWNLOADING, failed(FailureClass.SPACE, draw=0.5))
    assert job.next_attempt_at == NOW + timedelta(seconds=2.5)


def test_a_failed_download_gives_its_room_back_and_a_transcription_keeps_it() -> None:
    assert instructions(DOWNLOADING, failed(FailureClass.TRANSIENT)) == [Release()]
    assert instructions(TRANSCRIBING, failed(FailureClass.TRANSIENT)) == []
    assert instructions(DOWNLOADING, states.OwnerEnded()) == [Release()]
    assert instructions(TRANSCRIBING, states.OwnerEnded()) == []
    assert instructions(TRANSCRIBING, failed(FailureClass.PERMANENT)) == [Release()]


def test_acceptance_releases_and_deletes_and_rejection_only_releases() -> None:
    assert instructions(TRANSCRIBING, ACCEPTED) == [Release(), Delete()]
    assert instructions(TRANSCRIBING, REJECTED) == [Release()]


def test_audio_longer_than_a_day_and_a_half_is_for_a_human() -> None:
    again = after(TRANSCRIBING, states.AudioLonger("longer than stated", 10_000))
    assert (again.stage, again.duration_s, again.attempts) == (Stage.DOWNLOADED, 20_000, 0)
    assert after(TRANSCRIBING, states.AudioLonger("longer than stated", 130_000)).stage is Stage.HELD


def test_what_can_never_fit_is_held_with_its_media() -> None:
    held = after(WAITING, states.Unfit("its audio needs 40 GB"))
    assert (held.stage, held.video) == (Stage.HELD, VIDEO)
    assert after(held, states.Retried()).stage is Stage.DOWNLOADED


def test_a_remount_changes_nothing_but_the_device() -> None:
    moved = after(WAITING, states.Moved(replace(VIDEO, device=99), None))
    assert moved == replace(WAITING, video=replace(VIDEO, device=99))
