"""How a demo went: the figures, whether it kept the product's promises, and both as lines and as JSON.

Pure: collecting the figures is left to `run`, printing them to the command line.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pulsetui.units import format_duration, format_percent, format_size

LARGEST_WORD_ERROR_RATE = 0.15
"""From this on the demo failed: it is three times what the offline engine gets on the clips, so something is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of one demo; as JSON, its keys are the fields, and `ok`."""

    episodes: int
    transcribed: int
    word_error_rate: float
    """Word errors per word said, over all transcribed episodes."""
    pauses: int
    """How often the gate closed."""
    resumes: int
    """How often it opened again."""
    peak_committed_bytes: int
    """The most that pulsetui had committed: used, and still to come from running work."""
    peak_observed_bytes: int | None
    """The most that another process saw on the disk; None if nobody watched."""
    hard_limit_bytes: int
    videos_left: int
    """Video files on the disk at the end; each should have gone when its transcript was safe."""
    seconds: float
    real_time_factor: float | None
    """Transcription time per second of audio, of one worker; None if nothing was transcribed."""
    worst_loop_lag_ms: float | None
    """The longest that the event loop was held up; None if it wasn't measured."""
    data_dir: str
    """Where the demo ran; it's gone after the end unless it was to be kept."""

    @property
    def ok(self) -> bool:
        """Whether every promise was kept; the demo's exit code is 0 only then."""
        return not self.problems()

    def problems(self) -> tuple[str, ...]:
        """Return what went wrong, as plain sentences with the figures."""
        observed_bytes = self.peak_observed_bytes or 0
        limit = format_size(self.hard_limit_bytes)
        checks = (
            (self.episodes > 0, "there were no episodes"),
            (self.transcribed == self.episodes, f"{self.episodes - self.transcribed} episodes were not transcribed"),
            (
                self.word_error_rate < LARGEST_WORD_ERROR_RATE,
                f"word error rate {self.word_error_rate:.1%} is not below {LARGEST_WORD_ERROR_RATE:.0%}",
            ),
            (
                self.peak_committed_bytes <= self.hard_limit_bytes,
                f"committed {format_size(self.peak_committed_bytes)} passed the hard limit of {limit}",
            ),
            (
                observed_bytes <= self.hard_limit_bytes,
                f"another process saw {format_size(observed_bytes)}, past the hard limit of {limit}",
            ),
            (self.pauses > 0, "the gate never closed"),
            (self.resumes == self.pauses, f"the gate closed {self.pauses} times, but opened {self.resumes} times"),
            (self.videos_left == 0, f"{self.videos_left} videos were left on the disk"),
        )
        return tuple(sentence for kept, sentence in checks if not kept)

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps({**asdict(self), "ok": self.ok})

    def lines(self) -> tuple[str, ...]:
        """Return the summary as plain lines, what went wrong at the end."""
        rows = [
            ("transcribed", f"{self.transcribed} of {self.episodes} episodes in {format_duration(self.seconds)}"),
            ("word error rate", f"{self.word_error_rate:.1%}"),
            ("gate", f"paused {self.pauses}, resumed {self.resumes}"),
            ("peak committed", self._of_limit(self.peak_committed_bytes)),
            ("peak on disk", self._of_limit(self.peak_observed_bytes)),
            ("videos left", str(self.videos_left)),
        ]
        if self.real_time_factor is not None:
            rows.append(("real-time factor", f"{self.real_time_factor:.2f}"))
        if self.worst_loop_lag_ms is not None:
            rows.append(("worst loop lag", f"{self.worst_loop_lag_ms:.0f} ms"))
        rows.append(("data directory", self.data_dir))
        verdict = [("failed", problem) for problem in self.problems()] or [("passed", "every promise was kept")]
        return tuple(f"{label:<16}  {text}" for label, text in rows + verdict)

    def _of_limit(self, used_bytes: int | None) -> str:
        if used_bytes is None:
            return "not watched"
        share = format_percent(used_bytes / self.hard_limit_bytes)
        return f"{format_size(used_bytes)} of {format_size(self.hard_limit_bytes)} ({share})"
