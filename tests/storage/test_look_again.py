"""Which folders are listed again though they seem unchanged."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.storage.refresh.look_again import MOST_RECENT, RECENT_MS, look_again
from pulsetui.storage.scan.records import FolderRecord

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
OLD_MS = NOW_MS - 30 * DAY_MS


def folder(path: str, *, written_ms: int = OLD_MS, verified_ms: int = NOW_MS - 900_000, size: int = 1) -> FolderRecord:
    return FolderRecord(
        path.encode(), 1, 1, OLD_MS * 10**6, OLD_MS * 10**6, 4096, ((0, 1, size, size),),
        newest_ns=written_ms * 10**6, verified_ms=verified_ms,
    )  # fmt: skip


def records(*folders: FolderRecord) -> dict[int, dict[bytes, FolderRecord]]:
    return {1: {each.path: each for each in folders}}


def test_what_was_marked_is_looked_at_and_what_is_not_known_is_left_to_its_parent() -> None:
    known = records(folder("a"), folder("b"))
    chosen = look_again(known, {1: {b"a", b"new"}, 9: {b"a"}}, share=0.0, left=(), now_ms=NOW_MS)
    assert chosen.folders == {1: {b"a"}}


def test_a_folder_written_to_shortly_before_its_listing_may_still_be_written_to() -> None:
    listed_ms = NOW_MS - 900_000
    fresh = folder("fresh", written_ms=listed_ms - RECENT_MS, verified_ms=listed_ms)
    quiet = folder("quiet", written_ms=listed_ms - RECENT_MS - 1, verified_ms=listed_ms)
    later = folder("later", written_ms=listed_ms + 60_000, verified_ms=listed_ms)
    chosen = look_again(records(fresh, quiet, later), {}, share=0.0, left=(), now_ms=NOW_MS)
    assert chosen.folders == {1: {b"fresh", b"later"}}


def test_of_very_many_recent_folders_the_newest_are_looked_at() -> None:
    listed_ms = NOW_MS - 900_000
    many = [folder(str(age), written_ms=listed_ms - age, verified_ms=listed_ms) for age in range(MOST_RECENT + 50)]
    chosen = look_again(records(*many), {}, share=0.0, left=(), now_ms=NOW_MS)
    assert chosen.folders == {1: {str(age).encode() for age in range(MOST_RECENT)}}


def test_the_share_begins_with_what_was_recently_written_and_is_large() -> None:
    known = records(
        folder("old", written_ms=NOW_MS - 300 * DAY_MS, size=10**12),
        folder("small", written_ms=NOW_MS - 2 * DAY_MS),
        folder("large", written_ms=NOW_MS - 2 * DAY_MS, size=10**9),
        *(folder(f"older {number}", written_ms=NOW_MS - 200 * DAY_MS) for number in range(17)),
    )
    assert look_again(known, {}, share=0.05, left=(), now_ms=NOW_MS).folders == {1: {b"large"}}
    assert look_again(known, {}, share=0.1, left=(), now_ms=NOW_MS).folders == {1: {b"large", b"small"}}


@settings(deadline=None, max_examples=40)
@given(count=st.integers(1, 60), share=st.sampled_from([0.05, 0.1, 0.3, 1.0]))
def test_a_round_looks_at_every_folder_once(count: int, share: float) -> None:
    known = records(*(folder(str(number), size=1 + number * 7919 % 97) for number in range(count)))
    now_ms, left, looked = NOW_MS, None, []
    while left is None or left:
        now_ms += 900_000
        chosen = look_again(known, {}, share=share, left=left or (), now_ms=now_ms)
        looked += sorted(chosen.folders[1])
        assert len(chosen.folders[1]) <= math.ceil(share * count)
        for path in chosen.folders[1]:
            known[1][path] = folder(path.decode(), verified_ms=now_ms)
        left = chosen.round
    assert sorted(looked) == sorted(known[1])


def test_a_folder_that_is_gone_or_marked_gives_its_place_in_the_round_to_the_next() -> None:
    known = records(*(folder(str(number)) for number in range(10)))
    left = [(1, b"7"), (9, b"elsewhere"), (1, b"gone"), (1, b"3")]
    chosen = look_again(known, {1: {b"3"}}, share=0.1, left=left, now_ms=NOW_MS)
    assert (chosen.folders, chosen.rolling, chosen.round) == ({1: {b"3", b"7"}}, 1, [])
