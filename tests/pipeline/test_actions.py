"""Orders of the queue: add, retry, cancel, pause, resume; each audited, none done twice."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pulsetui.actions.base import Caller, Outcome, Right, parse_action, registered_actions
from pulsetui.actions.runner import ActionRunner
from pulsetui.actions.store import AuditEntry, list_audit
from pulsetui.errors import FailureClass, NotFoundError, RefusedError, UsageError
from pulsetui.pipeline import states, store
from pulsetui.pipeline.actions import (
    AddEpisodes,
    CancelJobs,
    Episode,
    EpisodesAdded,
    JobsChanged,
    PauseChanged,
    PausePipeline,
    ResumePipeline,
    RetryJobs,
    title_of,
)
from pulsetui.pipeline.jobs import Stage
from pulsetui.settings.models import Downloads, Settings
from tests.pipeline.house import House, kinds

ADA = Caller("ada", 0, "cli")
TALK = "https://host.example/talk.mp4"


@dataclass
class Desk:
    house: House
    settings: Settings

    def __post_init__(self) -> None:
        self.runner = ActionRunner(
            database=self.house.database,
            events=self.house.events,
            clock=self.house.clock,
            settings=self.settings,
            services={
                "outcomes": self.house.outcomes,
                "budget": self.house.budget,
                "schemes": frozenset({"file", "http", "https"}),
            },
        )

    async def run(self, verb: str, arguments: Mapping[str, Any] | None = None, *, order: str = "") -> Outcome:
        expires = self.house.clock.now() + timedelta(seconds=30)
        action = parse_action(verb, arguments or {})
        return await self.runner.run(action, caller=ADA, uuid=order or str(uuid.uuid4()), expires_at=expires)

    async def add(self, *episodes: str | dict[str, Any], order: str = "") -> EpisodesAdded:
        given = [{"source": each} if isinstance(each, str) else each for each in episodes]
        outcome = await self.run("jobs.add", {"episodes": given}, order=order)
        assert isinstance(outcome, EpisodesAdded)
        return outcome

    async def audit(self) -> list[AuditEntry]:
        return await self.house.database.read(list_audit)

    async def count(self) -> int:
        counts = await self.house.database.read(store.stage_counts)
        return sum(counts.values())


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house, Settings())


async def test_an_episode_is_queued_with_what_was_said_of_it(house: House, desk: Desk) -> None:
    wanted = {"source": TALK, "title": "A \x1b[2Jtalk", "entity": "Harbor/Cast", "priority": 3}
    (added,) = (await desk.add(wanted)).added
    job = await house.database.read(lambda reader: store.get(reader, added.id))
    assert (job.uuid, job.stage, job.priority, job.source_url) == (added.uuid, Stage.QUEUED, 3, TALK)
    assert (job.entity, job.entity_folders) == ("Harbor/Cast", ("Harbor", "Cast"))
    assert job.title == "A [2Jtalk"
    assert job.submitted_by == "ada"
    assert kinds(house.told) == ["job.queued"]
    assert house.told[0].text() == "Harbor / Cast / A [2Jtalk queued from https://host.example/talk.mp4"


async def test_every_order_leaves_an_audit_row_with_its_arguments_and_outcome(desk: Desk) -> None:
    await desk.add(TALK)
    with pytest.raises(NotFoundError):
        await desk.run("jobs.cancel", {"ids": [77]})
    await desk.run("pipeline.pause")
    paused, cancelled, added = await desk.audit()
    assert [entry.verb for entry in (added, cancelled, paused)] == ["jobs.add", "jobs.cancel", "pipeline.pause"]
    assert added.arguments["episodes"][0]["source"] == TALK
    assert added.outcome is not None
    assert added.outcome["added"][0]["id"] == 1
    assert cancelled.error is not None
    assert "no job 77" in cancelled.error["message"]
    assert {entry.user for entry in (added, cancelled, paused)} == {"ada"}


async def test_the_same_order_adds_nothing_twice(desk: Desk) -> None:
    order = str(uuid.uuid4())
    first = await desk.add(TALK, "https://host.example/b.mp4", order=order)
    assert await desk.add(TALK, "https://host.example/b.mp4", order=order) == first
    assert await desk.count() == 2


async def test_an_order_whose_owner_died_before_it_was_finished_adds_nothing_twice(house: House, desk: Desk) -> None:
    """The jobs are there, the order's end is not: it runs again under its uuid."""
    order = str(uuid.uuid4())
    first = await desk.add(TALK, order=order)
    await house.do("UPDATE commands SET finished_at = NULL, outcome = NULL")
    again = Desk(house, Settings())
    second = await again.add(TALK, order=order)
    assert await desk.count() == 1
    assert len(second.added) + len(second.skipped) == len(first.added)


async def test_sources_that_are_there_already_are_skipped_and_said_so(house: House, desk: Desk) -> None:
    await desk.add(TALK)
    outcome = await desk.add(TALK, "https://host.example/b.mp4", "https://host.example/b.mp4")
    assert len(outcome.added) == 1
    assert [skipped.reason for skipped in outcome.skipped] == ["already there as job 1", "already there as job 2"]
    job = await house.database.read(lambda reader: store.get(reader, 1))
    await house.step(job, states.Cancelled())
    assert len((await desk.add(TALK)).added) == 1, "a cancelled one may be added anew"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("http://host.example/a.mp4", "http is off"),
        ("talk.mp4", "nor an absolute path"),
        ("https:///a.mp4", "names no host"),
        ("https://[broken/a.mp4", "not a URL"),
        ("ftp://host.example/a.mp4", "nothing here fetches ftp: use one of file, http, https, or an absolute path"),
        ("javascript:alert(1)", "nothing here fetches javascript"),
    ],
)
async def test_a_source_that_can_not_be_fetched_is_skipped_with_its_reason(
    house: House, desk: Desk, source: str, reason: str
) -> None:
    outcome = await desk.add(source, TALK)
    assert len(outcome.added) == 1, "the others are queued"
    assert reason in outcome.skipped[0].reason
    assert kinds(house.told) == ["job.queued"]


async def test_http_is_taken_where_it_is_allowed(house: House) -> None:
    desk = Desk(house, Settings(downloads=Downloads(allow_http=True)))
    assert len((await desk.add("http://host.example/a.mp4")).added) == 1


async def test_no_credential_of_a_source_is_shown(house: House, desk: Desk) -> None:
    await desk.add("https://ada:secret@host.example/a.mp4?token=secret")
    assert "secret" not in house.told[0].text()
    skipped = (await desk.add("http://ada:secret@host.example/b.mp4?token=secret")).skipped
    assert "secret" not in str(skipped)
    stored = await house.value("SELECT source_url FROM jobs")
    assert stored == "https://ada:secret@host.example/a.mp4?token=secret"


async def test_a_bad_entity_queues_nothing(desk: Desk) -> None:
    with pytest.raises(UsageError, match="empty name"):
        await desk.add(TALK, {"source": "https://host.example/b.mp4", "entity": "A//B"})
    assert await desk.count() == 0


@pytest.mark.parametrize("arguments", [{"episodes": []}, {}, {"episodes": [{"source": ""}]}, {"ids": [1]}])
async def test_an_order_that_makes_no_sense_is_refused(desk: Desk, arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        await desk.run("jobs.add", arguments)


@pytest.mark.parametrize("priority", [-1001, 1001])
def test_a_priority_beyond_reason_is_refused(priority: int) -> None:
    with pytest.raises(ValidationError):
        Episode(source=TALK, priority=priority)


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("https://host.example/a/Part%2012.mp4?x=1", "Part 12"),
        ("/media/Night\u202e drive.mkv", "Night drive"),
        ("https://host.example/", "host.example"),
        ("https://host.example/%1b", "host.example"),
        ("file:///", "untitled"),
    ],
)
def test_a_title_is_made_from_the_source(source: str, title: str) -> None:
    assert title_of(source) == title


async def test_a_dead_job_is_retried_and_a_done_one_is_not(house: House, desk: Desk) -> None:
    dead = await house.step(
        await house.downloading(), states.AttemptFailed(FailureClass.PERMANENT, "404 not found", 0.0)
    )
    done = await house.transcribed()
    house.told.clear()
    outcome = await desk.run("jobs.retry", {"ids": [dead.id, done.id, 99, dead.id]})
    assert isinstance(outcome, JobsChanged)
    assert outcome.changed == (dead.id,)
    assert set(outcome.refused) == {done.id, 99}
    assert f"job {done.id} is transcribed" in outcome.refused[done.id]
    after = await house.get(dead)
    assert (after.stage, after.attempts, after.last_failure) == (Stage.QUEUED, 0, None)
    assert [event.text() for event in house.told] == ["An episode retried by ada, queued"]


async def test_one_job_that_refuses_is_an_error(house: House, desk: Desk) -> None:
    done = await house.transcribed()
    with pytest.raises(RefusedError, match="transcribed"):
        await desk.run("jobs.retry", {"ids": [done.id]})


async def test_cancelling_takes_the_lease_away_and_leaves_files_in_place(house: House, desk: Desk) -> None:
    job = await house.transcribing()
    assert await house.do("INSERT INTO reservations VALUES (?, 0, 1000, 0)", job.id)
    house.budget.ledger.restore(job.id, (await house.reservations())[job.id])
    await desk.run("jobs.cancel", {"ids": [job.id]})
    after = await house.get(job)
    assert (after.stage, after.lease) == (Stage.CANCELLED, None)
    assert after.video is not None
    assert after.video.path.exists()
    assert house.budget.ledger.outstanding_bytes() == 0
    assert await house.reservations() == {}
    assert kinds(house.told)[-1] == "job.cancelled"


async def test_pause_and_resume_are_told_of_when_they_change_something(house: House, desk: Desk) -> None:
    said = [await desk.run(verb) for verb in ("pipeline.pause", "pipeline.pause", "pipeline.resume")]
    assert said == [
        PauseChanged(paused=True, changed=True),
        PauseChanged(paused=True, changed=False),
        PauseChanged(paused=False, changed=True),
    ]
    assert kinds(house.told) == ["gate.operator_paused", "gate.operator_resumed"]
    assert house.told[0].text() == "new downloads paused by ada"
    assert house.budget.may_start()


def test_every_order_of_the_queue_asks_for_the_right_to_operate() -> None:
    ours = (AddEpisodes, RetryJobs, CancelJobs, PausePipeline, ResumePipeline)
    assert {registered_actions()[action.verb] for action in ours} == set(ours)
    assert {action.right for action in ours} == {Right.OPERATE}
