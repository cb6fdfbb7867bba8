"""Named fault points: the places where a test can kill the process, raise an I/O error, or delay.

Every call that crosses an I/O seam (files, commits, sockets, processes) is preceded or followed by
`point("room.what")`, or `await async_point(…)` where the event loop must go on meanwhile. Unarmed, a point is one
comparison with None.

A plan is text, so that it can go to a spawned process through the environment: entries joined by `;`, each
`name[@N]=effect`, where `N` (default 1) is the hit, counted per process, at which the effect strikes, and the effect is
`kill` (SIGKILL to this process), an errno name (`ENOSPC`, `EIO`), or `delay:SECONDS`. `@*` strikes at every hit.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from dataclasses import dataclass

ENVIRONMENT = "PULSETUI_FAULTS"


@dataclass(slots=True)
class _Fault:
    effect: str
    strikes_at: int | None
    hits: int = 0


_plan: dict[str, _Fault] | None = None
_lock = threading.Lock()


def arm(plan: str) -> None:
    """Arm the points that `plan` names.

    Raises:
        ValueError: the plan can't be read.
    """
    global _plan  # one process, one plan: the unarmed test must stay one comparison
    faults: dict[str, _Fault] = {}
    for entry in filter(None, (part.strip() for part in plan.split(";"))):
        target, equals, effect = entry.partition("=")
        name, _, nth = target.partition("@")
        if not equals or not name or not _known(effect):
            raise ValueError(f"fault plan entry {entry!r}: use name[@N]=kill, =ERRNO or =delay:SECONDS")
        faults[name] = _Fault(effect, None if nth == "*" else int(nth or 1))
    _plan = faults or None


def arm_from_environment() -> None:
    """Arm what the environment variable PULSETUI_FAULTS names, if it is set."""
    plan = os.environ.get(ENVIRONMENT)
    if plan:
        arm(plan)


def disarm() -> None:
    """Forget the plan."""
    arm("")


def point(name: str) -> None:
    """Let an armed fault strike here; for worker threads and child processes, since a delay blocks.

    Raises:
        OSError: the plan says so.
    """
    if _plan is None:
        return
    delay_s = _strike(name)
    if delay_s:
        time.sleep(delay_s)


async def async_point(name: str) -> None:
    """Let an armed fault strike here, on the event loop.

    Raises:
        OSError: the plan says so.
    """
    if _plan is None:
        return
    delay_s = _strike(name)
    if delay_s:
        import asyncio  # half of what `pulsetui --version` would take, and only a delay needs it

        await asyncio.sleep(delay_s)


def _known(effect: str) -> bool:
    return effect == "kill" or effect.startswith("delay:") or hasattr(errno, effect)


def _strike(name: str) -> float:
    """Carry out what the plan says of this hit and return the seconds to wait."""
    with _lock:
        fault = _plan.get(name) if _plan else None
        if fault is None:
            return 0.0
        fault.hits += 1
        if fault.strikes_at is not None and fault.hits != fault.strikes_at:
            return 0.0
        effect = fault.effect
    if effect == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if effect.startswith("delay:"):
        return float(effect.removeprefix("delay:"))
    number: int = getattr(errno, effect)
    raise OSError(number, os.strerror(number), f"(fault point {name})")
