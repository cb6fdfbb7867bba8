"""Settings that keep the machine's mounts, and those of other tests, out of a test that isn't about volumes."""

from __future__ import annotations

from pathlib import Path

from pulsetui.settings.volumes import IGNORED_TYPES

KNOWN_TYPES = ", ".join(IGNORED_TYPES)
"""The setting as it is by default: for tests that are about volumes."""


def every_type() -> str:
    """Return all types of file systems that are there, or that tests mount, as the setting takes them."""
    known = {line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()}
    mounted = {line.split()[2] for line in Path("/proc/mounts").read_text().splitlines()}
    return ", ".join(sorted({*IGNORED_TYPES, *known, *mounted, "ext4", "fuse.hanging"}))
