from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.actions.store import list_audit, trim_commands
from pulsetui.db.database import DATABASE_NAME, Database
from pulsetui.errors import (
    DatabaseError,
    FailureClass,
    NotFoundError,
    NotPermittedError,
    PulseError,
    RefusedError,
    SourceError,
)
from pulsetui.settings.models import Access
from tests.actions.conftest import ROOT, STRANGER, UUID, Desk
from tests.actions.samples import Count, Counted, Fail, Look, Wait, Wipe
from tests.db.tools import other_process

ANOTHER_UUID = UUID[:-1] + "2"


async def test_an_order_runs_and_leaves_an_audit_row(desk: Desk) -> None:
    assert await desk.run(Count(name="x")) == Counted(count=1, uuid=UUID)

    [entry] = await desk.audit()
    assert (entry.at, entry.user, entry.uid, entry.through) == (desk.clock.now(), "root", 0, "cli")
    assert (entry.verb, entry.uuid, entry.arguments) == ("test-count", UUID, {"name": "x"})
    assert (entry.outcome, entry.error, entry.duration_s) == ({"count": 1, "uuid": UUID}, None, 0)


async def test_an_order_sent_again_is_not_run_again_and_ends_as_before(desk: Desk) -> None:
    first = await desk.run(Count())
    assert await desk.run(Count()) == first
    assert await desk.run(Count(), again=True) == first
    desk.clock.advance(3600)
    assert await desk.run(Count(), seconds=-3000) == first, "also after its time"

    assert (await desk.rows(), len(await desk.audit())) == (1, 1)
    assert await desk.run(Count(), uuid=ANOTHER_UUID) == Counted(count=2, uuid=ANOTHER_UUID)


async def test_an_order_sent_again_while_it_runs_joins_the_first(desk: Desk) -> None:
    first = asyncio.create_task(desk.run(Wait()))
    await desk.services["begun"].wait()
    second = asyncio.create_task(desk.run(Wait()))
    await asyncio.wait({second}, timeout=0.05)
    desk.services["go_on"].set()

    assert await first == await second
    assert await desk.rows() == 1


async def test_a_failed_order_sent_again_fails_the_same_way_without_running(desk: Desk) -> None:
    for _ in range(2):
        with pytest.raises(SourceError, match="slow down") as raised:
            await desk.run(Fail(how="source"))
        assert (raised.value.failure, raised.value.retry_after_s) == (FailureClass.RATE_LIMITED, 2.5)
        assert raised.value.hint == "wait"

    assert desk.services["runs"] == ["source"]


async def test_a_failed_order_is_audited_with_its_error(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await desk.run(Fail(how="missing"))

    [entry] = await desk.audit()
    assert entry.outcome is None
    assert entry.error == {
        "code": "not-found",
        "message": "there is no job 9",
        "hint": "pulsetui jobs lists them",
    }


async def test_a_bug_in_an_action_is_an_error_of_the_order_and_no_crash(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(PulseError, match="test-fail failed inside pulsetui: KeyError: 'a bug'"):
        await desk.run(Fail(how="bug"))

    assert "Traceback" in caplog.text
    assert (await desk.audit())[0].error is not None


@pytest.mark.parametrize("action", [Count(), Wipe()])
async def test_an_order_without_the_right_is_refused_and_audited(desk: Desk, action: Count | Wipe) -> None:
    with pytest.raises(NotPermittedError, match=f"user nobody may not {action.verb}") as raised:
        await desk.run(action, STRANGER)

    assert raised.value.exit_code == 3
    [entry] = await desk.audit()
    assert (entry.user, entry.uid, entry.verb, entry.outcome) == ("nobody", 65534, action.verb, None)
    assert entry.error is not None
    assert entry.error["code"] == "not-permitted"
    assert await desk.rows() == 0


async def test_a_right_from_the_settings_counts(database: Database) -> None:
    desk = Desk(database, access=Access(operators=("65534",)))
    await desk.run(Count(), STRANGER)
    with pytest.raises(NotPermittedError):
        await desk.run(Wipe(), STRANGER, uuid=ANOTHER_UUID)


async def test_everyone_may_look(desk: Desk) -> None:
    assert await desk.run(Look(), STRANGER) == Counted(count=65534)


@pytest.mark.parametrize("seconds", [0, -1])
async def test_an_order_that_comes_too_late_is_refused_and_audited(desk: Desk, seconds: float) -> None:
    with pytest.raises(RefusedError, match="was to be run until"):
        await desk.run(Count(), seconds=seconds)

    [entry] = await desk.audit()
    assert entry.error is not None
    assert (entry.error["code"], await desk.rows()) == ("refused", 0)
    await desk.run(Count())
    assert await desk.rows() == 1


async def test_a_uuid_belongs_to_one_order_of_one_user(database: Database) -> None:
    desk = Desk(database, access=Access(operators=("65534",)))
    await desk.run(Count(name="a"))
    for action, caller in ((Count(name="b"), ROOT), (Fail(how="bug"), ROOT), (Count(name="a"), STRANGER)):
        with pytest.raises(RefusedError, match="given to another order"):
            await desk.run(action, caller)

    assert await desk.rows() == 1
    assert len(await desk.audit()) == 4


async def test_a_uuid_belongs_to_one_order_while_it_runs_too(desk: Desk) -> None:
    first = asyncio.create_task(desk.run(Wait()))
    await desk.services["begun"].wait()
    with pytest.raises(RefusedError, match="given to another order"):
        await desk.run(Count())
    desk.services["go_on"].set()
    await first


async def test_an_order_goes_on_when_its_caller_is_gone_and_drain_waits_for_it(desk: Desk) -> None:
    caller = asyncio.create_task(desk.run(Wait()))
    await desk.services["begun"].wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    draining = asyncio.create_task(desk.runner.drain())
    done, _ = await asyncio.wait({draining}, timeout=0.05)
    assert not done
    desk.services["go_on"].set()
    await draining

    assert await desk.rows() == 1
    assert (await desk.audit())[0].outcome == {"count": 1, "uuid": UUID}


async def test_an_order_that_was_done_is_known_even_if_the_disk_was_full_then(desk: Desk) -> None:
    faults.arm("db.commit@3=ENOSPC")  # 1: the order begins, 2: its work, 3: its outcome
    await desk.run(Count())

    assert (await desk.audit())[0].outcome == {"count": 1, "uuid": UUID}
    await desk.run(Count(), again=True)
    assert await desk.rows() == 1


async def test_an_order_that_can_not_be_recorded_does_not_run(desk: Desk) -> None:
    faults.arm("db.commit@1=EIO")
    with pytest.raises(DatabaseError):
        await desk.run(Count())
    assert await desk.rows() == 0


KILLED = """
    import asyncio, os, sys
    from datetime import timedelta
    from pathlib import Path
    from pulsetui import faults
    from pulsetui.db.database import Database
    from tests.actions.conftest import Desk
    from tests.actions.samples import Count

    async def main():
        async with await Database.open(Path(sys.argv[1]), owner=True) as database:
            faults.arm(sys.argv[2])
            await Desk(database).run(Count())

    asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("plan", "rows", "finished"),
    [
        ("db.commit@1=kill", 1, True),
        ("db.committed@1=kill", 1, False),
        ("db.commit@3=kill", 2, False),
        ("db.committed@3=kill", 1, True),
    ],
)
async def test_an_order_whose_owner_was_killed_runs_again_under_its_uuid_unless_it_had_ended(
    tmp_path: Path, plan: str, rows: int, finished: bool
) -> None:
    with other_process(KILLED, tmp_path / DATABASE_NAME, plan) as owner:
        code, _, errors = owner.end()
    assert code == -9, errors

    async with await Database.open(tmp_path / DATABASE_NAME, owner=True) as database:
        desk = Desk(database)
        outcome = await desk.run(Count())
        assert outcome == Counted(count=rows, uuid=UUID)
        assert await desk.rows() == rows
        audit = await desk.audit()
    assert audit[0].outcome == {"count": rows, "uuid": UUID}
    assert [entry.duration_s for entry in audit[1:]] == ([] if finished else [None])


async def test_the_audit_is_paged_from_the_newest(desk: Desk) -> None:
    for number in range(4):
        await desk.run(Look(), uuid=f"{number}")

    first = await desk.database.read(lambda reader: list_audit(reader, limit=3))
    second = await desk.database.read(lambda reader: list_audit(reader, limit=3, before=first[-1].id))
    assert [entry.uuid for entry in (*first, *second)] == ["3", "2", "1", "0"]


async def test_old_orders_are_forgotten_and_their_audit_stays(desk: Desk) -> None:
    await desk.run(Count())
    desk.clock.advance(8 * 86_400)
    await desk.run(Count(), uuid=ANOTHER_UUID)

    assert await desk.database.write(lambda tx: trim_commands(tx, desk.clock.now())) == 1
    assert len(await desk.audit()) == 2
    await desk.run(Count(), uuid=ANOTHER_UUID)
    assert await desk.rows() == 2
