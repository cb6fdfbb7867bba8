"""Measures how long the event loop is held: a probe that sleeps a tenth of a second and sees how late it wakes."""

from __future__ import annotations

from collections import deque

from pulsetui.clock import Clock

PROBE_EVERY_S = 0.1
_SAMPLES = 1200
"""Two minutes of probes."""


class LagProbe:
    """The latest lags of the event loop, in milliseconds."""

    def __init__(self, clock: Clock) -> None:
        """Start without samples."""
        self._clock = clock
        self._lags_ms: deque[float] = deque(maxlen=_SAMPLES)
        self.worst_ms = 0.0
        """The longest lag since the start."""

    async def run(self) -> None:
        """Probe until cancelled."""
        while True:
            before = self._clock.monotonic()
            await self._clock.sleep(PROBE_EVERY_S)
            lag_ms = max(0.0, self._clock.monotonic() - before - PROBE_EVERY_S) * 1000
            self._lags_ms.append(lag_ms)
            self.worst_ms = max(self.worst_ms, lag_ms)

    def p99_ms(self) -> float | None:
        """Return the 99th percentile of the last two minutes, or None before the first probe."""
        if not self._lags_ms:
            return None
        ordered = sorted(self._lags_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
