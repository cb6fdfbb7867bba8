"""Libraries are added and removed on order."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulsetui.catalog import store
from pulsetui.errors import NotFoundError, RefusedError, UsageError
from pulsetui.volumes.records import Detected
from tests.volumes.sights import MARKER, Sights, sight
from tests.volumes.watch import Watch, watching

LEVELS = ("project", "character")


async def names(watch: Watch) -> list[tuple[str, int]]:
    found = await watch.database.read(store.list_libraries)
    return [(library.name, library.entity_count) for library in found]


async def in_tree(watch: Watch) -> int:
    """Return how many libraries the tree of sizes has."""
    counted = "SELECT count(*) FROM storage_usage_snapshots WHERE entity_type = 'library'"
    found = await watch.database.read(lambda reader: reader.value(counted))
    assert isinstance(found, int)
    return found


async def test_a_library_is_added_once_and_removed_once(tmp_path: Path) -> None:
    async with watching(tmp_path, Sights()) as watch:
        done = await watch.order("library.add", name=" Second\n")
        assert done.model_dump()["name"] == "Second"
        assert await names(watch) == [("Second", 0), ("main", 0)]
        assert await in_tree(watch) == 2
        with pytest.raises(UsageError, match="already"):
            await watch.order("library.add", name="Second")
        with pytest.raises(UsageError):
            await watch.order("library.add", name="\n")
        removed = await watch.order("library.remove", name="Second")
        assert removed.model_dump()["uuid"] == done.model_dump()["uuid"]
        assert await in_tree(watch) == 1
        with pytest.raises(NotFoundError):
            await watch.order("library.remove", name="Second")
        assert watch.kinds() == ["library.added", "library.removed"]


async def test_an_order_that_runs_again_after_a_crash_adds_one_library(tmp_path: Path) -> None:
    order = "5f0d1c4e-0000-4000-8000-000000000001"
    async with watching(tmp_path, Sights()) as watch:
        done = await watch.order("library.add", name="second", order=order)
        await watch.database.write(lambda tx: tx.execute("UPDATE commands SET finished_at = NULL, outcome = NULL"))
        assert await watch.order("library.add", name="second", order=order) == done
        assert watch.kinds() == ["library.added"]


async def test_the_first_library_and_one_with_entities_stay(tmp_path: Path) -> None:
    async with watching(tmp_path, Sights()) as watch:
        with pytest.raises(RefusedError, match="always there"):
            await watch.order("library.remove", name="main")
        await watch.order("library.add", name="second")
        now = watch.clock.now()
        await watch.database.write(
            lambda tx: store.ensure_entity(tx, ("Harbor",), levels=LEVELS, now=now, library="second")
        )
        with pytest.raises(RefusedError, match="1 entities"):
            await watch.order("library.remove", name="second")
        assert await names(watch) == [("main", 0), ("second", 1)]


async def test_what_a_removed_library_tracked_is_tracked_no_more_and_its_past_is_gone(tmp_path: Path) -> None:
    one: Detected = sight(marker=MARKER)
    async with watching(tmp_path, Sights(one)) as watch:
        await watch.order("library.add", name="second")
        await watch.order("volumes.track", fingerprint=one.fingerprint, library="second", name="Archive")
        assert watch.monitor.records
        removed = await watch.order("library.remove", name="second")
        assert removed.model_dump()["untracked"] == ("Archive",)
        await watch.monitor.refresh()
        assert watch.monitor.records == ()
        kept = "SELECT (SELECT count(*) FROM volumes) + (SELECT count(*) FROM volume_history)"
        assert await watch.database.read(lambda reader: reader.value(kept)) == 0
