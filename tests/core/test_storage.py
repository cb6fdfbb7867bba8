"""Storage in the running owner: refreshed on order and after jobs, and what screens read of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from pulsetui.core.source import CoreSource
from pulsetui.errors import NotFoundError, SettingsError
from pulsetui.pipeline.jobs import Stage
from pulsetui.storage.actions import SizesRefreshed
from pulsetui.storage.views import StorageNode
from tests.core.conftest import Configure
from tests.core.owner import Owner, owning
from tests.core.test_core import HELD_UP, SPEECH
from tests.pipeline.downloader.servers import Content, serving
from tests.until import until


def write(owner: Owner, path: str, size_bytes: int) -> None:
    file = owner.core.storage_dir / "videos" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size_bytes)


def child(node: StorageNode, name: str) -> StorageNode:
    return next(below for below in node.children if below.name == name)


async def test_an_order_refreshes_the_sizes_without_any_service(configure: Configure) -> None:
    async with owning(configure(), run=False) as owner:
        write(owner, "Harbor/Cast/first.mp4", 5000)
        done = await owner.order("storage.refresh")
        assert isinstance(done, SizesRefreshed)
        assert (done.levels["project"], done.levels["segment"], done.errors) == (1, 0, 0)
        assert done.files >= 1
        source = CoreSource(owner.core)
        assert re.fullmatch(r"[\d.]+ MB in \d files, read in \d\.\d s", await source.order("storage.refresh", {}))
        view = await source.storage(None)
        assert child(view.tree, "Harbor").size.total_bytes == 5000
        assert view.snapshot_at is not None


async def test_while_nothing_changes_the_answer_is_the_same_object_and_then_the_same_branches(
    configure: Configure,
) -> None:
    async with owning(configure(), run=False) as owner:
        write(owner, "Harbor/first.mp4", 5000)
        source = CoreSource(owner.core)
        empty = await source.storage(None)
        assert empty.snapshot_at is None
        await owner.order("storage.refresh")
        first = await source.storage(None)
        assert await source.storage(None) is first
        assert first is not empty
        write(owner, "Lagoon/second.mp4", 7)
        await owner.order("storage.refresh")
        assert child((await source.storage(None)).tree, "Lagoon").size.total_bytes == 7
        harbor = child(first.tree, "Harbor")
        files = await source.storage(harbor.key)
        assert {node.name for node in files.tree.children} == {"first.mp4", "(folder itself)"}
        assert [node.key for node in files.ancestors] == ["library:1"]


async def test_what_a_running_download_will_still_write_is_shown_where_it_will_be(configure: Configure) -> None:
    content = Content(SPEECH, stop_after=HELD_UP)
    async with serving(content) as server, owning(configure()) as owner:
        source = CoreSource(owner.core)
        before = await source.storage(None)
        await owner.add(server.url("/talk.opus"), entity="Harbor/Cast")
        await content.stopped.wait()
        await until(lambda: owner.core.budget.ledger.outstanding_bytes() > 0)
        tree = (await source.storage(None)).tree
        coming = owner.core.budget.ledger.outstanding_bytes()
        harbor = child(tree, "Harbor")
        assert child(harbor, "Cast").incoming_bytes == harbor.incoming_bytes == tree.incoming_bytes > 0
        assert tree.incoming_bytes == pytest.approx(coming, abs=HELD_UP + (1 << 20))
        assert before.tree.incoming_bytes == 0
        content.go_on.set()


async def test_what_an_unassigned_job_will_write_is_the_library_s_before_any_refresh(configure: Configure) -> None:
    content = Content(SPEECH, stop_after=HELD_UP)
    async with serving(content) as server, owning(configure()) as owner:
        source = CoreSource(owner.core)
        await owner.add(server.url("/talk.opus"))
        await content.stopped.wait()
        assert (await source.storage(None)).tree.incoming_bytes > 0
        content.go_on.set()


async def test_a_job_s_folders_are_refreshed_soon_after_it_wrote_to_them(configure: Configure) -> None:
    loaded = configure(storage__refresh_interval="1h", storage__watches=False)
    async with serving(Content(SPEECH)) as server, owning(loaded) as owner:
        await until(lambda: owner.core.refresher.newest is not None)
        (job_id,) = await owner.add(server.url("/talk.opus"), entity="Harbor")
        await owner.reaches(job_id, Stage.TRANSCRIBED)
        await until(lambda: bool(owner.core.refresher.marks))
        folders = owner.core.refresher.marks.folders
        assert bytes(owner.core.data_dir / "transcripts" / "Harbor") in folders
        assert owner.core.storage._moved_bytes >= len(SPEECH)


async def test_finds_times_history_and_jobs_of_an_entity(configure: Configure) -> None:
    async with owning(configure(), run=False) as owner:
        write(owner, "Harbor/Cast/first.mp4", 5000)
        await owner.add("https://example.com/a.mp4", "https://example.com/b.mp4", entity="Harbor/Cast")
        await owner.add("https://example.com/c.mp4", entity="Lagoon")
        await owner.order("storage.refresh")
        source = CoreSource(owner.core)
        (found,) = await source.storage_find("cast", 5)
        assert [node.name for node in found.ancestors] == ["main", "Harbor"]
        assert [job.source_url[-5] for job in await source.storage_jobs("project:1", 5)] == ["b", "a"]
        assert await source.storage_jobs("library:1", 5) == ()
        assert (await source.storage_history("project:1"))[0].size.total_bytes == 5000
        (at,) = await source.storage_times()
        past = await source.storage(None, history_at=at)
        assert past.history_at == at
        assert child(past.tree, "Harbor").size.total_bytes == 5000
        with pytest.raises(NotFoundError):
            await source.storage("scene:99")
        with pytest.raises(NotFoundError):
            await source.storage_history("scene:99")


async def test_the_past_names_what_happened_since_the_time_before_it(configure: Configure) -> None:
    async with owning(configure(), run=False) as owner:
        source = CoreSource(owner.core)
        await owner.order("storage.refresh")
        (job_id,) = await owner.add("https://example.com/a.mp4", entity="Harbor")
        await owner.order("jobs.cancel", ids=[job_id])
        at = owner.core.clock.now() + timedelta(seconds=1)
        view = await source.storage(None, history_at=at)
        assert any("cancelled" in line for line in view.history_events)


async def test_a_root_inside_another_one_is_refused_at_the_start(configure: Configure) -> None:
    loaded = configure()
    inside = loaded.settings.paths.data_dir / "audio" / "more"
    storage = loaded.settings.storage.model_validate({"roots": [{"name": "more", "path": str(inside)}]})
    settings = loaded.settings.model_copy(update={"storage": storage})
    with pytest.raises(SettingsError, match="more"):
        async with owning(type(loaded)(settings, loaded.origins), run=False):
            pass
