"""How long a failed job waits: doubling with full jitter. Pure.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: a uniform draw from 0 to the
doubled cap spreads retries best.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """The bounds of waiting, in seconds."""

    base_s: float
    cap_s: float
    retry_after_cap_s: float
    """The most that a server's Retry-After is believed."""

    def delay_s(self, attempts: int, *, draw: float, retry_after_s: float | None = None) -> float:
        """Return the seconds until the next attempt, after `attempts` (≥ 1) failed ones.

        `draw` is a uniform random number from 0 to 1. A server's own figure wins over the back-off.
        """
        if retry_after_s is not None:
            return min(max(retry_after_s, 0.0), self.retry_after_cap_s)
        # 2**1023 is the largest power of two that a float holds; the cap is reached long before 64.
        bound = min(self.cap_s, self.base_s * 2.0 ** min(attempts - 1, 64))
        return bound * draw
