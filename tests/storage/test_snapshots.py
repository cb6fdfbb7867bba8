"""What a refresh stores: the difference alone, whole or not at all, with a past that can be read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulsetui import faults
from pulsetui.catalog.store import ensure_entity
from pulsetui.db.database import Reader
from pulsetui.errors import PulseError
from pulsetui.storage.refresh import snapshot_store, store
from pulsetui.storage.views import NOTHING, Amount
from tests.storage.house import BLOCK, House, broken_sums

HOUR = timedelta(hours=1)


async def written_at(house: House, at_ms: int) -> set[tuple[str, int]]:
    """Return the nodes whose rows were written then."""
    rows = await house.database.read(
        lambda reader: reader.all(
            "SELECT entity_type, entity_id FROM storage_usage_snapshots WHERE taken_at = ?", (at_ms,)
        )
    )
    return {(row[0], row[1]) for row in rows}


async def test_only_what_changed_is_written_with_all_that_it_is_in(house: House) -> None:
    await house.take({"Harbor/Cast/One": {0: 5000}, "Harbor/Crew": {1: 9}, "Lagoon": {0: 1}})
    house.clock.advance(60)
    outcome = await house.take({"Harbor/Cast/One": {0: 7000}, "Harbor/Crew": {1: 9}, "Lagoon": {0: 1}})
    changed = [(await house.node(name)).key for name in ("One", "Cast", "Harbor", "main")]
    stamp = int(outcome.row.at.timestamp() * 1000)
    assert {f"{kind}:{number}" for kind, number in await written_at(house, stamp)} == set(changed)


async def test_nothing_changed_writes_no_size_and_no_history(house: House) -> None:
    await house.take({"Harbor/Cast": {0: 5000}})
    house.clock.advance(60)
    outcome = await house.take({"Harbor/Cast": {0: 5000}})
    assert await written_at(house, int(outcome.row.at.timestamp() * 1000)) == set()
    assert len(await house.hierarchy.history("library:1")) == 2, "the point of the first, and today's"
    assert await house.database.read(lambda reader: reader.value("SELECT count(*) FROM storage_refreshes")) == 2


folders = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "c", "unassigned"]), min_size=1, max_size=5).map("/".join),
    st.dictionaries(st.integers(0, 7), st.integers(0, 10**6), max_size=2),
    max_size=6,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees=st.lists(folders, min_size=2, max_size=3))
async def test_differences_one_after_the_other_come_to_what_a_first_refresh_writes(
    house: House, trees: list[dict[str, dict[int, int]]]
) -> None:
    for tree in trees:
        house.clock.advance(60)
        await house.take(tree)
    stored = await house.database.read(snapshot_store.stored)
    assert {(row[0], row[1]): snapshot_store.packed(row) for row in stored} == house.known.rows
    node = await house.tree()
    assert broken_sums(node) == []
    expected = sum(size for tree in trees[-1:] for sizes in tree.values() for size in sizes.values())
    assert node.size.total_bytes == expected


async def test_a_transaction_that_fails_leaves_the_sizes_before_it_whole(house: House) -> None:
    await house.take({"Harbor/Cast": {0: 5000}})
    before = await house.tree()
    house.clock.advance(60)
    faults.arm("db.commit=EIO")
    with pytest.raises(PulseError):
        await house.take({"Harbor/Cast": {0: 7000}, "Lagoon/New": {0: 1}})
    faults.disarm()
    assert await house.tree() == before
    assert await house.database.read(lambda reader: reader.value("SELECT count(*) FROM entities")) == 2


async def test_an_entity_that_is_made_meanwhile_is_there_with_zeros(house: House) -> None:
    await house.take({"Harbor": {0: 5000}})
    await house.database.write(
        lambda tx: ensure_entity(tx, ("Harbor", "Cast"), levels=house.settings.levels, now=house.clock.now())
    )
    cast = await house.node("Cast")
    harbor = await house.tree((await house.node("Harbor")).key, depth=1)
    assert cast.size == NOTHING
    assert cast.key in [child.key for child in harbor.children]
    assert broken_sums(harbor) == []


async def test_an_entity_without_files_any_more_has_those_of_the_past(house: House) -> None:
    await house.take({"Harbor/Cast": {0: 5000}, "Lagoon": {0: 9}})
    then = house.clock.now()
    house.clock.advance(7200)
    await house.take({"Lagoon": {0: 9}})
    now, past = await house.tree(), await house.tree(history_at=then)
    harbor = next(child for child in past.children if child.name == "Harbor")
    assert next(child for child in now.children if child.name == "Harbor").size == NOTHING
    assert harbor.size == Amount(5000, 2 * BLOCK + 2 * BLOCK, 1)
    assert broken_sums(past) == []


async def test_history_holds_until_the_next_change_and_growth_follows_from_it(house: House) -> None:
    await house.take({"Harbor": {0: BLOCK}})
    house.clock.advance(2 * 3600)
    await house.take({"Harbor": {0: 3 * BLOCK}})
    house.clock.advance(1800)
    key = (await house.node("Harbor")).key

    async def growth(hours: float) -> int | None:
        return (await house.tree(key, depth=0, growth_s=hours * 3600)).growth_bytes

    assert [await growth(hours) for hours in (0.25, 1, 2.25, 24)] == [0, 2 * BLOCK, 2 * BLOCK, None]
    assert [point.size.allocated_bytes for point in await house.hierarchy.history(key)] == [2 * BLOCK, 4 * BLOCK]


async def test_thinning_keeps_the_last_size_of_a_span_and_what_held_at_its_end(house: House) -> None:
    for size in range(1, 7):
        await house.take({"Harbor": {0: size * BLOCK}, "Lagoon": {0: BLOCK if size < 2 else 2 * BLOCK}})
        house.clock.advance(600)
    end = house.clock.now()
    gone = await house.database.write(lambda tx: snapshot_store.thin(tx, end - HOUR, end))

    async def points(name: str) -> list[int]:
        key = (await house.node(name)).key
        kind, number = key.split(":")
        read = await house.database.read(lambda reader: snapshot_store.history(reader, (kind, int(number))))
        return [point.size.total_bytes // BLOCK for point in read]

    assert await points("Harbor") == [6]
    assert await points("Lagoon") == [2]
    assert gone > 0
    assert len(await house.database.read(store.refresh_times)) == 1


async def test_readers_see_one_refresh_as_a_whole_while_the_next_is_written(house: House) -> None:
    await house.take({"Harbor/Cast": {0: 5000}})

    async def read(reader: Reader) -> tuple[Any, Any]:
        first = await reader.value("SELECT total_bytes FROM storage_usage_snapshots WHERE entity_type = 'library'")
        await house.take({"Harbor/Cast": {0: 9000}, "Lagoon": {0: 5}})
        second = await reader.value("SELECT total_bytes FROM storage_usage_snapshots WHERE entity_type = 'project'")
        return first, second

    assert await house.database.read(read) == (5000, 5000)
    assert (await house.tree()).size.total_bytes == 9005


async def test_errors_and_ages_are_stored_with_the_nodes(house: House) -> None:
    outcome = await house.take({"Harbor": {0: 5000}})
    assert outcome.row.levels == (("project", 1), ("character", 0), ("scene", 0), ("segment", 0))
    row = await house.database.read(
        lambda reader: reader.one(
            "SELECT verified_at, newest_at FROM storage_usage_snapshots WHERE entity_type='project'"
        )
    )
    assert row is not None
    assert tuple(row) == (1_790_000_000_000, 10**12)
