"""Makes folder records of what walkers report, however many parts and shares a folder comes in.

The invariant: a record is there once all of its folder was heard, from walkers that lived to say so; what a walker
said in part before it died is void. Pure: who lists what is left to `work`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from sys import intern
from typing import Any

from pulsetui.files.names import display_text
from pulsetui.storage.scan.records import CategoryCount, FolderRecord, LinkedFile

Part = Sequence[Any]
"""As `reporting` has it: path, share, whether it is the last of its share; and, unless the folder is gone, device,
inode, mtime, ctime and allocated bytes of the folder, sums by category, newest mtime, error, names below, links."""


class Collected:
    """The records of one scan so far."""

    def __init__(self, now_ms: int) -> None:
        """Begin with nothing; `now_ms` is when the folders count as verified."""
        self._now_ms = now_ms
        self._open: dict[bytes, dict[int, _Share]] = {}
        self._same: dict[int, int] = {}
        self.records: dict[bytes, FolderRecord] = {}
        """By path."""
        self.files = 0
        """With `total_bytes`, how far the walkers are: what they counted, also of folders that aren't whole yet."""
        self.total_bytes = 0

    def add(self, path: bytes, shares: int, part: Part) -> None:
        """Take in a part of a folder that comes in so many shares."""
        _, share, last, head, sums, newest_ns, error, _, links = part
        if shares == 1 and last and path not in self._open:
            self._record(path, head, sums, links, newest_ns, error)
            return
        heard = self._open.setdefault(path, {})
        heard.setdefault(share, _Share(head)).add(sums, links, newest_ns, error)
        heard[share].whole = last
        self._close(path, shares)

    def add_gone(self, path: bytes, share: int, shares: int) -> None:
        """Take in that a share of a folder could not be listed any more."""
        if shares > 1:
            heard = self._open.setdefault(path, {})
            heard[share] = _Share(None)
            heard[share].whole = True
            self._close(path, shares)

    def void(self, path: bytes, share: int) -> None:
        """Forget what was heard of a share that isn't whole, since its walker died."""
        lost = self._open.get(path, {}).pop(share, None)
        if lost is not None:
            self.files -= sum(count[1] for count in lost.sums.values()) + len(lost.links)
            self.total_bytes -= sum(count[2] for count in lost.sums.values())

    def unfinished(self) -> int:
        """How many folders were heard of in part."""
        return sum(1 for heard in self._open.values() if heard)

    def _close(self, path: bytes, shares: int) -> None:
        heard = self._open[path]
        if len(heard) == shares and all(one.whole for one in heard.values()):
            del self._open[path]
            whole = _Share.merged([heard[share] for share in sorted(heard)])
            if whole.head is not None:
                sums = [whole.sums[category] for category in sorted(whole.sums)]
                self._record(path, whole.head, sums, whole.links, whole.newest_ns, whole.error)

    def _record(
        self,
        path: bytes,
        head: Sequence[int],
        sums: Iterable[Sequence[int]],
        links: Sequence[Sequence[Any]],
        newest_ns: int,
        error: str,
    ) -> None:
        device, inode, mtime_ns, ctime_ns, allocated_bytes = head
        counts: tuple[CategoryCount, ...] = tuple(map(tuple, sums))  # type: ignore[arg-type]
        linked = tuple([self._link(*link) for link in links]) if links else ()
        newest_ns = max(newest_ns, *[link.mtime_ns for link in linked], 0) if linked else newest_ns
        self.records[path] = FolderRecord(
            path,
            self._shared(device),
            inode,
            mtime_ns,
            mtime_ns if ctime_ns == mtime_ns else ctime_ns,
            self._shared(allocated_bytes),
            counts,
            linked,
            newest_ns,
            intern(display_text(error)) if error else "",
            self._now_ms,
        )

    def _link(self, device: int, inode: int, name: str, *figures: int) -> LinkedFile:
        return LinkedFile(self._shared(device), inode, name.encode("latin-1"), *figures)

    def _shared(self, number: int) -> int:
        """Return the one object for a number that many records hold: a record each would take 32 bytes more."""
        return self._same.setdefault(number, number)


class _Share:
    """What was heard of one share of a folder."""

    def __init__(self, head: Sequence[int] | None) -> None:
        self.head = head
        self.sums: dict[int, list[int]] = {}
        self.links: list[Sequence[Any]] = []
        self.newest_ns = 0
        self.error = ""
        self.whole = False

    def add(self, sums: Iterable[Sequence[int]], links: Iterable[Sequence[Any]], newest_ns: int, error: str) -> None:
        for category, *more in sums:
            before = self.sums.get(category, [category, 0, 0, 0])
            self.sums[category] = [category, *(old + new for old, new in zip(before[1:], more, strict=True))]
        self.links += links
        self.newest_ns = max(self.newest_ns, newest_ns)
        self.error = self.error or error

    @staticmethod
    def merged(shares: Sequence[_Share]) -> _Share:
        """Return all shares together.

        The oldest head counts: if the folder changed between two listings, the next scan lists it again.
        """
        heads = sorted((share.head for share in shares if share.head is not None), key=lambda head: (head[2], head[3]))
        whole = _Share(heads[0] if heads else None)
        for share in shares:
            whole.add(share.sums.values(), share.links, share.newest_ns, share.error)
        return whole
