"""What names a process for ever, across reuse of its pid and restarts of the machine; and the users behind uids."""

from __future__ import annotations

import pwd
from pathlib import Path

_OVER = {b"Z", b"X"}  # dead, and only not yet collected by its parent


def user_name(uid: int) -> str:
    """Return the name of a user, or the number as text if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def boot_id() -> str:
    """Return the id of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def process_start(pid: int) -> int | None:
    """Return when a process started, in ticks since boot (proc(5), `stat`, field 22); None if it is over."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(b")")[2].split()
    return None if fields[0] in _OVER else int(fields[19])
