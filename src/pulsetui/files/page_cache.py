"""What the kernel holds of an open file in memory (mincore(2))."""

from __future__ import annotations

import ctypes
import mmap


def cached_share(descriptor: int, size_bytes: int) -> float:
    """Return how much of an open file is in the page cache, 0 to 1; 1 if that can't be told. By mincore(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    pages = -(-size_bytes // mmap.PAGESIZE)
    resident = (ctypes.c_ubyte * pages)()
    try:
        mapped = mmap.mmap(descriptor, size_bytes)
    except (OSError, ValueError):
        return 1.0
    with mapped:
        start = ctypes.c_char.from_buffer(mapped)
        failed = libc.mincore(ctypes.byref(start), ctypes.c_size_t(size_bytes), resident)
        del start  # else the map can't be closed
    return 1.0 if failed else sum(flag & 1 for flag in resident) / pages
