"""The transcription workers: claim, run one process, judge, write the transcript, commit.

Deleting is left to `deletion`.

Invariant: a job becomes `transcribed` only with a transcript that was accepted, is durable under its final name, and
is named in the same commit that marks its media for deletion.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pulsetui.budget.ledger import AUDIO_BYTES_PER_S, Parts, can_ever_fit
from pulsetui.budget.usage import Kind
from pulsetui.db.database import Transaction
from pulsetui.errors import FailureClass, LeaseLostError, PulseError, SpaceError, VolumeAwayError, WorkerFailedError
from pulsetui.files.modes import PRIVATE, Modes
from pulsetui.pipeline import states, store
from pulsetui.pipeline.choice import parts_to_transcribe, transcription_order
from pulsetui.pipeline.deletion import Sweeper
from pulsetui.pipeline.engines.base import Segment
from pulsetui.pipeline.events import JobTranscribed, TranscriptionStarted
from pulsetui.pipeline.jobs import Job, Lease, Stage, TranscriptFile
from pulsetui.pipeline.kinds import TOO_LONG
from pulsetui.pipeline.leases import LEASE
from pulsetui.pipeline.live import LiveTask
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.pipeline.transcriber import kept_files
from pulsetui.pipeline.transcriber.acceptance import Rules, Verdict, judge
from pulsetui.pipeline.transcriber.transcript import Transcript
from pulsetui.processes.runner import Limits, TaskSpec, run
from pulsetui.units import format_size
from pulsetui.volumes.ground_watch import GroundWatch
from pulsetui.waiting import in_thread

HEAD_OF_QUEUE = 256
BLOCK_BYTES = 4096
_TASK = "pulsetui.pipeline.tasks:transcribe"


@dataclass(frozen=True, slots=True)
class TranscriptionSettings:
    """What the service needs of the settings and the machine."""

    audio_root: Path
    transcripts_root: Path
    engine: str
    rules: Rules
    progress_timeout_s: float
    owner: str
    """The uuid of the owner's instance."""
    modes: Modes = PRIVATE
    """Those of audio and transcripts."""


class Transcriptions:
    """Claims downloaded jobs and turns their speech into accepted transcripts."""

    def __init__(
        self,
        outcomes: Outcomes,
        sweeper: Sweeper,
        settings: TranscriptionSettings,
        *,
        ground: GroundWatch | None = None,
    ) -> None:
        """Take the parts; `ground` knows whether the disks of media, audio and transcripts are there (None: always)."""
        self._ground = ground or GroundWatch()
        self._outcomes = outcomes
        self._budget = outcomes.budget
        self._sweeper = sweeper
        self._settings = settings

    async def claim(self, worker: str) -> Job | None:
        """Claim the downloaded job that frees most per minute, with room for its audio; None when there is none."""
        # Media may lie on the disk of any ground that was noted; reading it is all that is wanted of that.
        if await self._ground.confirm(*self._ground.grounds.paths, writing=False) or self._own_ground_away():
            return None
        return await self._outcomes.database.write(lambda tx: self._claim(tx, worker))

    def _own_ground_away(self) -> str:
        """Return why nothing can be written."""
        grounds = self._ground.grounds
        return grounds.away(self._settings.audio_root) or grounds.away(self._settings.transcripts_root)

    async def _claim(self, tx: Transaction, worker: str) -> Job | None:
        now = self._outcomes.clock.now()
        candidates = await store.head(tx, Stage.DOWNLOADED, now=now, limit=HEAD_OF_QUEUE)
        for job in transcription_order(candidates, now):
            parts = parts_to_transcribe(job)
            if not await self._budget.reserve(tx, job.id, parts):
                await self._hold_if_unfit(tx, job, parts)
                continue
            lease = Lease(str(uuid.uuid4()), self._settings.owner, worker, now + LEASE)
            started = TranscriptionStarted(
                name=job.name,
                worker=worker,
                size_bytes=job.video.size_bytes if job.video else 0,
                duration_s=job.duration_s or 0.0,
                job_id=job.id,
                entity=job.entity,
            )
            claimed, _ = await self._outcomes.advance(tx, job, states.Claimed(lease), started)
            return claimed
        return None

    async def _hold_if_unfit(self, tx: Transaction, job: Job, parts: Parts) -> None:
        """Hold a job whose audio and transcript don't fit beside its media even with nothing else on disk."""
        whole = replace(parts, video=job.video.allocated_bytes if job.video else 0)
        if not can_ever_fit(whole, self._budget.limits):
            needs, most = format_size(whole.total()), format_size(self._budget.limits.ceiling_bytes)
            reason = f"needs {needs} with its audio and transcript, and the hard limit leaves {most} at most"
            await self._outcomes.advance(tx, job, states.Unfit(reason))

    async def work(self, live: LiveTask) -> None:
        """Transcribe one job, and write what became of it."""
        audio = self._audio_path(live.job)
        accepted = False
        try:
            already = await in_thread(kept_files.allocated, self._ground.grounds, audio)
            self._budget.follow(audio, Kind.AUDIO, already_bytes=already)
            accepted = await self._attempt(live, audio)
        except LeaseLostError:
            pass  # somebody else decided; nothing of this attempt counts
        except asyncio.CancelledError:
            await self._stopped(live, audio)
            raise
        except WorkerFailedError as error:
            await self._worker_failed(live, audio, error)
        except (PulseError, OSError) as error:
            if isinstance(error, SpaceError) and isinstance(error.__cause__, OSError):
                await self._budget.disk_is_full(str(error))
            await self._fail(live, audio, await self._blamed(error) or self._outcomes.failed(error))
        except Exception as error:  # noqa: BLE001 - the per-job boundary: a mistake of ours fails this job alone
            await self._fail(live, audio, self._outcomes.failed(error))
        finally:
            if not accepted:
                await self._discard_audio(live.job.id, audio)

    async def _stopped(self, live: LiveTask, audio: Path) -> None:
        """Write what it means that the worker was told to stop; an order that took the job away has said so itself."""
        if live.stopped_for in ("", "shutdown"):
            await self._fail(live, audio, states.AttemptFailed(FailureClass.SHUTDOWN, "pulsetui stopped", 0.0))
        elif live.stopped_for == "stalled":
            stalled = f"no progress for {self._settings.progress_timeout_s:.0f} s"
            failed = states.AttemptFailed(FailureClass.TRANSIENT, stalled, 1.0)
            await self._fail(live, audio, await self._blamed(TimeoutError()) or failed)

    async def _attempt(self, live: LiveTask, audio_path: Path) -> bool:
        """Run the process and judge its answer; return whether the audio belongs to the job now."""
        job = live.job
        if job.video is None or job.lease is None:
            raise LeaseLostError(f"job {job.id} has no media or no lease")
        await in_thread(kept_files.make_folder, self._ground.grounds, audio_path.parent, self._settings.modes)
        began = self._outcomes.clock.monotonic()
        answer = await run(
            self._spec(job, job.video.path, audio_path), lambda event: self._progress(live, audio_path, event)
        )
        seconds = self._outcomes.clock.monotonic() - began
        live.update(done=live.done, total=live.total, phase="judging")
        segments = tuple(Segment(**segment) for segment in answer["segments"])
        verdict = judge(
            speech=[(start, end) for start, end in answer["speech"]],
            segments=segments,
            decoded_s=answer["decoded_s"],
            container_s=answer["container_s"],
            rules=self._settings.rules,
        )
        if not verdict.accepted:
            await self._reject(job, verdict, seconds)
            return False
        await self._accept(live, audio_path, answer, segments, verdict, seconds)
        return True

    def _spec(self, job: Job, media: Path, audio: Path) -> TaskSpec:
        reservation = self._budget.ledger.reservations.get(job.id)
        return TaskSpec(
            task=_TASK,
            arguments={
                "media_path": str(media),
                "audio_path": str(audio),
                "audio_mode": self._settings.modes.file,
                "engine": self._settings.engine,
            },
            limits=Limits(file_bytes=reservation.reserved.audio if reservation else None),
        )

    def _progress(self, live: LiveTask, audio_path: Path, event: Mapping[str, Any]) -> None:
        live.update(done=event["done_s"], total=event["total_s"], phase=event["stage"])
        allocated = -(-event["audio_bytes"] // BLOCK_BYTES) * BLOCK_BYTES
        self._budget.moved(live.job.id, audio_path, Kind.AUDIO, allocated)

    async def _reject(self, job: Job, verdict: Verdict, seconds: float) -> None:
        reason = "; ".join(verdict.reasons)
        await self._outcomes.write(job, states.Rejected(_receipt(verdict), reason, seconds))

    async def _accept(
        self,
        live: LiveTask,
        audio_path: Path,
        answer: Mapping[str, Any],
        segments: tuple[Segment, ...],
        verdict: Verdict,
        seconds: float,
    ) -> None:
        job = live.job
        live.update(done=live.done, total=live.total, phase="saving")
        audio = await in_thread(kept_files.media_file, self._ground.grounds, audio_path)
        self._budget.moved(job.id, audio_path, Kind.AUDIO, audio.allocated_bytes)
        transcript = Transcript(
            source_sha256=job.sha256 or "",
            engine=answer["engine"],
            model=answer["model"],
            language=answer["language"],
            container_s=answer["container_s"],
            decoded_s=answer["decoded_s"],
            segments=segments,
            verdict=verdict,
        ).to_json()
        await self._check_lease(job)
        path = self._settings.transcripts_root.joinpath(*job.entity_folders, f"{job.uuid}.json")
        identity = await in_thread(
            kept_files.write_transcript, self._ground.grounds, path, transcript, self._settings.modes
        )
        self._budget.usage.added(Kind.TRANSCRIPTS, identity.allocated_bytes)
        self._budget.ledger.written(job.id, transcript=identity.allocated_bytes)
        file = TranscriptFile(path, identity.size_bytes, hashlib.sha256(transcript).hexdigest())
        rtf = seconds / answer["decoded_s"] if answer["decoded_s"] else None
        coverage = verdict.coverage if verdict.has_speech else None
        told = JobTranscribed(
            name=job.name, coverage=coverage, seconds=seconds, real_time_factor=rtf, job_id=job.id, entity=job.entity
        )
        await self._outcomes.write(
            job, states.Accepted(file, audio, _receipt(verdict), answer["decoded_s"], seconds), told
        )
        self._budget.settled(audio_path)
        self._sweeper.wake()

    async def _check_lease(self, job: Job) -> None:
        """Stop before the transcript is written if the job is not this worker's any more."""
        token = job.lease.token if job.lease else ""
        if not await self._outcomes.database.read(lambda reader: store.holds(reader, job.id, token)):
            raise LeaseLostError(f"job {job.id} was taken away before its transcript was written")

    async def _worker_failed(self, live: LiveTask, audio: Path, error: WorkerFailedError) -> None:
        """Write what an error means that the process answered with."""
        if away := await self._blamed(error):
            await self._fail(live, audio, away)
            return
        reservation = self._budget.ledger.reservations.get(live.job.id)
        if error.kind == TOO_LONG and reservation is not None:
            reserved_s = reservation.reserved.audio / AUDIO_BYTES_PER_S
            await self._fail(live, audio, states.AudioLonger(str(error), reserved_s))
            return
        if error.kind == SpaceError.code:
            await self._budget.disk_is_full(str(error))
        await self._fail(live, audio, self._outcomes.failed(error))

    async def _blamed(self, error: BaseException) -> states.AttemptFailed | None:
        """Return the failure of an attempt whose disk is away, None if that isn't why it failed."""
        paths = self._ground.grounds.paths
        why = await self._ground.blames(error, *paths)
        return states.AttemptFailed(FailureClass.AWAY, why, 0.0 if self._ground.away() else 1.0) if why else None

    async def _fail(self, live: LiveTask, audio: Path, failed: states.AttemptFailed | states.AudioLonger) -> None:
        await self._discard_audio(live.job.id, audio)
        try:
            await self._outcomes.write(live.job, failed)
        except LeaseLostError:
            return

    async def _discard_audio(self, job_id: int, audio: Path) -> None:
        """Remove audio that no transcript was accepted from; it can be extracted again.

        The row is asked: a cancellation may have come right after the commit that accepted the transcript.
        """
        job = await self._outcomes.database.read(lambda reader: store.get(reader, job_id))
        if job.audio is not None:
            self._budget.settled(audio)
            return
        try:
            await in_thread(kept_files.remove_own, self._ground.grounds, audio)
        except (VolumeAwayError, OSError):  # it counts as it was last seen; the next start removes it
            self._budget.settled(audio)
            return
        self._budget.vanished(job_id, audio, Kind.AUDIO)

    def _audio_path(self, job: Job) -> Path:
        return self._settings.audio_root.joinpath(*job.entity_folders, f"{job.uuid}.wav")


def _receipt(verdict: Verdict) -> str:
    return json.dumps(asdict(verdict), ensure_ascii=False)
