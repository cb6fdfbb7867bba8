"""The garbage collector while sizes are refreshed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulsetui.storage.refresh.collector import LARGE, settle, without_full_passes
from tests.storage.house import housed


@pytest.fixture
def passes() -> Iterator[list[int]]:
    """The generations that are collected, with thresholds by which a full pass comes soon."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append(info["generation"])

    before = gc.get_threshold()
    gc.set_threshold(100, 1, 1)
    gc.callbacks.append(note)
    try:
        yield seen
    finally:
        gc.callbacks.remove(note)
        gc.set_threshold(*before)


def many_objects() -> list[list[int]]:
    """Make more objects than there are by a quarter, which is what a full pass waits for as well."""
    return [[] for _ in range(len(gc.get_objects()) * 2 + 10_000)]


def test_what_is_made_without_full_passes_meets_passes_over_young_objects_alone(passes: list[int]) -> None:
    with without_full_passes():
        passes.clear()
        many_objects()
        within = set(passes)
    many_objects()

    assert within == {0, 1}
    assert 2 in passes


def test_thresholds_set_meanwhile_stay() -> None:
    before = gc.get_threshold()
    try:
        with without_full_passes():
            gc.set_threshold(1_234, 20, 100)

        assert gc.get_threshold() == (1_234, 20, 100)
    finally:
        gc.set_threshold(*before)


def test_what_a_large_refresh_leaves_is_looked_through_no_more() -> None:
    before = gc.get_freeze_count()
    settle(LARGE - 1)
    assert gc.get_freeze_count() <= before

    settle(LARGE)
    try:
        assert gc.get_freeze_count() > before + 1_000
    finally:
        gc.unfreeze()


async def test_a_refresh_runs_without_full_passes(tmp_path: Path) -> None:
    async with housed(tmp_path) as house:
        house.write("Harbor/1.mp4", 100)
        usual, seen = gc.get_threshold(), []
        house.refresher.on_change.append(lambda: seen.append(gc.get_threshold()[2]))
        await house.refresher.refresh()

        assert max(seen) > 10**9
        assert gc.get_threshold() == usual
