"""The limits of the budget, made from the settings and the disks, and refused where they make no sense.

All rules are pure. The order that holds afterwards: 0 < resume < pause < ceiling < hard limit, where the ceiling is
the hard limit less what is kept aside for the database's write-ahead log and folders' own blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulsetui.errors import SettingsError
from pulsetui.settings.models import DiskManagement
from pulsetui.units import format_size

PAUSE_SHARE = 0.92
RESUME_SHARE = 0.80
SUSPEND_SHARE = 0.008
ASIDE_SHARE = 0.01
WAL_ALLOWANCE_BYTES = 2 << 20
"""What the write-ahead log may grow to between checkpoints (checkpoint at 256 pages of 4 KiB, doubled for a slow
reader)."""
LEAST_HARD_LIMIT_BYTES = 8 << 20
"""The database with its ballast and log takes 3 to 4 MiB; below twice that, no episode would ever fit."""
FLOOR_SHARE = 0.05
"""The built-in free-space floor is clamped to this share of a disk that is too small for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget's marks, in bytes."""

    hard_bytes: int
    pause_bytes: int
    resume_bytes: int
    suspend_bytes: int
    """Usage at which running downloads suspend and keep their partial file."""
    floor_bytes: int
    """Free space that every file system in use must keep."""
    aside_bytes: int

    @property
    def ceiling_bytes(self) -> int:
        """What committed bytes may reach: the hard limit less what is kept aside."""
        return self.hard_bytes - self.aside_bytes


def resolve_limits(disk: DiskManagement, *, disks_bytes: int, explicit: frozenset[str]) -> Limits:
    """Return the limits that hold on disks of `disks_bytes` in total.

    `explicit` holds the names of the settings in `[disk_management]` that somebody set: those are taken or refused,
    while built-in defaults are clamped to the disks.

    Raises:
        SettingsError: the values contradict each other or the disks; the message holds both numbers.
    """
    floor = disk.free_space_floor
    if "free_space_floor" not in explicit:
        floor = min(floor, int(disks_bytes * FLOOR_SHARE))
    hard = disk.hard_limit
    if "hard_limit" in explicit:
        _refuse(hard > disks_bytes, "hard_limit", hard, "the disks' size", disks_bytes, "lower hard_limit")
    else:
        hard = max(min(hard, disks_bytes - floor), 1)
    aside = max(int(hard * ASIDE_SHARE), WAL_ALLOWANCE_BYTES)
    _refuse(
        hard < LEAST_HARD_LIMIT_BYTES, "hard_limit", hard, "the least that works", LEAST_HARD_LIMIT_BYTES, "raise it"
    )
    pause = disk.pause_threshold if disk.pause_threshold is not None else min(int(hard * PAUSE_SHARE), hard - aside)
    resume = disk.resume_threshold if disk.resume_threshold is not None else int(hard * RESUME_SHARE)
    if disk.resume_threshold is None and resume >= pause:
        resume = max(1, int(pause * RESUME_SHARE / PAUSE_SHARE))
    suspend_margin = disk.suspend_margin if disk.suspend_margin is not None else int(hard * SUSPEND_SHARE)
    _refuse(pause >= hard, "pause_threshold", pause, "hard_limit", hard, "put pause_threshold below hard_limit")
    _refuse(resume >= pause, "resume_threshold", resume, "pause_threshold", pause, "put resume below pause")
    _refuse(
        pause > hard - aside, "pause_threshold", pause, "hard_limit less what is kept aside", hard - aside, "lower it"
    )
    if disk.safety_margin is not None:
        what = "the room between pause_threshold and hard_limit"
        _refuse(disk.safety_margin > hard - pause, "safety_margin", disk.safety_margin, what, hard - pause, "lower it")
    _refuse(
        pause >= hard - suspend_margin,
        "suspend_margin",
        suspend_margin,
        "the room above pause",
        hard - pause,
        "lower it",
    )
    return Limits(hard, pause, resume, hard - suspend_margin, floor, aside)


def _refuse(contradiction: bool, key: str, value: int, other: str, other_value: int, hint: str) -> None:
    if contradiction:
        raise SettingsError(
            f"disk_management.{key} is {format_size(value)} ({value} bytes), against {other} of "
            f"{format_size(other_value)} ({other_value} bytes)",
            hint=f"{hint}; `pulsetui config show` tells where each value came from",
        )
