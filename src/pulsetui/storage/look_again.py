"""Which folders a refresh lists again though they seem unchanged. Pure.

A folder whose mtime and ctime are as they were has the same names in it; its files may still have grown. So these are
listed again: folders that somebody marked, those written to while or shortly before they were last listed, and a
rolling share of the rest, what was recently written and is large first. A round of the share goes through all folders
before the next one begins; a whole walk begins one, too. What could not be read is the scanner's to try again.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

from pulsetui.storage.links import Records
from pulsetui.storage.scan.records import FolderRecord

RECENT_MS = 600_000
"""A folder is recently changed if it was written to at most so long before it was last listed."""
MOST_RECENT = 1_000
"""How many recently changed folders are listed again at the most, beyond the rolling share: the newest ones."""
_NS = 1_000_000
_HOUR_NS = 3_600 * 10**9


@dataclass(slots=True)
class LookAgain:
    """The folders to list again, by root's id, and the round of the rolling share that goes on after it."""

    folders: dict[int, set[bytes]] = field(default_factory=dict)
    rolling: int = 0
    """How many of them are the rolling share."""
    round_ms: int = 0
    """When the round began: what was last listed before that is still to come."""


def look_again(
    records: Records, marked: Mapping[int, set[bytes]], *, share: float, round_ms: int, now_ms: int
) -> LookAgain:
    """Return what to list again of `records`.

    `share` is the part of the folders, 0 to 1, that the rolling share takes; `round_ms` when its round began.
    """
    chosen = LookAgain({root_id: marked.get(root_id, set()) & folders.keys() for root_id, folders in records.items()})
    recent: list[tuple[int, int, bytes]] = []
    rest: list[tuple[int, FolderRecord]] = []
    total = 0
    for root_id, folders in records.items():
        taken = chosen.folders[root_id]
        total += len(folders)
        for path, record in folders.items():
            if path in taken:
                continue
            written_ms = max(record.newest_ns, record.mtime_ns) // _NS
            if written_ms >= record.verified_ms - RECENT_MS:
                recent.append((written_ms, root_id, path))
            elif record.verified_ms < round_ms:
                rest.append((root_id, record))
    for _, root_id, path in heapq.nlargest(MOST_RECENT, recent):
        chosen.folders[root_id].add(path)
    wanted = math.ceil(share * total)
    for root_id, record in heapq.nsmallest(wanted, rest, key=lambda each: _urgency(each[1], now_ms)):
        chosen.folders[root_id].add(record.path)
    chosen.rolling = min(wanted, len(rest))
    chosen.round_ms = now_ms if len(rest) <= wanted else round_ms
    return chosen


def folder_bytes(record: FolderRecord) -> int:
    """Return the allocated bytes of a folder's own files."""
    return sum(chain((count[3] for count in record.counts), (link.allocated_bytes for link in record.links)))


def _urgency(record: FolderRecord, now_ms: int) -> tuple[int, int]:
    """Return what the rolling share is sorted by: how long ago it was written to, by factors of two, then how large."""
    age_hours = max(0, now_ms * _NS - record.newest_ns) // _HOUR_NS
    return age_hours.bit_length(), -folder_bytes(record)
