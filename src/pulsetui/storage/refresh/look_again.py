"""Which folders a refresh lists again though they seem unchanged. Pure.

A folder whose mtime and ctime are as they were has the same names in it; its files may still have grown. So these are
listed again: folders that somebody marked, those written to while or shortly before they were last listed, and a
rolling share of the rest, what was recently written and is large first. A round of the share goes through all folders
before the next one begins; a whole walk begins one, too. What could not be read is the scanner's to try again.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
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


Round = Sequence[tuple[int, bytes]]
"""What is still to come in a round of the rolling share, by root's id and path, the most urgent last."""


@dataclass(slots=True)
class LookAgain:
    """The folders to list again, by root's id, and what is left of the round."""

    folders: dict[int, set[bytes]] = field(default_factory=dict)
    rolling: int = 0
    """How many of them are the rolling share."""
    round: Round = ()


def look_again(
    records: Records, marked: Mapping[int, set[bytes]], *, share: float, left: Round, now_ms: int
) -> LookAgain:
    """Return what to list again of `records`.

    `share` is the part of the folders, 0 to 1, that the rolling share takes; `left` is what the refresh before left of
    the round: if nothing, the next one begins.
    """
    chosen = LookAgain({root_id: marked.get(root_id, set()) & folders.keys() for root_id, folders in records.items()})
    recent: list[tuple[int, int, bytes]] = []
    for root_id, folders in records.items():
        for path, record in folders.items():
            written_ms = max(record.newest_ns, record.mtime_ns) // _NS
            if written_ms >= record.verified_ms - RECENT_MS:
                recent.append((written_ms, root_id, path))
    for _, root_id, path in heapq.nlargest(MOST_RECENT, recent):
        chosen.folders[root_id].add(path)
    wanted = math.ceil(share * sum(map(len, records.values())))
    pending = list(left) or (_round(records, now_ms) if wanted else [])
    while pending and chosen.rolling < wanted:
        root_id, path = pending.pop()
        if path in records.get(root_id, ()) and path not in chosen.folders[root_id]:
            chosen.folders[root_id].add(path)
            chosen.rolling += 1
    chosen.round = pending
    return chosen


def folder_bytes(record: FolderRecord) -> int:
    """Return the allocated bytes of a folder's own files."""
    return sum(chain((count[3] for count in record.counts), (link.allocated_bytes for link in record.links)))


def _round(records: Records, now_ms: int) -> list[tuple[int, bytes]]:
    """Return all folders, in the order in which the rolling share takes them from the end."""
    every = [
        (_urgency(record, now_ms), root_id, path) for root_id, each in records.items() for path, record in each.items()
    ]
    return [(root_id, path) for _, root_id, path in sorted(every, reverse=True)]


def _urgency(record: FolderRecord, now_ms: int) -> tuple[int, int]:
    """Return what the rolling share is sorted by: how long ago it was written to, by factors of two, then how large."""
    age_hours = max(0, now_ms * _NS - record.newest_ns) // _HOUR_NS
    return age_hours.bit_length(), -folder_bytes(record)
