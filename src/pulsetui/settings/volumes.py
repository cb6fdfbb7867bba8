"""The `[volumes]` section: how often mounts are looked at, which are left out, and what is asked of them."""

from __future__ import annotations

from datetime import timedelta

from pulsetui.settings.section import Section
from pulsetui.settings.types import Names, PositiveDuration, PositiveSize

# One a line would be longer than the rest of the module.
# fmt: off
IGNORED_TYPES = (
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
    "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "ramfs",
    "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tracefs",
)
"""What keeps no files of anybody's: the kernel's own views, and images of software."""
# fmt: on


class Volumes(Section):
    """The file systems that are mounted: how they are watched, and what they are asked."""

    refresh_interval: PositiveDuration = timedelta(seconds=30)
    """How often all volumes are looked at. They are looked at once more, at once, when something is (un)mounted."""
    ignored_types: Names = IGNORED_TYPES
    """Types of file systems that are no volumes, as in the third column of `/proc/mounts`."""
    probe_timeout: PositiveDuration = timedelta(seconds=2)
    """A mount that doesn't answer for this long is unresponsive. It is asked again, and delays no other one."""
    full_warning: PositiveDuration = timedelta(hours=48)
    """Warn of a tracked volume that is full within this time at its present growth."""
    speed_test_size: PositiveSize = 256 * 10**6
    """How much a speed test writes and reads in each of its rounds."""
    allow_memory: bool = False
    """Keep media on a file system in memory too. They are lost at a reboot, so a start there is refused otherwise."""
