"""Whether a transcript may take the place of its media, which is deleted then.

Owns the verdict, a pure function of figures. The invariant: nothing that the engine says of itself counts, only where
its text stands against speech that another detector found, and against the length that the container states. What
follows from a verdict (held, deleted) is left to the pipeline.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from typing import Any

from pulsetui.pipeline.engines.base import Segment

Region = tuple[float, float]
"""Start and end in seconds."""

LEAST_SPEECH_S = 1.0
"""Less speech than this in all is the detector's noise: the media has none."""
PAST_END_S = 2.0
"""Text that ends this much after the audio has times that can't be true."""
WINDOW_CHARACTERS = 400
"""Repetition is looked for in stretches of this length: about 30 s of speech, the window for which Whisper's own limit
of 2.4 was chosen (openai/whisper, transcribe.py, `compression_ratio_threshold`). Whole transcripts of plain English
compress to 3 and more."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits; see the settings of `transcription`."""

    min_coverage: float = 0.7
    max_gap_s: float = 60.0
    max_end_distance_s: float = 30.0
    max_compression_ratio: float = 2.4


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, and the figures that it was decided by: the receipt of the job."""

    accepted: bool
    has_speech: bool
    reasons: tuple[str, ...]
    """Why it isn't accepted, a plain sentence each; empty if it is."""
    coverage: float
    """Speech seconds that have text / speech seconds; 1 if there is no speech."""
    speech_s: float
    largest_gap_s: float
    """The most seconds of speech between two texts. Silence between them doesn't count."""
    gap_at_s: float | None
    """Where the speech of that gap begins; None if there is none."""
    end_distance_s: float
    """How long before the end of the last speech the text ends; 0 if it doesn't."""
    compression_ratio: float
    """Bytes of text / bytes compressed, of the stretch that repeats itself most; 0 without text."""
    repeats_at_s: float | None
    """Where that stretch begins; None without text."""

    def plain(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "reasons": list(self.reasons)}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Verdict:
        """Return the verdict that `plain` gave.

        Raises:
            ValueError: something is missing or unknown.
        """
        try:
            return cls(**{**values, "reasons": tuple(values["reasons"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a verdict: {error}") from error


def judge(
    *,
    speech: Sequence[Region],
    segments: Sequence[Segment],
    decoded_s: float,
    container_s: float | None,
    rules: Rules,
) -> Verdict:
    """Judge a transcript by the speech that was found and by the length of the media.

    `decoded_s` is what came out of the decoder; `container_s` what the container states, None if it doesn't.
    """
    spoken = merged(speech)
    told = sorted((segment for segment in segments if segment.text.strip()), key=lambda segment: segment.start)
    texts = merged((segment.start, segment.end) for segment in told)
    speech_s = sum(end - start for start, end in spoken)
    last_text_s = texts[-1][1] if texts else 0.0
    gaps = _gaps(spoken, texts)
    gap_at_s, largest_gap_s = max(gaps, key=lambda gap: gap[1], default=(None, 0.0))
    ratio, repeats_at_s = _repetition(told)
    # Rounded before they are compared: a receipt must not say 0.7000 of one that was held for less than 0.7.
    figures = Verdict(
        accepted=True,
        has_speech=speech_s >= LEAST_SPEECH_S,
        reasons=(),
        coverage=round(_share(speech_s - sum(length_s for _, length_s in gaps), speech_s), 4),
        speech_s=round(speech_s, 3),
        largest_gap_s=round(largest_gap_s, 3),
        gap_at_s=gap_at_s,
        end_distance_s=round(max(0.0, spoken[-1][1] - last_text_s), 3) if spoken else 0.0,
        compression_ratio=round(ratio, 2),
        repeats_at_s=repeats_at_s,
    )
    reasons = (*_length_reasons(last_text_s, decoded_s, container_s), *_speech_reasons(figures, rules))
    return replace(figures, accepted=not reasons, reasons=reasons)


def merged(regions: Iterable[Region]) -> list[Region]:
    """Return regions in order, those that overlap or touch joined, empty ones left out."""
    joined: list[Region] = []
    for start, end in sorted(region for region in regions if region[1] > region[0]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def compression_ratio(text: str) -> float:
    """Return the bytes of `text` per byte of it compressed; 0 for none. Whisper's measure of repetition."""
    data = text.encode(errors="replace")
    return len(data) / len(zlib.compress(data)) if data else 0.0


def allowed_loss_s(container_s: float) -> float:
    """Return how much shorter than stated media may decode: 2 s or 1 %, for the odd broken packet and padding."""
    return max(2.0, 0.01 * container_s)


def _gaps(spoken: list[Region], texts: list[Region]) -> list[tuple[float, float]]:
    """Return, for each stretch without text, where the speech in it begins and how long that is in all."""
    starts = [start for start, _ in spoken]
    gaps = []
    edges = [0.0, *(edge for text in texts for edge in text), float("inf")]
    for since, until in zip(edges[::2], edges[1::2], strict=True):
        begins: float | None = None
        length_s = 0.0
        for start, end in spoken[max(0, bisect_right(starts, since) - 1) :]:
            if start >= until:
                break
            part_s = min(end, until) - max(start, since)
            if part_s > 0:
                begins = max(start, since) if begins is None else begins
                length_s += part_s
        if begins is not None:
            gaps.append((begins, length_s))
    return gaps


def _repetition(told: Sequence[Segment]) -> tuple[float, float | None]:
    """Return the highest compression ratio of any stretch of the text, and when the segment that it is in begins."""
    texts = [segment.text.strip() for segment in told]
    whole = " ".join(texts)
    if not whole:
        return 0.0, None
    offsets = [0, *accumulate(len(text) + 1 for text in texts)]
    step = WINDOW_CHARACTERS // 2
    windows = range(0, max(1, len(whole) - step), step)
    ratios = {start: compression_ratio(whole[start : start + WINDOW_CHARACTERS]) for start in windows}
    worst = max(windows, key=ratios.__getitem__)
    return ratios[worst], told[bisect_right(offsets, worst) - 1].start


def _length_reasons(last_text_s: float, decoded_s: float, container_s: float | None) -> list[str]:
    reasons = []
    if container_s is not None and container_s - decoded_s > allowed_loss_s(container_s):
        reasons.append(f"the media is cut short or broken: {decoded_s:.0f} s of {container_s:.0f} s could be decoded")
    if last_text_s > decoded_s + PAST_END_S:
        reasons.append(f"the text ends at {clock(last_text_s)}, after the audio, which ends at {clock(decoded_s)}")
    return reasons


def _speech_reasons(verdict: Verdict, rules: Rules) -> list[str]:
    reasons: list[str] = []
    if not verdict.has_speech:
        return reasons
    if verdict.coverage < rules.min_coverage:
        reasons.append(
            f"{_percent(verdict.coverage)} of {verdict.speech_s:.0f} s of speech has text, "
            f"less than {_percent(rules.min_coverage)}"
        )
    if verdict.largest_gap_s > rules.max_gap_s:
        reasons.append(
            f"{verdict.largest_gap_s:.0f} s of speech from {clock(verdict.gap_at_s or 0.0)} on has no text, "
            f"more than {rules.max_gap_s:.0f} s"
        )
    if verdict.end_distance_s > rules.max_end_distance_s:
        reasons.append(
            f"the text ends {verdict.end_distance_s:.0f} s before the last speech, "
            f"more than {rules.max_end_distance_s:.0f} s"
        )
    if verdict.compression_ratio > rules.max_compression_ratio:
        reasons.append(
            f"the text repeats itself from {clock(verdict.repeats_at_s or 0.0)} on: "
            f"compression ratio {verdict.compression_ratio:.1f}, more than {rules.max_compression_ratio:.1f}"
        )
    return reasons


def _share(part: float, whole: float) -> float:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 1.0


def clock(seconds: float) -> str:
    """Return a time in the audio, such as `12:30` or `1:02:30`."""
    minutes, whole_s = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole_s:02}" if hours else f"{minutes}:{whole_s:02}"


def _percent(share: float) -> str:
    """With a decimal, so that 69.9 % doesn't read as "70 %, less than 70 %"."""
    return f"{share * 100:.1f} %"
