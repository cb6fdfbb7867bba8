"""The pipeline's own rules on a virtual clock: gate, reservations, claim order, refusals, kills; no disk, no network.

What the services do around the rules is done here in the same order; the rules themselves (`Ledger`, `decide`,
`first_reservation`, `download_order` …) are the real ones. After each step the promise is checked: bytes on disk plus
bytes still to come stay below the hard limit.
"""

from __future__ import annotations

import heapq
import random
from bisect import insort
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pulsetui.budget.gate import Cause, Gate, Reading, decide, fullness
from pulsetui.budget.ledger import (
    BLOCK_BYTES,
    EXTENSION_STEP_BYTES,
    Free,
    Ledger,
    Parts,
    can_ever_fit,
    expected_after_refusal,
    first_reservation,
    largest_that_fits,
    padded,
    parts_of_duration,
    parts_of_length,
)
from pulsetui.budget.limits import resolve_limits
from pulsetui.pipeline.choice import (
    HOLD_THE_LINE_AFTER,
    download_order,
    holds_the_line,
    percentile_99,
    rank_of,
    to_give_up,
    transcription_order,
)
from pulsetui.pipeline.jobs import Job, MediaFile, Stage
from pulsetui.settings.models import DiskManagement

START = datetime(2026, 11, 20, tzinfo=UTC)
MB = 10**6
HEAD = 8
"""Ready jobs that a claim looks at; the services look at more, and find the same when these don't fit."""
PLENTY = 10**18
ROOMY = Free(PLENTY, PLENTY, one_disk=True)
MOST_ATTEMPTS = 3


@dataclass(frozen=True)
class Plan:
    """One set-up, drawn from a seed."""

    hard_bytes: int
    episodes: int
    downloaders: int
    transcribers: int
    usual_bytes: int
    """The median size."""
    bytes_per_s: float
    real_time_factor: float
    lying: float
    missing: float
    failing: float
    """Shares of the episodes, 0 to 1; the last of attempts that break half-way."""
    kills: int
    resumable: bool
    """Whether the servers let a body be gone on with."""


@dataclass(slots=True, eq=False)
class Episode:
    """One episode, and what is true of it."""

    job: Job
    body_bytes: int
    told: tuple[int | None, ...]
    """The length that the headers give, attempt by attempt; the last one stays."""
    audio_bytes: int
    host: int
    fits: bool
    """Whether there is room for it alone, also beside the transcripts of all others."""
    cut_short: bool = False
    """The body ends, or goes on, other than every header says: it can never be had."""
    rank: int = 0
    attempts: int = 0
    partial_bytes: int = 0
    audio_on_disk: int = 0
    expected: int | None = None
    unfit_since: datetime | None = None
    life: int = 0
    """Grows when its worker ends, so that what was still to happen to that worker doesn't."""
    outcome: str = ""


@dataclass(repr=False)
class Simulation:
    """The pipeline under one plan."""

    plan: Plan
    chance: random.Random
    now: float = 0.0
    usage: int = 0
    standing: int = 0
    """Of the usage, what stays: the database and the transcripts."""
    peak: int = 0
    pauses: int = 0
    refusals: int = 0
    given_up: int = 0
    finished: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    queued: list[tuple[int, int]] = field(default_factory=list)
    downloaded: list[Episode] = field(default_factory=list)
    downloading: dict[int, Episode] = field(default_factory=dict)
    transcribing: dict[int, Episode] = field(default_factory=dict)
    sizes: dict[int, deque[int]] = field(default_factory=dict)
    happening: list[tuple[float, int, str, int, int, int]] = field(default_factory=list)
    steps: int = 0

    def __post_init__(self) -> None:
        hard = self.plan.hard_bytes
        disk = DiskManagement.model_validate({"hard_limit": hard, "free_space_floor": 0})
        self.limits = resolve_limits(disk, disks_bytes=2 * hard, explicit=frozenset({"hard_limit"}))
        self.gate = Gate(True, Cause.FLOWING, "", START)
        self.usage = self.standing = min(4 * MB, hard // 5)
        self.database = self.usage
        self.episodes = {number: self._draw(number) for number in range(1, self.plan.episodes + 1)}
        for number, episode in self.episodes.items():
            insort(self.queued, (episode.rank, number))
        for _ in range(self.plan.kills):
            self._in(self.chance.uniform(0, 40 * self._usual_s()), "kill", 0)

    # What there is

    def _usual_s(self) -> float:
        return self.plan.usual_bytes / self.plan.bytes_per_s

    def _draw(self, number: int) -> Episode:
        chance, plan = self.chance, self.plan
        body = max(10_000, int(plan.usual_bytes * chance.lognormvariate(0, 0.7)))
        told: tuple[int | None, ...] = (body,)
        cut_short = False
        kind = chance.random()
        if kind < plan.lying:
            lie = max(1, int(body * chance.choice((0.01, 0.5, 0.99, 1.01, 3))))
            cut_short = chance.random() < 0.3
            told = (lie,) if cut_short else (lie, lie, body)
        elif kind < plan.lying + plan.missing:
            told = (None,)
        submitted = START + timedelta(seconds=number)
        priority = chance.choice((0, 0, 0, 0, 5))
        job = Job(
            id=number,
            uuid=str(number),
            kind="episode",
            title="",
            source_url="https://host/x.mp4",
            entity_id=None,
            entity=None,
            entity_folders=("unassigned",),
            priority=priority,
            stage=Stage.QUEUED,
            stage_since=START,
            submitted_by="",
            submitted_at=submitted,
        )
        return Episode(
            job=job,
            body_bytes=body,
            told=told,
            audio_bytes=blocks(int(body * chance.uniform(0.01, 0.1))),
            host=chance.randrange(3),
            fits=self._can_ever_fit(body, BLOCK_BYTES * self.plan.episodes),
            cut_short=cut_short,
            rank=rank_of(submitted, priority),
        )

    @property
    def committed(self) -> int:
        return self.usage + self.ledger.outstanding_bytes()

    @property
    def at(self) -> datetime:
        return START + timedelta(seconds=self.now)

    # The loop

    def run(self) -> None:
        """Let everything happen that will."""
        self._fill()
        while self.finished < len(self.episodes):
            if not self.happening:
                self._poll()
            if not self.happening:
                break
            self.now, _, what, number, life, size = heapq.heappop(self.happening)
            self.steps += 1
            assert self.steps < 400 * len(self.episodes) + 10_000, f"no end in sight: {self.told()}"
            if what == "kill":
                self._kill()
            elif what == "wake":
                self._fill()
            elif self.episodes[number].life == life:
                getattr(self, f"_{what}")(self.episodes[number], size)
            self._judge()

    def _poll(self) -> None:
        """Ask the queue again, as the pools do every few seconds: a job that doesn't fit may hold the line by now."""
        for _ in range(2):
            self._fill()
            if self.happening or self.finished == len(self.episodes):
                return
            self.now += HOLD_THE_LINE_AFTER.total_seconds()
        raise AssertionError(f"stuck: {self.told()}")

    def told(self) -> str:
        """Return where things stand."""
        return (
            f"{self.finished} of {len(self.episodes)} ended, {len(self.queued)} queued, "
            f"{len(self.downloading)} downloading, {len(self.downloaded)} downloaded, "
            f"{len(self.transcribing)} transcribing; usage {self.usage}, committed {self.committed}, "
            f"{self.limits}, gate {self.gate}, {self.refusals} refusals, {self.plan}"
        )

    def _in(self, seconds: float, what: str, number: int, size: int = 0) -> None:
        life = self.episodes[number].life if number else 0
        heapq.heappush(self.happening, (self.now + seconds, self.chance.getrandbits(32), what, number, life, size))

    def _judge(self) -> None:
        """Hold the state against the promise, and move the gate."""
        committed = self.committed
        assert committed <= self.limits.ceiling_bytes, f"committed {committed} passes the ceiling: {self.told()}"
        assert 0 <= self.usage <= committed
        self.peak = max(self.peak, committed)
        before = self.gate
        self.gate = decide(before, self._reading(), self.limits, START)
        if before.is_open and not self.gate.is_open:
            assert committed >= self.limits.pause_bytes
            self.pauses += 1
        elif self.gate.is_open and not before.is_open:
            assert committed <= self.limits.resume_bytes
            self._fill()

    def _reading(self) -> Reading:
        return Reading(
            committed_bytes=self.committed, usage_bytes=self.usage, videos_bytes=0, in_flight_bytes=0, free_bytes=PLENTY
        )

    def _fill(self) -> None:
        """Give every free worker something to do."""
        while self.downloaded and len(self.transcribing) < self.plan.transcribers and self._claim_downloaded():
            pass
        if not self.queued:
            return
        while len(self.downloading) < self.plan.downloaders:
            open_now = self.gate.is_open and decide(self.gate, self._reading(), self.limits, START).is_open
            if open_now and self._claim_queued():
                continue
            if not self._give_up_a_partial():
                return

    # Downloads

    def _claim_queued(self) -> bool:
        head = [self.episodes[number] for _, number in self.queued[:HEAD]]
        by_id = {episode.job.id: episode for episode in head}
        for job in download_order([e.job for e in head], fullness=fullness(self.committed, self.limits)):
            episode = by_id[job.id]
            expected = job.declared_bytes
            if expected is not None and not self._can_ever_fit(expected):
                self._take_from_queue(episode)
                self._end(episode, "held")
                return True
            if expected is None:
                expected = self._guess(episode)
            parts = first_reservation(
                expected_bytes=expected,
                audio_only=False,
                max_size_bytes=PLENTY,
                committed_bytes=self.committed - episode.partial_bytes,
                disk_room_bytes=PLENTY,
                limits=self.limits,
            )
            if parts is not None and self._grant(job.id, parts, Parts(video=episode.partial_bytes)):
                self._take_from_queue(episode)
                episode.unfit_since = None
                episode.attempts += 1
                self.downloading[job.id] = episode
                self._in(0.5, "headers", job.id)
                return True
            if episode.unfit_since is None:
                episode.unfit_since = self.at
            elif holds_the_line(episode.unfit_since, self.at) and self.ledger.reservations:
                return False
        return False

    def _guess(self, episode: Episode) -> int | None:
        if episode.expected is not None:
            largest = largest_that_fits(self.limits, audio_only=False, standing_bytes=self.standing)
            return min(episode.expected, largest)
        guess = percentile_99(tuple(self.sizes.get(episode.host, ())))
        return guess if guess is not None and self._can_ever_fit(guess) else None

    def _headers(self, episode: Episode, _: int) -> None:
        told = episode.told[min(episode.attempts, len(episode.told)) - 1]
        episode.job = replace(episode.job, declared_bytes=told)
        if not self.plan.resumable:
            self._lose_partial(episode)
        if told is not None:
            parts = parts_of_length(told, audio_only=False)
            if not self._grant(episode.job.id, parts, Parts(video=episode.partial_bytes)):
                if not self._can_ever_fit(told):
                    self._leave(episode)
                    self._lose_partial(episode)
                    self._end(episode, "held")
                else:
                    self._back_to_queue(episode, free=True)
                return
        self._next_part(episode, min(episode.partial_bytes, episode.body_bytes))

    def _next_part(self, episode: Episode, have: int) -> None:
        end = min(episode.body_bytes, have + max(1 << 20, -(-episode.body_bytes // 3)))
        self._in((end - have) / self.plan.bytes_per_s, "body", episode.job.id, end)

    def _body(self, episode: Episode, end: int) -> None:
        """A part of the body has come: make room first, then write."""
        job_id, told = episode.job.id, episode.job.declared_bytes
        if self.chance.random() < self.plan.failing:
            self._back_to_queue(episode, free=False)
            return
        if told is not None and end > told:
            self._fail_for_good(episode)
            return
        if blocks(end) > self.ledger.reservations[job_id].reserved.video and not self._extend(episode, end):
            self.refusals += 1
            expected = expected_after_refusal(end, self.limits, audio_only=False, standing_bytes=self.standing)
            if expected is None:
                self._leave(episode)
                self._lose_partial(episode)
                self._end(episode, "held")
            else:
                episode.expected = expected
                self._back_to_queue(episode, free=True)
            return
        self.usage += blocks(end) - episode.partial_bytes
        episode.partial_bytes = blocks(end)
        self.ledger.written(job_id, video=episode.partial_bytes)
        if end < episode.body_bytes:
            self._next_part(episode, end)
        elif told is not None and end < told:
            self._back_to_queue(episode, free=False)
        else:
            self._downloaded(episode)

    def _extend(self, episode: Episode, end: int) -> bool:
        before = self.ledger.reservations[episode.job.id]
        return any(
            self._grant(episode.job.id, replace(before.reserved, video=padded(end + step)), before.written)
            for step in (EXTENSION_STEP_BYTES, 0)
        )

    def _downloaded(self, episode: Episode) -> None:
        job_id = episode.job.id
        del self.downloading[job_id]
        episode.life += 1
        episode.attempts = 0
        audio, transcript = parts_of_duration(self._duration_s(episode))
        if not self._grant(job_id, Parts(0, audio, transcript)):
            kept = self.ledger.reservations[job_id].reserved
            self._grant(job_id, replace(kept, video=0))
        self.sizes.setdefault(episode.host, deque(maxlen=50)).append(episode.body_bytes)
        video = MediaFile(
            path=None,  # type: ignore[arg-type]
            size_bytes=episode.body_bytes,
            allocated_bytes=episode.partial_bytes,
            device=0,
            inode=0,
            mtime_ns=0,
        )
        episode.job = replace(
            episode.job,
            stage=Stage.DOWNLOADED,
            stage_since=self.at,
            duration_s=self._duration_s(episode),
            video=video,
        )
        self.downloaded.append(episode)
        self._fill()

    def _duration_s(self, episode: Episode) -> float:
        return episode.audio_bytes / 32_000

    # Transcriptions

    def _claim_downloaded(self) -> bool:
        by_id = {episode.job.id: episode for episode in self.downloaded[: 2 * HEAD]}
        for job in transcription_order([e.job for e in by_id.values()], self.at):
            audio, transcript = parts_of_duration(job.duration_s or 0.0)
            if self._grant(job.id, Parts(0, audio, transcript)):
                episode = by_id[job.id]
                self.downloaded.remove(episode)
                self.transcribing[job.id] = episode
                self._in(1.0, "audio", job.id)
                return True
        return False

    def _audio(self, episode: Episode, _: int) -> None:
        self.usage += episode.audio_bytes
        episode.audio_on_disk = episode.audio_bytes
        self.ledger.written(episode.job.id, audio=episode.audio_bytes)
        self._in(self._duration_s(episode) * self.plan.real_time_factor, "transcript", episode.job.id)

    def _transcript(self, episode: Episode, _: int) -> None:
        self.usage += BLOCK_BYTES
        self.standing += BLOCK_BYTES
        self.ledger.written(episode.job.id, transcript=BLOCK_BYTES)
        del self.transcribing[episode.job.id]
        self.ledger.release(episode.job.id)
        self._in(self.chance.choice((0.0, 0.1)), "deleted", episode.job.id)

    def _deleted(self, episode: Episode, _: int) -> None:
        self.usage -= episode.audio_on_disk
        self._lose_partial(episode)
        self._end(episode, "transcribed")
        self._fill()

    # Ends

    def _grant(self, job_id: int, parts: Parts, written: Parts = Parts()) -> bool:  # noqa: B008 - frozen
        return self.ledger.grant(job_id, parts, written, usage_bytes=self.usage, free=ROOMY, limits=self.limits)

    def _can_ever_fit(self, length_bytes: int, transcripts_bytes: int = 0) -> bool:
        parts = parts_of_length(length_bytes, audio_only=False)
        return can_ever_fit(parts, self.limits, standing_bytes=self.standing + transcripts_bytes)

    def _take_from_queue(self, episode: Episode) -> None:
        self.queued.remove((episode.rank, episode.job.id))

    def _leave(self, episode: Episode) -> None:
        """End its download worker; its partial file stays."""
        self.downloading.pop(episode.job.id, None)
        self.ledger.release(episode.job.id)
        episode.life += 1

    def _back_to_queue(self, episode: Episode, *, free: bool) -> None:
        self._leave(episode)
        if free:
            episode.attempts -= 1
        elif episode.attempts >= MOST_ATTEMPTS:
            self._fail_for_good(episode)
            return
        self._in(self.chance.uniform(0.1, 5), "requeue", episode.job.id)
        self._fill()

    def _requeue(self, episode: Episode, _: int) -> None:
        insort(self.queued, (episode.rank, episode.job.id))
        self._fill()

    def _fail_for_good(self, episode: Episode) -> None:
        self._leave(episode)
        self._lose_partial(episode)
        self._end(episode, "dead")
        self._fill()

    def _lose_partial(self, episode: Episode) -> None:
        self.usage -= episode.partial_bytes
        episode.partial_bytes = 0
        self.ledger.written(episode.job.id, video=0)

    def _end(self, episode: Episode, outcome: str) -> None:
        assert not episode.outcome, "it ended twice"
        episode.outcome = outcome
        episode.life += 1
        self.finished += 1

    def _give_up_a_partial(self) -> bool:
        """Give up a partial file if nothing in hand can make room."""
        if self.ledger.reservations or any(e.audio_on_disk and not e.outcome for e in self.transcribing.values()):
            return False
        if any(what in ("deleted", "requeue") for _, _, what, number, life, _ in self.happening if number):
            return False
        partials = [e.job for e in map(self.episodes.__getitem__, (n for _, n in self.queued)) if e.partial_bytes]
        first = self.episodes[self.queued[0][1]].job
        job = to_give_up([job for job in partials if not (self.gate.is_open and job is first)])
        if job is None:
            return False
        self.given_up += 1
        self._lose_partial(self.episodes[job.id])
        self.gate = decide(self.gate, self._reading(), self.limits, START)
        return True

    def _kill(self) -> None:
        """Kill -9, and the next start: leases end, reservations of downloaded jobs are taken over, audio goes."""
        for episode in [*self.downloading.values(), *self.transcribing.values()]:
            episode.life += 1
        for number, episode in self.downloading.items():
            episode.attempts -= 1
            insort(self.queued, (episode.rank, number))
        for episode in self.transcribing.values():
            self.usage -= episode.audio_on_disk
            episode.audio_on_disk = 0
            self.downloaded.append(episode)
        reserved = {episode.job.id: self.ledger.reservations[episode.job.id].reserved for episode in self.downloaded}
        self.downloading.clear()
        self.transcribing.clear()
        self.ledger = Ledger()
        for number, parts in reserved.items():
            self.ledger.restore(number, parts)
        for episode in self.episodes.values():
            episode.expected = None
        self._fill()


def blocks(size_bytes: int) -> int:
    """Return what a file of this length takes on disk."""
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES
