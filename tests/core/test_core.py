"""The owner's runtime, end to end in one process: it starts, works, stops and starts again."""

from __future__ import annotations

import asyncio
import hashlib
import re
from importlib import resources
from pathlib import Path

import pytest

from pulsetui.budget.ledger import Parts
from pulsetui.budget.usage import Kind
from pulsetui.core.assembly import open_core
from pulsetui.core.source import CoreSource
from pulsetui.core.status import live_status, resting_status, status_json
from pulsetui.errors import OwnedError, PulseError, SettingsError, UsageError
from pulsetui.pipeline.jobs import Stage
from tests.core.conftest import Configure
from tests.core.owner import owning
from tests.pipeline.downloader.servers import Content, fixed, serving
from tests.pipeline.house import media
from tests.until import until

SPEECH = Path(str(resources.files("pulsetui.demo").joinpath("clips", "01.opus"))).read_bytes()
HELD_UP = 40_000
"""Bytes of the clip that a server sends before it waits."""


async def test_an_episode_goes_the_whole_way_and_its_media_goes(configure: Configure) -> None:
    async with serving(Content(SPEECH)) as server, owning(configure()) as owner:
        (job_id,) = await owner.add(server.url("/talk.opus"), entity="Harbor")
        await owner.reaches(job_id, Stage.TRANSCRIBED)
        core = owner.core
        await until(lambda: not list((core.storage_dir / "videos").rglob("*.*")))
        await until(lambda: "storage.freed" in owner.said())
        job = await owner.job(job_id)
        assert job.sha256 == hashlib.sha256(SPEECH).hexdigest()
        assert job.transcript is not None
        assert job.transcript.path == core.data_dir / "transcripts" / "Harbor" / f"{job.uuid}.json"
        assert [kind for kind in owner.said() if kind.startswith(("job.", "storage."))] == [
            "job.queued",
            "job.downloading",
            "job.downloaded",
            "job.transcribing",
            "job.transcribed",
            "storage.freed",
        ]
        assert core.budget.ledger.outstanding_bytes() == 0
        counted = core.budget.usage.total_bytes()
        await core.budget.reconcile()
        assert abs(core.budget.usage.total_bytes() - counted) < 200_000


async def test_the_levels_of_the_settings_decide_how_deep_an_entity_may_be(configure: Configure) -> None:
    async with owning(configure(storage__levels=["series", "season"])) as owner:
        (job_id,) = await owner.add("https://host.example/1.mp4", entity="Harbor/1")
        assert (await owner.job(job_id)).entity == "Harbor/1"
        with pytest.raises(UsageError, match="3 levels, and there are 2"):
            await owner.add("https://host.example/2.mp4", entity="Harbor/1/2")
        levels = await owner.core.database.read(lambda reader: reader.all("SELECT level FROM entities ORDER BY id"))
        assert [row["level"] for row in levels] == ["series", "season"]


async def test_an_owner_does_not_start_with_other_levels_than_its_entities_have(configure: Configure) -> None:
    async with owning(configure()) as owner:
        (job_id,) = await owner.add("https://host.example/1.mp4", entity="Harbor/Cast")
    for levels in (["series", "season"], ["project"]):
        with pytest.raises(SettingsError, match="of the level") as refused:
            async with open_core(configure(storage__levels=levels), front_end="test"):
                pass
        assert "project > character" in refused.value.hint
    async with owning(configure(storage__levels=["project", "character", "take"])) as owner:
        assert (await owner.job(job_id)).entity == "Harbor/Cast"


async def test_a_restart_goes_on_where_it_was_stopped(configure: Configure) -> None:
    """Stopped in the middle of a download: the lease is given back, without an attempt, and the bytes are kept."""
    content = Content(SPEECH, stop_after=HELD_UP)
    async with serving(content) as server:
        async with owning(configure()) as owner:
            (job_id,) = await owner.add(server.url("/talk.opus"))
            await content.stopped.wait()
            await owner.stop()
            job = await owner.job(job_id)
            assert (job.stage, job.attempts, job.lease, job.worker) == (Stage.QUEUED, 0, None, None)
            assert await owner.core.database.read(lambda r: r.value("SELECT count(*) FROM reservations")) == 0
        content.go_on.set()
        content.stop_after = None
        async with owning(configure()) as owner:
            done = await owner.reaches(job_id, Stage.TRANSCRIBED, Stage.DEAD)
            assert done.stage is Stage.TRANSCRIBED
            assert "system.recovered" not in owner.said(), "there was nothing to mend"


async def test_a_stopped_transcription_is_given_back_after_its_grace(configure: Configure) -> None:
    loaded = configure(transcription__engine="endless", transcription__shutdown_grace="0")
    async with serving(Content(SPEECH)) as server, owning(loaded) as owner:
        (job_id,) = await owner.add(server.url("/talk.opus"))
        await owner.reaches(job_id, Stage.TRANSCRIBING)
        await until(lambda: any(task.phase == "transcribing" for task in owner.core.live))
        await owner.stop()
        job = await owner.job(job_id)
        assert (job.stage, job.attempts, job.lease) == (Stage.DOWNLOADED, 0, None)
        assert list((owner.core.data_dir / "audio").rglob("*.wav")) == []


async def test_downloads_end_at_once_and_transcriptions_get_their_grace(configure: Configure) -> None:
    loaded = configure(
        transcription__engine="endless",
        transcription__shutdown_grace="60s",
        disk_management__max_concurrent_downloads=1,
    )
    held_up = Content(SPEECH, stop_after=HELD_UP)
    async with serving(Content(SPEECH)) as first, serving(held_up) as second, owning(loaded) as owner:
        (transcribing,) = await owner.add(first.url("/a.opus"))
        await owner.reaches(transcribing, Stage.TRANSCRIBING)
        (downloading,) = await owner.add(second.url("/b.opus"))
        await held_up.stopped.wait()
        assert owner.task is not None
        owner.task.cancel()
        await owner.reaches(downloading, Stage.QUEUED)
        assert (await owner.job(transcribing)).stage is Stage.TRANSCRIBING
        assert not owner.task.done()
        owner.task.cancel()  # a second order ends the grace
        await owner.reaches(transcribing, Stage.DOWNLOADED)
        await asyncio.wait({owner.task})


async def test_a_cancelled_job_s_worker_stops(configure: Configure) -> None:
    content = Content(SPEECH, stop_after=HELD_UP)
    async with serving(content) as server, owning(configure()) as owner:
        (job_id,) = await owner.add(server.url("/talk.opus"))
        await content.stopped.wait()
        task = owner.core.live.get(job_id)
        await owner.order("jobs.cancel", ids=[job_id])
        await until(lambda: not len(owner.core.live))
        assert task is not None
        assert task.stopped_for == "cancelled", "at once, not when its lease is missed"
        assert (await owner.job(job_id)).stage is Stage.CANCELLED
        assert owner.core.budget.ledger.outstanding_bytes() == 0


async def test_a_job_that_is_cancelled_and_retried_at_once_is_done_once(configure: Configure) -> None:
    content = Content(SPEECH, stop_after=HELD_UP)
    async with serving(content) as server, owning(configure()) as owner:
        (job_id,) = await owner.add(server.url("/talk.opus"))
        await content.stopped.wait()
        content.stop_after = None
        content.go_on.set()
        await owner.order("jobs.cancel", ids=[job_id])
        await owner.order("jobs.retry", ids=[job_id])
        await owner.reaches(job_id, Stage.TRANSCRIBED)
        assert owner.said().count("job.transcribed") == 1
        assert "job.attempt_failed" not in owner.said()


async def test_the_operator_s_pause_stops_starts_and_resuming_starts_them(configure: Configure) -> None:
    async with serving(Content(SPEECH)) as server, owning(configure()) as owner:
        await owner.order("pipeline.pause")
        (job_id,) = await owner.add(server.url("/talk.opus"))
        status = await live_status(owner.core)
        assert not status.can_download
        assert (await owner.job(job_id)).stage is Stage.QUEUED
        await owner.order("pipeline.resume")
        await owner.reaches(job_id, Stage.TRANSCRIBED)


async def test_downloads_suspend_close_to_the_hard_limit_and_keep_what_they_have(configure: Configure) -> None:
    content = Content(SPEECH, stop_after=HELD_UP)
    async with serving(content) as server, owning(configure()) as owner:
        (job_id,) = await owner.add(server.url("/talk.opus"))
        await content.stopped.wait()
        core = owner.core
        filling = media(core.data_dir / "somebody else's", core.limits.suspend_bytes)
        await core.budget.reconcile()
        await core.budget.check()
        job = await owner.reaches(job_id, Stage.QUEUED)
        assert job.attempts == 0
        assert job.last_failure is not None
        assert "close to the hard limit" in job.last_failure.text
        content.stop_after = None
        content.go_on.set()
        filling.path.unlink()
        await core.budget.reconcile()
        await core.budget.check()
        await owner.reaches(job_id, Stage.TRANSCRIBED)
        assert {"gate.closed", "gate.opened"} <= set(owner.said())


async def test_a_start_recovers_before_anything_is_claimed(configure: Configure) -> None:
    async with owning(configure(), run=False) as owner:
        await owner.add("https://host.example/a.mp4")
        await owner.core.database.write(
            lambda tx: tx.execute(
                "UPDATE jobs SET stage = 'downloading', lease_token = 't', lease_owner = 'dead', worker = 'dl-1', "
                "lease_until = 0, attempts = 1"
            )
        )
        media(owner.core.storage_dir / "videos" / "stranger.mp4")
    async with owning(configure()) as owner:
        status = await live_status(owner.core)
        assert status.recovery is not None
        assert (status.recovery["leases_ended"], status.recovery["orphans"]) == (1, 1)
        assert owner.said()[:2] == ["job.waits", "system.recovered"]


async def test_a_service_that_fails_is_seen_in_the_status_and_comes_back(configure: Configure) -> None:
    async with serving(Content(SPEECH)) as server, owning(configure(), run=False) as owner:
        core = owner.core
        service = next(service for service in core.supervisor.services if service.name == "downloads")
        works = service.run

        async def breaks_once() -> None:
            service.run = works
            raise PulseError("the cable is out")

        service.run = breaks_once
        owner.task = asyncio.create_task(core.run())
        await core.ready.wait()
        (job_id,) = await owner.add(server.url("/talk.opus"))
        await owner.reaches(job_id, Stage.TRANSCRIBED)
        status = await live_status(core)
        seen = {view.name: (view.running, view.restarts) for view in status.services}
        assert seen["downloads"] == (True, 1)
        assert {name for name, (_, restarts) in seen.items() if restarts} == {"downloads"}
        assert {"budget", "leases", "sweeper", "transcriptions", "heartbeat", "upkeep", "orders"} <= set(seen)
        assert "system.service_failed" in owner.said()


async def test_a_second_owner_is_told_who_the_first_is(configure: Configure) -> None:
    async with owning(configure(), run=False):
        with pytest.raises(OwnedError, match="test"):
            async with open_core(configure(), front_end="no-ui", wait_s=0):
                pass


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"transcription__engine": "nobody's"}, "no such engine is installed"),
        ({"disk_management__hard_limit": "9000 TB"}, "hard_limit"),
    ],
)
async def test_settings_that_can_not_work_are_refused_before_anything_is_touched(
    configure: Configure, tmp_path: Path, flags: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        async with open_core(configure(**flags), front_end="test"):
            pass
    assert not (tmp_path / "data").exists()


async def test_a_folder_that_can_not_be_made_is_named(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("a file")
    loaded = configure(paths__storage_dir=str(tmp_path / "in the way" / "storage"))
    with pytest.raises(PulseError, match="in the way"):
        async with open_core(loaded, front_end="test"):
            pass
    async with owning(configure(), run=False):
        pass


# What front ends read


async def test_the_status_tells_the_same_running_and_at_rest(configure: Configure) -> None:
    loaded = configure()
    async with serving(fixed("404 Not Found")) as server, owning(loaded) as owner:
        (job_id,) = await owner.add(server.url("/gone.mp4"))
        await owner.reaches(job_id, Stage.DEAD)
        live = status_json(await live_status(owner.core))
        assert live["owner"]["front_end"] == "test"
        assert live["stages"]["dead"] == 1
        assert live["can_download"]
        assert {service["name"] for service in live["services"]} >= {"budget", "downloads", "transcriptions"}
        assert live["gate"]["committed_bytes"] == live["gate"]["usage_bytes"] + live["gate"]["reserved_bytes"]
        assert live["gate"]["hard_limit_bytes"] == 100_000_000
        assert sum(live["usage"].values()) == live["gate"]["usage_bytes"]
        assert live["eta_s"] == 0.0
    rest = status_json(await resting_status(loaded))
    assert rest["owner"] is None
    assert not rest["can_download"]
    assert set(rest) == set(live)
    assert rest["stages"] == live["stages"]
    assert rest["gate"]["peak_committed_bytes"] >= live["gate"]["usage_bytes"] - 1_000_000


async def test_the_screens_source_shows_what_runs_what_waits_and_what_happened(configure: Configure) -> None:
    content = Content(SPEECH, stop_after=HELD_UP)
    loaded = configure(disk_management__max_concurrent_downloads=1)
    async with serving(content) as server, owning(loaded) as owner:
        source = CoreSource(owner.core)
        running, waiting = await owner.add(server.url("/a.opus"), server.url("/b.opus"))
        await content.stopped.wait()
        pulse = await source.pulse()
        assert [task.job_id for task in pulse.tasks] == [running]
        assert [(view.job_id, view.position) for view in pulse.queued] == [(waiting, 1)]
        assert [event.kind for event in pulse.events] == ["job.queued", "job.queued"], (
            "debug events are not for the feed"
        )
        assert dict(pulse.stages)["downloading"] == 1
        assert pulse.owner is not None
        assert not pulse.attached
        page = await source.jobs(stage="queued", text=None, offset=0, limit=10, sort="queue")
        assert [job.id for job in page.jobs] == [waiting]
        said = await source.order("jobs.cancel", {"ids": [running, waiting]})
        assert said == "2 jobs cancelled"
        assert await source.order("jobs.retry", {"ids": [waiting]}) == f"job {waiting} will be tried again"
        assert await source.order("jobs.cancel", {"ids": [waiting]}) == f"job {waiting} cancelled"
        details = await source.job(waiting)
        assert [event.kind for event in details.history][-2:] == ["job.cancelled", "job.queued"]
        assert (details.receipt, details.transcript) == ((), "")
        events = await source.events(before=None, category="job", severity="info", text="cancelled", limit=10)
        assert {event.job_id for event in events} == {running, waiting}
        with pytest.raises(UsageError, match="no category 'jobs'"):
            await source.events(before=None, category="jobs", severity=None, text=None, limit=10)


async def test_the_source_of_the_screens_says_that_something_changed(configure: Configure) -> None:
    async with owning(configure(), run=False) as owner:
        source = CoreSource(owner.core)
        changes = source.changes()
        waiting = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        assert not waiting.done()
        await owner.add("https://host.example/a.mp4")
        async with asyncio.timeout(20):
            await waiting


async def test_a_budget_that_is_judged_and_didnt_move_is_no_change(configure: Configure) -> None:
    async with owning(configure(), run=False) as owner:
        budget = owner.core.budget
        changes = CoreSource(owner.core).changes()
        await budget.reconcile()
        await budget.check()
        await anext(changes)  # the first figures
        waiting = asyncio.ensure_future(anext(changes))
        await budget.check()
        await asyncio.sleep(0)
        assert not waiting.done()
        budget.usage.added(Kind.VIDEOS, 4096)
        await budget.check()
        async with asyncio.timeout(20):
            await waiting


async def test_what_is_typed_is_queued_as_a_shell_would_take_it(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a talk.mp4").touch()
    async with owning(configure(), run=False) as owner:
        source = CoreSource(owner.core)
        assert await source.add("a talk.mp4") == "job 1 queued"
        assert (await source.job(1)).job.source_url == str(tmp_path / "a talk.mp4")
        for typed, error, hint in (
            ("~/a talk.mp4", f"nothing queued: {tmp_path}/a talk.mp4", "already there as job 1"),
            ("b.mp4", f"nothing queued: {tmp_path}/b.mp4", "there is no such file; a URL begins with https://"),
            ("ftp://host.example/a.mp4", "nothing queued: ftp://host.example/a.mp4", "nothing here fetches ftp"),
        ):
            with pytest.raises(PulseError, match=re.escape(error)) as raised:
                await source.add(typed)
            assert hint in raised.value.hint


async def test_a_done_job_shows_its_receipt_and_its_words(configure: Configure) -> None:
    async with serving(Content(SPEECH)) as server, owning(configure()) as owner:
        (job_id,) = await owner.add(server.url("/talk.opus"))
        await owner.reaches(job_id, Stage.TRANSCRIBED)
        details = await CoreSource(owner.core).job(job_id)
        assert ("accepted", "yes") in details.receipt
        assert len(details.transcript.split()) > 20


async def test_the_peak_of_what_was_committed_is_kept_over_restarts(configure: Configure) -> None:
    async with owning(configure()) as owner:
        (job_id,) = await owner.add("https://host.example/a.mp4")
        budget = owner.core.budget
        assert await owner.core.database.write(lambda tx: budget.reserve(tx, job_id, Parts(video=50_000_000)))
        await budget.check()
        peak = budget.peak_committed_bytes
        assert peak > 50_000_000
    async with owning(configure(), run=False) as owner:
        assert owner.core.budget.peak_committed_bytes >= peak
