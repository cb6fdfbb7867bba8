"""The arithmetic of reservations."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pulsetui.budget.ledger import (
    AUDIO_BYTES_PER_S,
    BLOCK_BYTES,
    Free,
    Ledger,
    Parts,
    Reservation,
    can_ever_fit,
    expected_after_refusal,
    first_reservation,
    largest_that_fits,
    padded,
    parts_of_duration,
    parts_of_length,
)
from pulsetui.budget.limits import Limits

MB = 10**6
LIMITS = Limits(
    hard_bytes=100 * MB,
    pause_bytes=92 * MB,
    resume_bytes=80 * MB,
    suspend_bytes=99 * MB,
    floor_bytes=5 * MB,
    aside_bytes=2 * MB,
)
PLENTY = 10**15
ROOMY = Free(PLENTY, PLENTY, one_disk=True)
BYTES = st.integers(0, 120 * MB)
PARTS = st.builds(Parts, BYTES, BYTES, BYTES)


def granted(ledger: Ledger, job_id: int, reserved: Parts, written: Parts = Parts(), *, usage: int = 0) -> bool:  # noqa: B008 - frozen
    return ledger.grant(job_id, reserved, written, usage_bytes=usage, free=ROOMY, limits=LIMITS)


class Bookkeeping(RuleBasedStateMachine):
    """Whatever happens to reservations, the kept sum is that of the parts, and no growth passes the ceiling."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.usage = 0

    @rule(job=st.integers(1, 5), reserved=PARTS, written=PARTS, usage=BYTES)
    def grant(self, job: int, reserved: Parts, written: Parts, usage: int) -> None:
        before = self.ledger.outstanding_bytes()
        kept = dict(self.ledger.reservations)
        if granted(self.ledger, job, reserved, written, usage=usage):
            after = self.ledger.outstanding_bytes()
            assert after <= before or usage + after <= LIMITS.ceiling_bytes
        else:
            assert self.ledger.reservations == kept
            assert Reservation(reserved, written).outstanding_bytes() > 0

    @rule(job=st.integers(1, 5), part=st.sampled_from(("video", "audio", "transcript")), size=BYTES)
    def write(self, job: int, part: str, size: int) -> None:
        known = job in self.ledger.reservations
        self.ledger.written(job, **{part: size})
        assert (job in self.ledger.reservations) == known

    @rule(job=st.integers(1, 5))
    def release(self, job: int) -> None:
        self.ledger.release(job)
        assert job not in list(self.ledger)

    @rule(job=st.integers(1, 5), reserved=PARTS)
    def restore(self, job: int, reserved: Parts) -> None:
        self.ledger.restore(job, reserved)
        assert self.ledger.reservations[job].outstanding_bytes() == reserved.total()

    @rule(job=st.integers(1, 5), reserved=PARTS)
    def put_back(self, job: int, reserved: Parts) -> None:
        before, total = self.ledger.reservations.get(job), self.ledger.outstanding_bytes()
        granted(self.ledger, job, reserved)
        self.ledger.put_back(job, before)
        assert (self.ledger.reservations.get(job), self.ledger.outstanding_bytes()) == (before, total)

    @invariant()
    def the_sum_is_kept(self) -> None:
        parts = [reservation.outstanding_bytes() for reservation in self.ledger.reservations.values()]
        assert self.ledger.outstanding_bytes() == sum(parts)
        video = sum(reservation.outstanding_video_bytes() for reservation in self.ledger.reservations.values())
        assert self.ledger.left_on_disks(Free(0, PLENTY, one_disk=False)) == -video
        assert all(part >= 0 for part in parts)


TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(max_examples=60, stateful_step_count=30)


def test_what_is_written_of_one_part_pays_for_no_other() -> None:
    reservation = Reservation(Parts(video=10, audio=5, transcript=1), Parts(video=30))
    assert reservation.outstanding_bytes() == 6


def test_the_ceiling_is_reached_to_the_byte_and_not_passed() -> None:
    ledger = Ledger()
    assert granted(ledger, 1, Parts(video=90 * MB), usage=3 * MB)
    assert not granted(ledger, 2, Parts(audio=5 * MB + 1), usage=3 * MB)
    assert granted(ledger, 2, Parts(audio=5 * MB), usage=3 * MB)
    assert 3 * MB + ledger.outstanding_bytes() == LIMITS.ceiling_bytes


def test_a_reservation_may_shrink_even_when_everything_is_full() -> None:
    ledger = Ledger()
    assert granted(ledger, 1, Parts(video=50 * MB))
    assert granted(ledger, 1, Parts(video=20 * MB), usage=500 * MB)
    assert not granted(ledger, 1, Parts(video=20 * MB + 1), usage=500 * MB)


def fits(ledger: Ledger, job_id: int, parts: Parts, free: Free) -> bool:
    return ledger.grant(job_id, parts, Parts(), usage_bytes=0, free=free, limits=LIMITS)


def test_the_disk_keeps_its_floor_when_all_has_come() -> None:
    ledger, free = Ledger(), Free(25 * MB, 25 * MB, one_disk=True)
    assert fits(ledger, 1, Parts(video=15 * MB), free)
    assert not fits(ledger, 2, Parts(audio=5 * MB + 1), free)
    assert list(ledger) == [1]
    assert fits(ledger, 2, Parts(audio=5 * MB), free)
    assert ledger.left_on_disks(free) == LIMITS.floor_bytes


def test_two_disks_keep_their_floors_each() -> None:
    ledger, free = Ledger(), Free(25 * MB, 10 * MB, one_disk=False)
    assert fits(ledger, 1, Parts(video=20 * MB, audio=5 * MB), free)
    assert not fits(ledger, 2, Parts(video=1), free)
    assert not fits(ledger, 2, Parts(transcript=1), free)
    ledger.written(1, audio=MB)
    assert fits(ledger, 2, Parts(transcript=MB), free)


@given(length=st.integers(0, 10**12))
def test_a_file_is_reserved_with_its_blocks(length: int) -> None:
    assert length + 2 * BLOCK_BYTES <= padded(length) <= length + 20 * BLOCK_BYTES
    assert padded(length) % BLOCK_BYTES == 0


@given(duration=st.floats(0, 10**6))
def test_audio_of_the_stated_duration_fits_what_is_reserved_for_it(duration: float) -> None:
    audio, transcript = parts_of_duration(duration)
    assert audio >= duration * AUDIO_BYTES_PER_S
    assert transcript >= 200 * duration


def test_a_usual_episode_has_room_for_its_audio() -> None:
    """500 MB, 24 minutes: 9.2 % of it is its audio as PCM."""
    parts = parts_of_length(500 * MB, audio_only=False)
    assert parts.audio >= 24 * 60 * AUDIO_BYTES_PER_S
    assert parts_of_length(500 * MB, audio_only=True).audio >= 4_000 * MB


@given(
    expected=st.none() | st.integers(0, 200 * MB),
    audio_only=st.booleans(),
    max_size=st.integers(1, 200 * MB),
    committed=BYTES,
    disk_room=st.integers(-MB, 200 * MB),
)
def test_a_first_reservation_never_passes_the_ceiling(
    expected: int | None, audio_only: bool, max_size: int, committed: int, disk_room: int
) -> None:
    parts = first_reservation(
        expected_bytes=expected,
        audio_only=audio_only,
        max_size_bytes=max_size,
        committed_bytes=committed,
        disk_room_bytes=disk_room,
        limits=LIMITS,
    )
    if parts is None:
        return
    assert min(parts.video, parts.audio, parts.transcript) >= 0
    assert committed + parts.total() <= LIMITS.ceiling_bytes
    if expected is None:
        assert committed + parts.total() < LIMITS.pause_bytes, "a guess must not close the gate"
        assert parts.total() <= min(max_size, disk_room)


def test_a_known_length_may_use_the_room_above_pause() -> None:
    parts = first_reservation(
        expected_bytes=5 * MB,
        audio_only=False,
        max_size_bytes=PLENTY,
        committed_bytes=91 * MB,
        disk_room_bytes=PLENTY,
        limits=LIMITS,
    )
    assert parts == parts_of_length(5 * MB, audio_only=False)


def test_what_passes_the_ceiling_alone_never_fits() -> None:
    assert can_ever_fit(Parts(video=98 * MB), LIMITS)
    assert not can_ever_fit(Parts(video=98 * MB, transcript=1), LIMITS)


def test_what_stands_on_disk_for_good_is_in_the_way() -> None:
    assert can_ever_fit(Parts(video=90 * MB), LIMITS, standing_bytes=8 * MB)
    assert not can_ever_fit(Parts(video=90 * MB), LIMITS, standing_bytes=8 * MB + 1)


@given(standing=st.integers(0, 110 * MB), audio_only=st.booleans())
def test_the_largest_that_fits_fits_and_little_more_does_not(standing: int, *, audio_only: bool) -> None:
    largest = largest_that_fits(LIMITS, audio_only=audio_only, standing_bytes=standing)

    def fits(video_bytes: int) -> bool:
        parts = parts_of_length(max(0, video_bytes), audio_only=audio_only)
        return can_ever_fit(parts, LIMITS, standing_bytes=standing)

    assert largest < 0 or fits(largest)
    assert not fits(largest + 2 * MB)


@given(refused=st.integers(1, 120 * MB), standing=st.integers(0, 50 * MB), audio_only=st.booleans())
def test_a_body_that_was_refused_asks_for_more_until_nothing_more_fits(
    refused: int, standing: int, *, audio_only: bool
) -> None:
    largest = largest_that_fits(LIMITS, audio_only=audio_only, standing_bytes=standing)
    expected = expected_after_refusal(refused, LIMITS, audio_only=audio_only, standing_bytes=standing)
    if refused > largest:
        assert expected is None
    else:
        assert expected == min(2 * refused, largest)
