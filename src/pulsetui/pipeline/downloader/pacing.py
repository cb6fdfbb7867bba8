"""How fast downloads may go, and how slow: a bandwidth limit over all, requests a second per host, the slowest speed.

The rules are pure and take `now` in monotonic seconds, or the seconds that were waited; sleeping is left to the caller.
"""

from __future__ import annotations


class TokenBucket:
    """A limit of bytes a second over all downloads together; a second's worth may come at once.

    A take that finds the bucket empty goes into debt, and waits for as long as the debt takes to be filled; the next
    one waits longer.
    """

    def __init__(self, rate_bps: float | None) -> None:
        """Limit to `rate_bps` bytes a second; None is no limit."""
        self._rate_bps = rate_bps
        self._level = rate_bps or 0.0
        self._at: float | None = None

    def take(self, size_bytes: int, now: float) -> float:
        """Take `size_bytes` and return the seconds to wait before the next."""
        if self._rate_bps is None:
            return 0.0
        elapsed_s = max(0.0, now - self._at) if self._at is not None else 0.0
        self._at = now if self._at is None else max(self._at, now)
        self._level = min(self._rate_bps, self._level + elapsed_s * self._rate_bps) - size_bytes
        return max(0.0, -self._level / self._rate_bps)


class Spacing:
    """A limit of requests a second to each host: evenly spaced, without bursts."""

    def __init__(self, per_second: float) -> None:
        """Limit to `per_second` requests."""
        self._gap_s = 1.0 / per_second
        self._next: dict[str, float] = {}

    def reserve(self, host: str, now: float) -> float:
        """Reserve the next request to `host` and return the seconds to wait before it."""
        if len(self._next) > 1_000:
            self._next = {name: at for name, at in self._next.items() if at > now}
        at = max(now, self._next.get(host, now))
        self._next[host] = at + self._gap_s
        return at - now


class SlowWatch:
    """Tells when a source sent less than `slowest_bps` over `window_s` of waiting for it.

    Only the time that was spent waiting for the source counts: not ours for the disk, a reservation or the bandwidth
    limit.
    """

    def __init__(self, slowest_bps: float, window_s: float) -> None:
        """Watch windows of `window_s` seconds; 0 `slowest_bps` is never too slow."""
        self._slowest_bps = slowest_bps
        self._window_s = window_s
        self._waited_s = 0.0
        self._received_bytes = 0

    def note(self, received_bytes: int, waited_s: float) -> bool:
        """Note what came after how long a wait; return True if the window that this ends was too slow."""
        self._received_bytes += received_bytes
        self._waited_s += waited_s
        if self._waited_s < self._window_s:
            return False
        slow = self._received_bytes < self._slowest_bps * self._waited_s
        self._waited_s, self._received_bytes = 0.0, 0
        return slow
