from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulsetui.db.database import Database, Reader, Transaction
from pulsetui.events.base import Event
from pulsetui.events.bus import Bus, Recorded
from pulsetui.events.store import EventLog, StoredEvent, last_id, list_events, since, trim
from tests.events.samples import GateClosed, JobQueued, LoopLagged, VideoDeleted

NOW = datetime(2026, 11, 20, 12, 45, tzinfo=UTC)


async def record(database: Database, *events: Event, now: datetime = NOW) -> list[int]:
    log = EventLog(Bus())

    async def work(tx: Transaction) -> list[int]:
        return [await log.record(tx, event, now=now) for event in events]

    return await database.write(work)


async def listed(database: Database, **filters: Any) -> list[str]:
    async def work(reader: Reader) -> list[StoredEvent]:
        return await list_events(reader, **filters)

    return [event.text for event in await database.read(work)]


def queued(title: str, **fields: Any) -> JobQueued:
    return JobQueued(title=title, **fields)


async def test_an_event_is_stored_whole(database: Database) -> None:
    [event_id] = await record(database, queued("One", size_bytes=3, entity="Harbor/Ada", job_id=9))

    assert await database.read(list_events) == [
        StoredEvent(
            id=event_id,
            at=NOW,
            kind="test.job_queued",
            category="job",
            severity="info",
            entity="Harbor/Ada",
            job_id=9,
            text="One (3 B) was queued.",
            data={"title": "One", "size_bytes": 3},
        )
    ]


async def test_an_event_is_published_after_its_commit_and_only_then(database: Database) -> None:
    bus, heard = Bus(), list[Recorded]()
    bus.on(heard.append)
    log = EventLog(bus)

    async def work(tx: Transaction) -> None:
        await log.record(tx, queued("One"), now=NOW)
        assert heard == []

    async def failing(tx: Transaction) -> None:
        await log.record(tx, queued("Two"), now=NOW)
        raise ValueError("no")

    await database.write(work)
    with pytest.raises(ValueError, match="no"):
        await database.write(failing)

    assert heard == [Recorded(1, NOW, queued("One"))]
    assert await listed(database) == ["One (0 B) was queued."]


async def test_pages_go_back_from_the_newest(database: Database) -> None:
    ids = await record(database, *(queued(str(number)) for number in range(5)))

    first = await database.read(lambda reader: list_events(reader, limit=2))
    second = await database.read(lambda reader: list_events(reader, limit=2, before=first[-1].id))
    assert [event.id for event in (*first, *second)] == list(reversed(ids))[:4]


async def test_events_are_found_by_category_severity_job_and_text(database: Database) -> None:
    await record(database, queued("Harbor", job_id=1), queued("Pier", job_id=2), GateClosed(), LoopLagged())

    assert await listed(database, category="disk") == ["Paused."]
    assert await listed(database, severity="info") == ["Paused.", "Pier (0 B) was queued.", "Harbor (0 B) was queued."]
    assert await listed(database, severity="error") == []
    assert await listed(database, job_id=2) == ["Pier (0 B) was queued."]
    assert await listed(database, text="hARb") == ["Harbor (0 B) was queued."]
    assert await listed(database, text="was", job_id=1, category="job", severity="debug") == [
        "Harbor (0 B) was queued."
    ]


@pytest.mark.parametrize(("text", "count"), [("100%", 1), ("late_", 1), ("%", 1), ("_", 1), ("\\", 0), ("1%e", 0)])
async def test_signs_that_mean_something_to_sqlite_are_only_text(database: Database, text: str, count: int) -> None:
    await record(database, LoopLagged(), GateClosed())
    assert len(await listed(database, text=text)) == count


async def test_an_entity_includes_what_lies_below_it_and_not_its_neighbours(database: Database) -> None:
    names = ("Harbor", "Harbor/Ada", "Harbor/Ada/One", "Harbor 2", "Harbor 2/Ada", "harbor/x", None)
    await record(database, *(queued(name or "none", entity=name) for name in names))

    found = await listed(database, entity="Harbor")
    assert [text.removesuffix(" (0 B) was queued.") for text in found] == ["Harbor/Ada/One", "Harbor/Ada", "Harbor"]


async def test_names_that_are_not_utf_8_are_stored_with_escapes(database: Database) -> None:
    hostile = "caf\udce9\x1b[31m\u202e"
    await record(database, queued(hostile, entity=hostile))

    [event] = await database.read(lambda reader: list_events(reader, entity=hostile))
    assert event.entity == "caf\\udce9\x1b[31m\u202e"
    assert event.data["title"] == hostile


async def test_a_follower_reads_on_where_it_was(database: Database) -> None:
    ids = await record(database, *(queued(str(number)) for number in range(4)))

    missed = await database.read(lambda reader: since(reader, ids[1]))
    assert [event.id for event in missed] == ids[2:]
    assert await database.read(last_id) == ids[-1]


async def test_the_log_is_trimmed_by_class_in_small_batches(database: Database) -> None:
    old, recent = NOW - timedelta(days=31), NOW - timedelta(days=8)
    await record(database, queued("old"), queued("old"), LoopLagged(), GateClosed(), VideoDeleted(), now=old)
    await record(database, queued("recent"), LoopLagged(), now=recent)
    await record(database, LoopLagged(), now=NOW - timedelta(days=6))

    deleted = [await database.write(lambda tx: trim(tx, NOW, limit=1)) for _ in range(4)]

    assert deleted == [2, 2, 0, 0]
    assert await listed(database) == ["100% late_", "recent (0 B) was queued.", "Gone.", "Paused."]


async def test_an_id_never_comes_back_after_a_trim(database: Database) -> None:
    ids = await record(database, queued("old"), now=NOW - timedelta(days=40))
    await database.write(lambda tx: trim(tx, NOW))

    assert (await record(database, queued("new")))[0] > ids[-1]


async def test_an_empty_log_has_no_last_id(database: Database) -> None:
    assert await database.read(last_id) == 0
