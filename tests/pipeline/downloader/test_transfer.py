from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import FailureClass, RefusedError, SourceError, SpaceError
from pulsetui.pipeline.downloader.contract import Head, allocation
from pulsetui.pipeline.downloader.ingest import Media
from pulsetui.pipeline.downloader.ranges import Recorded
from pulsetui.pipeline.downloader.sources import Body
from pulsetui.pipeline.downloader.transfer import Downloader
from tests.pipeline.downloader.conftest import MIB, Ledger, Make, Place, media, within
from tests.pipeline.downloader.servers import Content, chunked, fixed, serving
from tests.until import until

BODY = media(5 * MIB + 123)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def interrupted(downloader: Downloader, place: Place, content: Content, url: str) -> tuple[Head, int]:
    """Start a fetch, cancel it in the middle, and return what was recorded and how much was kept."""
    ledger = Ledger()
    fetching = asyncio.create_task(downloader.fetch(place.request(url), ledger))
    await within(content.stopped.wait())
    await until(lambda: bool(ledger.progressed))
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    content.go_on.set()
    content.stop_after = None
    return ledger.heads[-1], place.partial.stat().st_size


async def test_a_whole_body_ends_under_its_final_name_with_digest_and_size(
    downloader: Downloader, place: Place
) -> None:
    async with serving(Content(BODY)) as server:
        fetched = await downloader.fetch(place.request(server.url()), Ledger())

    assert place.names() == ["job.mp4"]
    assert fetched.path == place.folder / "job.mp4"
    assert fetched.path.read_bytes() == BODY
    assert (fetched.sha256, fetched.size_bytes) == (digest(BODY), len(BODY))
    assert fetched.allocated_bytes == fetched.path.stat().st_blocks * 512
    assert (fetched.container, fetched.duration_s) == ("mp4", 12.5)


async def test_the_headers_are_told_before_a_byte_is_written(downloader: Downloader, place: Place) -> None:
    sizes: list[int] = []
    ledger = Ledger(on_headers=lambda: sizes.append(place.partial.stat().st_size))

    async with serving(Content(BODY)) as server:
        await downloader.fetch(place.request(server.url()), ledger)

    assert sizes == [0]
    assert ledger.heads[0].declared_bytes == len(BODY)
    assert ledger.heads[0].etag == '"one"'
    assert ledger.progressed[-1] == (len(BODY), allocation(len(BODY)))


async def test_nothing_is_written_beyond_the_reservation_before_it_is_extended(
    downloader: Downloader, place: Place
) -> None:
    reserved = 2 * MIB
    on_disk: list[int] = []
    ledger = Ledger(reserved_bytes=reserved, on_extend=lambda: on_disk.append(place.partial.stat().st_size))

    async with serving(fixed("200 OK", {"Transfer-Encoding": "chunked"}, chunked(BODY))) as server:
        await downloader.fetch(place.request(server.url()), ledger)

    limits = [reserved, *ledger.asked]
    assert len(on_disk) >= 2
    assert all(size <= limit for size, limit in zip(on_disk, limits, strict=False))
    assert ledger.asked[-1] == allocation(len(BODY))


async def test_a_declared_size_is_reserved_before_the_body_begins(downloader: Downloader, place: Place) -> None:
    ledger = Ledger(reserved_bytes=MIB, on_extend=lambda: sizes.append(place.partial.stat().st_size))
    sizes: list[int] = []

    async with serving(Content(BODY)) as server:
        await downloader.fetch(place.request(server.url()), ledger)

    assert ledger.asked == [allocation(len(BODY))]
    assert sizes == [0]


async def test_without_room_the_download_stops_with_what_fits(downloader: Downloader, place: Place) -> None:
    ledger = Ledger(reserved_bytes=2 * MIB, most=3 * MIB)

    async with serving(fixed("200 OK", {"Transfer-Encoding": "chunked"}, chunked(BODY))) as server:
        with pytest.raises(SpaceError):
            await downloader.fetch(place.request(server.url()), ledger)

    assert 0 < place.partial.stat().st_size <= 3 * MIB


async def test_a_cancelled_download_is_resumed_to_an_equal_file(downloader: Downloader, place: Place) -> None:
    content = Content(BODY, stop_after=3 * MIB)
    async with serving(content) as server:
        head, kept = await interrupted(downloader, place, content, server.url())
        assert BODY[:kept] == place.partial.read_bytes()
        ledger = Ledger()
        fetched = await downloader.fetch(place.request(server.url(), head), ledger)

    assert kept >= MIB
    assert server.asked[1].headers["range"] == f"bytes={kept}-"
    assert server.asked[1].headers["if-range"] == '"one"'
    assert ledger.heads[0].have_bytes == kept
    assert fetched.sha256 == digest(BODY)
    assert fetched.path.read_bytes() == BODY


async def test_a_changed_entity_tag_starts_over(downloader: Downloader, place: Place) -> None:
    content = Content(BODY, stop_after=3 * MIB)
    other = media(4 * MIB, seed=2)
    sizes: list[int] = []
    async with serving(content) as server:
        head, _ = await interrupted(downloader, place, content, server.url())
        content.body, content.etag = other, '"two"'
        ledger = Ledger(on_headers=lambda: sizes.append(place.partial.stat().st_size))
        fetched = await downloader.fetch(place.request(server.url(), head), ledger)

    assert sizes == [0], "new validators were recorded beside old bytes"
    assert (ledger.heads[0].have_bytes, ledger.heads[0].etag) == (0, '"two"')
    assert fetched.path.read_bytes() == other
    assert fetched.sha256 == digest(other)


async def test_a_weak_entity_tag_is_not_resumed_by(downloader: Downloader, place: Place) -> None:
    content = Content(BODY, etag='W/"one"', stop_after=3 * MIB)
    async with serving(content) as server:
        head, _ = await interrupted(downloader, place, content, server.url())
        fetched = await downloader.fetch(place.request(server.url(), head), Ledger())

    assert head.etag is None
    assert "range" not in server.asked[1].headers
    assert fetched.sha256 == digest(BODY)


async def test_a_date_well_before_the_answer_is_resumed_by(downloader: Downloader, place: Place) -> None:
    dates: dict[str, str | int] = {
        "Last-Modified": "Mon, 01 Jun 2026 10:00:00 GMT",
        "Date": "Mon, 01 Jun 2026 12:00:00 GMT",
    }
    content = Content(BODY, etag=None, extra=dates, stop_after=3 * MIB)
    async with serving(content) as server:
        head, kept = await interrupted(downloader, place, content, server.url())
        fetched = await downloader.fetch(place.request(server.url(), head), Ledger())

    assert server.asked[1].headers["range"] == f"bytes={kept}-"
    assert server.asked[1].headers["if-range"] == dates["Last-Modified"]
    assert fetched.sha256 == digest(BODY)


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 1-{last}/{total}",
        "bytes {have}-{last}/{more}",
        "bytes {have}-{have}/{total}",
        "bytes 0-{last}/{total}",
        "x",
    ],
)
async def test_a_range_that_does_not_fit_exactly_is_asked_again_whole(
    downloader: Downloader, place: Place, content_range: str
) -> None:
    content = Content(BODY, stop_after=3 * MIB)
    async with serving(content) as server:
        head, kept = await interrupted(downloader, place, content, server.url())
        total = len(BODY)
        wrong = content_range.format(have=kept, last=total - 1, total=total, more=total + 1)
        lie = fixed("206 Partial Content", {"Content-Range": wrong, "ETag": '"one"'}, BODY[kept:])
        server.answer = lambda asked, writer: (lie if "range" in asked.headers else content)(asked, writer)
        fetched = await downloader.fetch(place.request(server.url(), head), Ledger())

    assert ["range" in asked.headers for asked in server.asked] == [False, True, False]
    assert fetched.path.read_bytes() == BODY


async def test_a_whole_partial_file_is_complete_by_416_and_published(downloader: Downloader, place: Place) -> None:
    place.folder.mkdir(parents=True)
    place.partial.write_bytes(BODY)
    head = Head(len(BODY), 0, '"one"', None, "mp4", "")

    async with serving(Content(BODY)) as server:
        fetched = await downloader.fetch(place.request(server.url(), head), Ledger())

    assert len(server.asked) == 1
    assert (fetched.sha256, place.names()) == (digest(BODY), ["job.mp4"])


async def test_416_at_another_size_than_recorded_starts_over(downloader: Downloader, place: Place) -> None:
    place.folder.mkdir(parents=True)
    place.partial.write_bytes(BODY + b"more")
    head = Head(len(BODY) + 4, 0, '"one"', None, "mp4", "")

    async with serving(Content(BODY)) as server:
        fetched = await downloader.fetch(place.request(server.url(), head), Ledger())

    assert fetched.path.read_bytes() == BODY


async def test_a_body_that_ends_early_is_transient_and_kept(downloader: Downloader, place: Place) -> None:
    short = 3 * MIB + 500
    answer = fixed("200 OK", {"Content-Length": len(BODY), "ETag": '"one"'}, BODY[:short])
    async with serving(answer) as server:
        with pytest.raises(SourceError) as caught:
            await downloader.fetch(place.request(server.url()), Ledger())

    assert caught.value.failure is FailureClass.TRANSIENT
    assert place.partial.read_bytes() == BODY[:short]


class Scripted:
    """A source that gives what it is told to, whatever it declares."""

    schemes = frozenset({"scripted"})

    def __init__(self, declared: int | None, *chunks: bytes) -> None:
        self.body = Body(0, declared, extension="mp4")
        self._chunks = chunks

    async def open(self, url: str, recorded: Recorded) -> Scripted:  # noqa: ARG002 - the protocol's
        return self

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for chunk in self._chunks:
            yield chunk

    async def close(self) -> None:
        pass


async def test_a_body_shorter_than_declared_is_transient_and_kept(make: Make, place: Place) -> None:
    downloader = make(sources=[Scripted(len(BODY), BODY[:MIB])])

    with pytest.raises(SourceError) as caught:
        await downloader.fetch(place.request("scripted:x"), Ledger())

    assert caught.value.failure is FailureClass.TRANSIENT
    assert place.partial.stat().st_size == MIB


async def test_a_body_longer_than_declared_is_permanent_and_removed(make: Make, place: Place) -> None:
    downloader = make(sources=[Scripted(2 * MIB, BODY[: 2 * MIB], b"x")])

    with pytest.raises(SourceError, match="longer than its declared size") as caught:
        await downloader.fetch(place.request("scripted:x"), Ledger())

    assert caught.value.failure is FailureClass.PERMANENT
    assert place.names() == []


async def test_a_declared_size_over_the_cap_is_refused_before_the_body(make: Make, place: Place) -> None:
    downloader = make(max_size=2 * MIB)
    ledger = Ledger()

    async with serving(Content(BODY)) as server:
        with pytest.raises(SourceError, match="max_size") as caught:
            await downloader.fetch(place.request(server.url()), ledger)

    assert caught.value.failure is FailureClass.PERMANENT
    assert ledger.heads == []
    assert place.names() == []


async def test_a_streamed_size_over_the_cap_is_refused_and_removed(make: Make, place: Place) -> None:
    downloader = make(max_size=2 * MIB)
    ledger = Ledger()

    async with serving(fixed("200 OK", {"Transfer-Encoding": "chunked"}, chunked(BODY))) as server:
        with pytest.raises(SourceError, match="max_size") as caught:
            await downloader.fetch(place.request(server.url()), ledger)

    assert caught.value.failure is FailureClass.PERMANENT
    assert max(written for written, _ in ledger.progressed) <= 2 * MIB
    assert place.names() == []


async def test_a_second_writer_is_turned_away_and_the_first_goes_on(downloader: Downloader, place: Place) -> None:
    content = Content(BODY, stop_after=3 * MIB)
    async with serving(content) as server:
        first = asyncio.create_task(downloader.fetch(place.request(server.url()), Ledger()))
        await within(content.stopped.wait())
        with pytest.raises(SourceError, match="being written") as caught:
            await downloader.fetch(place.request(server.url()), Ledger())
        content.go_on.set()
        fetched = await first

    assert caught.value.failure is FailureClass.TRANSIENT
    assert fetched.sha256 == digest(BODY)


async def test_a_full_disk_is_a_space_error_and_what_was_written_is_resumed(
    downloader: Downloader, place: Place
) -> None:
    ledger = Ledger()
    async with serving(Content(BODY)) as server:
        faults.arm("files.write@3=ENOSPC")
        with pytest.raises(SpaceError):
            await downloader.fetch(place.request(server.url()), ledger)
        faults.disarm()
        kept = place.partial.stat().st_size
        fetched = await downloader.fetch(place.request(server.url(), ledger.heads[0]), Ledger())

    assert kept >= 2 * MIB
    assert server.asked[1].headers["range"] == f"bytes={kept}-"
    assert fetched.sha256 == digest(BODY)


async def test_after_a_failed_fsync_nothing_is_resumed(downloader: Downloader, place: Place) -> None:
    async with serving(Content(BODY)) as server:
        faults.arm("files.sync=EIO")
        with pytest.raises(SourceError) as caught:
            await downloader.fetch(place.request(server.url()), Ledger())

    assert caught.value.failure is FailureClass.TRANSIENT
    assert place.names() == []


async def test_what_is_no_media_is_refused_at_its_first_bytes(downloader: Downloader, place: Place) -> None:
    content = Content(b"<!DOCTYPE html>" + b"x" * 5 * MIB, stop_after=2 * MIB)
    async with serving(content) as server:
        with pytest.raises(SourceError, match="not mp4") as caught:
            await downloader.fetch(place.request(server.url()), Ledger())
        content.go_on.set()

    assert caught.value.failure is FailureClass.PERMANENT
    assert place.names() == []


async def test_an_error_page_shorter_than_a_batch_is_refused_too(downloader: Downloader, place: Place) -> None:
    async with serving(fixed("200 OK", {"Content-Type": "text/html"}, b"<html>please log in</html>")) as server:
        with pytest.raises(SourceError) as caught:
            await downloader.fetch(place.request(server.url()), Ledger())

    assert caught.value.failure is FailureClass.PERMANENT
    assert place.names() == []


async def test_media_that_the_probe_refuses_leaves_nothing(make: Make, place: Place) -> None:
    async def refuse(path: Path, extension: str) -> Media:
        assert path == place.partial
        raise SourceError(f"no audio in {extension}", failure=FailureClass.PERMANENT)

    downloader = make(check=refuse)
    async with serving(Content(BODY)) as server:
        with pytest.raises(SourceError, match="no audio"):
            await downloader.fetch(place.request(server.url()), Ledger())

    assert place.names() == []


async def test_a_taken_final_name_is_never_replaced(downloader: Downloader, place: Place) -> None:
    place.folder.mkdir(parents=True)
    (place.folder / "job.mp4").write_bytes(b"somebody's")

    async with serving(Content(BODY)) as server:
        with pytest.raises(SourceError) as caught:
            await downloader.fetch(place.request(server.url()), Ledger())

    assert caught.value.failure is FailureClass.TRANSIENT
    assert (place.folder / "job.mp4").read_bytes() == b"somebody's"


async def test_a_symbolic_link_on_the_way_is_refused(downloader: Downloader, place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (place.root / "show").symlink_to(outside)

    async with serving(Content(BODY)) as server:
        with pytest.raises(RefusedError):
            await downloader.fetch(place.request(server.url()), Ledger())

    assert list(outside.iterdir()) == []
    assert server.connections == 0


async def test_a_source_that_sends_nothing_for_too_long_is_transient(make: Make, place: Place) -> None:
    downloader = make(read_timeout="200ms")
    content = Content(BODY, stop_after=2 * MIB)
    async with serving(content) as server:
        with pytest.raises(SourceError, match="nothing for too long") as caught:
            await downloader.fetch(place.request(server.url()), Ledger())
        content.go_on.set()

    assert caught.value.failure is FailureClass.TRANSIENT
    assert place.partial.stat().st_size == 2 * MIB


async def test_discard_removes_the_partial_file_and_only_that(downloader: Downloader, place: Place) -> None:
    place.folder.mkdir(parents=True)
    place.partial.write_bytes(b"part")
    (place.folder / "other.partial").write_bytes(b"other")

    await downloader.discard(place.request("https://example.org/"))
    await downloader.discard(place.request("https://example.org/"))

    assert place.names() == ["other.partial"]


async def test_a_partial_file_from_before_the_machine_started_keeps_only_what_was_synced(
    downloader: Downloader, place: Place
) -> None:
    place.folder.mkdir(parents=True)
    place.partial.write_bytes(BODY[: 2 * MIB])
    os.utime(place.partial, (1_000_000_000, 1_000_000_000))
    head = Head(len(BODY), 0, '"one"', None, "mp4", "")

    async with serving(Content(BODY)) as server:
        fetched = await downloader.fetch(place.request(server.url(), head), Ledger())

    assert "range" not in server.asked[0].headers
    assert fetched.sha256 == digest(BODY)


async def test_text_that_is_no_url_is_permanent(downloader: Downloader, place: Place) -> None:
    with pytest.raises(SourceError, match="neither an address") as caught:
        await downloader.fetch(place.request("hello there"), Ledger())

    assert caught.value.failure is FailureClass.PERMANENT
