"""Orders about volumes, on real file systems."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pulsetui.errors import (
    AlreadyTrackedError,
    NotFoundError,
    NotTrackedError,
    RefusedError,
    UsageError,
    VolumeAwayError,
    VolumeNotFoundError,
)
from pulsetui.settings.volumes import IGNORED_TYPES
from pulsetui.volumes.detector import Detector
from pulsetui.volumes.marker import MARKER_NAME, read_marker
from pulsetui.volumes.outcomes import VolumeAccepted, VolumeRenamed, VolumeTracked, VolumeUntracked
from pulsetui.volumes.records import Record
from pulsetui.volumes.views import VolumeView
from tests.volumes.mounts import bind, clone, ext4_image, may_mount, mount, mounted, tmpfs, unmount
from tests.volumes.watch import Watch, watching

pytestmark = may_mount


class Ground:
    """A folder for a database, images and mount points; what is mounted ends with the test."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.database = folder / "data"
        self.database.mkdir()

    def point(self, name: str = "point") -> Path:
        return self.folder / name

    def image(self, name: str = "disk") -> Path:
        return ext4_image(self.folder / f"{name}.image")

    def mount(self, image: Path, point: str = "point", options: str = "") -> Path:
        return self.stack.enter_context(mounted(image, self.point(point), options))


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with ExitStack() as stack:
        yield Ground(tmp_path, stack)


def detector() -> Detector:
    return Detector(ignored=IGNORED_TYPES, probe_timeout_s=10.0)


async def track(watch: Watch, wanted: Path | str, **more: str) -> VolumeTracked:
    done = await watch.order("volumes.track", fingerprint=str(wanted), **more)
    assert isinstance(done, VolumeTracked)
    return done


def at(watch: Watch, point: Path) -> VolumeView:
    (found,) = [one for one in watch.monitor.view().volumes if point in one.mount_points]
    return found


def own(watch: Watch) -> Record:
    (record,) = watch.monitor.records
    return record


async def test_track_track_again_untrack_untrack_again(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point, name="  Archive\n1 ")
        assert (done.name, done.library, done.mount_point, done.kind) == ("Archive 1", "main", str(point), "disk")
        assert (done.marked, done.is_online, done.read_only, done.warnings) == (True, True, False, ())
        assert done.total_bytes > done.available_bytes > 0
        assert read_marker(point) == own(watch).marker != done.uuid
        shown = at(watch, point)
        assert (shown.state, shown.uuid, shown.name) == ("online", done.uuid, "Archive 1")
        with pytest.raises(AlreadyTrackedError, match=done.fingerprint):
            await track(watch, done.fingerprint[:8])
        gone = await watch.order("volumes.untrack", fingerprint=done.fingerprint[:4])
        assert isinstance(gone, VolumeUntracked)
        assert (gone.uuid, gone.display_name, gone.tracked_at) == (done.uuid, "Archive 1", done.tracked_at)
        with pytest.raises(NotTrackedError):
            await watch.order("volumes.untrack", fingerprint=done.fingerprint)
        assert (point / MARKER_NAME).exists()
        assert at(watch, point).state == "untracked"
        assert watch.kinds(done.fingerprint) == ["volume.tracked", "volume.untracked"]
        audit = (await watch.audit())[::-1]
        assert [(entry.verb, (entry.error or {}).get("code")) for entry in audit] == [
            ("volumes.track", None),
            ("volumes.track", "already-tracked"),
            ("volumes.untrack", None),
            ("volumes.untrack", "not-tracked"),
        ]
        assert audit[0].outcome == done.model_dump(mode="json")
        assert audit[2].outcome == gone.model_dump(mode="json")


async def test_the_events_carry_library_fingerprint_and_display_name(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point, name="Archive")
        await watch.order("volumes.untrack", fingerprint=done.fingerprint)
        told = [event.data() for event in watch.told if event.kind in ("volume.tracked", "volume.untracked")]
        assert len(told) == 2
        for data in told:
            assert (data["library"], data["fingerprint"], data["display_name"]) == ("main", done.fingerprint, "Archive")


async def test_unknown_wrong_and_missing_names_are_refused_and_change_nothing(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        for wanted, error in (
            ("00000000", VolumeNotFoundError),
            ("/nowhere", VolumeNotFoundError),
            ("abc", UsageError),
            ("archive", UsageError),
        ):
            for verb in ("volumes.track", "volumes.untrack", "volumes.accept"):
                with pytest.raises(error):
                    await watch.order(verb, fingerprint=wanted)
        with pytest.raises(NotFoundError, match="no library"):
            await track(watch, point, library="second")
        with pytest.raises(NotTrackedError):
            await watch.order("volumes.rename", fingerprint=str(point), name="x")
        assert await watch.rows() == ()
        assert not (point / MARKER_NAME).exists()
        assert "volume.tracked" not in watch.kinds()


async def test_an_order_that_runs_again_after_a_crash_tracks_once(ground: Ground) -> None:
    point = ground.mount(ground.image())
    order = str(uuid.uuid4())
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point, order=order)
        # As if the owner had died before it could note the end of the order.
        await watch.database.write(
            lambda tx: tx.execute("UPDATE commands SET finished_at = NULL, outcome = NULL WHERE uuid = ?", (order,))
        )
        again = await track(watch, point, order=order)
        assert again == done
        assert watch.kinds(done.fingerprint) == ["volume.tracked"]
        # As if it had died between the marker and the row.
        await watch.database.write(lambda tx: tx.execute("DELETE FROM volumes"))
        await watch.database.write(
            lambda tx: tx.execute("UPDATE commands SET finished_at = NULL, outcome = NULL WHERE uuid = ?", (order,))
        )
        watch.monitor.forget()
        marker = read_marker(point)
        assert (await track(watch, point, order=order)).uuid == done.uuid
        assert read_marker(point) == own(watch).marker == marker


async def test_state_survives_a_restart_and_a_remount_elsewhere_keeps_the_record(ground: Ground) -> None:
    image = ground.image()
    point = ground.mount(image)
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point, name="Archive")
    unmount(point)
    filler = ground.mount(ground.image("filler"), "filler")  # takes the loop device, so the number is another one
    async with watching(ground.database, detector()) as watch:
        await watch.monitor.refresh()
        away = watch.shown()
        assert (away.state, away.mount_points, away.last_mount_point) == ("offline", (), point)
        assert (away.total_bytes, away.last_seen_at) == (done.total_bytes, done.tracked_at)
        elsewhere = ground.mount(image, "elsewhere")
        await watch.monitor.refresh()
        back = at(watch, elsewhere)
        assert (back.state, back.uuid, back.name) == ("online", done.uuid, "Archive")
        assert watch.kinds(done.fingerprint) == ["volume.removed", "volume.added"]
        assert at(watch, filler).state == "untracked"
        assert (await watch.rows())[0].mount_point == elsewhere


async def test_bind_mounts_are_one_volume_and_read_only_is_told(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        fingerprint = (await track(watch, point)).fingerprint
        watch.kinds()
        ground.stack.enter_context(bind(point, ground.point("bound")))
        await watch.monitor.refresh()
        assert set(at(watch, ground.point("bound")).mount_points) == {point, ground.point("bound")}
        assert watch.kinds(fingerprint) == ["volume.mount_changed"]
        unmount(ground.point("bound"))
        mount("-o", "remount,ro", str(point))
        await watch.monitor.refresh()
        assert (at(watch, point).state, at(watch, point).is_read_only) == ("online", True)
        assert watch.kinds(fingerprint) == ["volume.mount_changed"]
        await watch.monitor.refresh()
        assert watch.kinds(fingerprint) == []


async def test_another_disk_in_its_mount_point_never_takes_over_the_record(ground: Ground) -> None:
    image = ground.image()
    point = ground.mount(image)
    async with watching(ground.database, detector()) as watch:
        await track(watch, point, name="Archive")
        before = own(watch)
        unmount(point)
        ground.mount(ground.image("other"))
        await watch.monitor.refresh()
        tracked, other = watch.shown(), at(watch, point)
        assert (tracked.state, tracked.uuid, other.state, other.uuid) == ("offline", before.uuid, "untracked", None)
        assert "another file system is mounted" in tracked.trouble
        assert not (point / MARKER_NAME).exists()
        (row,) = await watch.rows()
        assert (row.fingerprint, row.marker, row.total_bytes) == (before.fingerprint, before.marker, before.total_bytes)
        unmount(point)
        ground.mount(image)
        await watch.monitor.refresh()
        assert at(watch, point).uuid == before.uuid
        assert at(watch, point).state == "online"


async def test_a_clone_of_before_the_marker_is_in_quarantine_until_it_is_accepted(ground: Ground) -> None:
    image = ground.image()
    copy = clone(image)
    point = ground.mount(image)
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point, name="Archive")
        unmount(point)
        ground.mount(copy)
        await watch.monitor.refresh()
        assert at(watch, point).state == "quarantine"
        assert "no marker" in at(watch, point).quarantine
        assert (await watch.rows())[0].quarantine == at(watch, point).quarantine
        with pytest.raises(AlreadyTrackedError):
            await track(watch, point)
        assert not (point / MARKER_NAME).exists()
        watch.kinds()
        accepted = await watch.order("volumes.accept", fingerprint=done.fingerprint)
        assert isinstance(accepted, VolumeAccepted)
        assert (accepted.uuid, accepted.new_marker, accepted.is_online) == (done.uuid, True, True)
        assert (at(watch, point).state, at(watch, point).uuid) == ("online", done.uuid)
        assert watch.kinds(done.fingerprint) == ["volume.accepted", "volume.added"]
        # The one that it was is the clone now.
        unmount(point)
        ground.mount(image)
        await watch.monitor.refresh()
        assert at(watch, point).state == "quarantine"
        assert "another marker" in at(watch, point).quarantine


async def test_two_with_one_marker_are_both_in_quarantine_until_a_human_says_which(ground: Ground) -> None:
    image = ground.image()
    point = ground.mount(image)
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point, name="Archive")
        marker = own(watch).marker
        unmount(point)
        copy = clone(image)
        ground.mount(image)
        beside = ground.mount(copy, "beside")
        await watch.monitor.refresh()
        assert [at(watch, one).state for one in (point, beside)] == ["quarantine", "quarantine"]
        unmount(point)
        await watch.monitor.refresh()  # which one is left can't be known
        assert at(watch, beside).state == "quarantine"
    async with watching(ground.database, detector()) as watch:  # nor after a restart
        await watch.monitor.refresh()
        assert at(watch, beside).state == "quarantine"
        ground.mount(image)
        with pytest.raises(UsageError, match="may be what is mounted at"):
            await watch.order("volumes.accept", fingerprint=done.fingerprint)
        with pytest.raises(VolumeNotFoundError):
            await watch.order("volumes.accept", fingerprint=done.fingerprint, mount="/elsewhere")
        accepted = await watch.order("volumes.accept", fingerprint=done.fingerprint, mount=str(point))
        assert isinstance(accepted, VolumeAccepted)
        assert (accepted.new_marker, accepted.is_online) == (True, True)
        assert read_marker(beside) == marker
        assert read_marker(point) == own(watch).marker != marker
        assert [at(watch, one).state for one in (point, beside)] == ["online", "quarantine"]
        assert at(watch, beside).uuid is None
        unmount(beside)
        await watch.monitor.refresh()
        assert at(watch, point).state == "online"


async def test_a_copy_of_the_marker_on_another_disk_is_found_and_can_not_be_tracked(ground: Ground) -> None:
    point, other = ground.mount(ground.image()), ground.mount(ground.image("other"), "other")
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point, name="Archive")
        (other / MARKER_NAME).write_bytes((point / MARKER_NAME).read_bytes())
        await watch.monitor.refresh()
        assert [at(watch, one).state for one in (point, other)] == ["quarantine", "quarantine"]
        with pytest.raises(RefusedError):
            await track(watch, other)
        accepted = await watch.order("volumes.accept", fingerprint=done.fingerprint)
        assert isinstance(accepted, VolumeAccepted)
        assert accepted.new_marker
        assert at(watch, point).state == "online"


async def test_a_deleted_marker_is_a_quarantine_and_a_restored_one_ends_it(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        await track(watch, point)
        kept = (point / MARKER_NAME).read_bytes()
        (point / MARKER_NAME).unlink()
        await watch.monitor.refresh()
        assert at(watch, point).state == "quarantine"
        (point / MARKER_NAME).write_bytes(b"not a marker")
        await watch.monitor.refresh()
        assert at(watch, point).state == "quarantine"
        with pytest.raises(RefusedError):
            await watch.order("volumes.accept", fingerprint=str(point))
        assert (point / MARKER_NAME).read_bytes() == b"not a marker"
        (point / MARKER_NAME).write_bytes(kept)
        await watch.monitor.refresh()
        assert at(watch, point).state == "online"
        assert own(watch).quarantine == ""


async def test_a_marker_that_can_not_be_read_is_never_replaced_by_tracking(ground: Ground) -> None:
    point = ground.mount(ground.image())
    (point / MARKER_NAME).write_bytes(b"{")
    async with watching(ground.database, detector()) as watch:
        with pytest.raises(RefusedError):
            await track(watch, point)
        assert (point / MARKER_NAME).read_bytes() == b"{"
        assert await watch.rows() == ()


async def test_one_tracked_before_is_known_by_the_marker_that_it_has(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        await track(watch, point)
        marker = read_marker(point)
        await watch.order("volumes.untrack", fingerprint=str(point))
        await track(watch, point)
        assert read_marker(point) == own(watch).marker == marker


async def test_a_read_only_volume_is_online_by_its_identity_alone(ground: Ground) -> None:
    image = ground.image()
    point = ground.mount(image, options="ro")
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point)
        assert (done.marked, done.read_only, done.is_online) == (False, True, True)
        assert any("could not be marked" in warning for warning in at(watch, point).warnings)
        unmount(point)
        await watch.monitor.refresh()
        assert watch.shown().state == "offline"
        # By its identity alone nobody can say which of two it is.
        copy = clone(image)
        ground.mount(image, options="ro")
        ground.mount(copy, "beside", "ro")
        await watch.monitor.refresh()
        assert {one.state for one in watch.monitor.view().volumes if one.fingerprint == done.fingerprint} == {
            "quarantine"
        }


async def test_memory_is_tracked_with_a_warning(ground: Ground) -> None:
    point = ground.stack.enter_context(tmpfs(ground.point("memory")))
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point)
        assert done.kind == "memory"
        assert any("reboot" in warning for warning in done.warnings)


async def test_what_is_not_mounted_can_neither_be_tracked_nor_accepted(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        done = await track(watch, point)
        unmount(point)
        with pytest.raises(VolumeAwayError):
            await watch.order("volumes.accept", fingerprint=done.fingerprint)
        await watch.order("library.add", name="second")
        with pytest.raises(VolumeNotFoundError, match="not mounted"):
            await track(watch, done.fingerprint, library="second")


async def test_rename_and_rename_to_nothing(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        await track(watch, point)
        for name, called, changed in (
            ("Archive", "Archive", True),
            ("Archive", "Archive", False),
            (" ", str(point), True),
        ):
            done = await watch.order("volumes.rename", fingerprint=str(point), name=name)
            assert isinstance(done, VolumeRenamed)
            assert (done.name, done.changed, at(watch, point).name) == (
                called or str(point),
                changed,
                called or str(point),
            )


async def test_a_volume_is_tracked_by_each_library_and_goes_with_the_one_that_is_removed(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        first = await track(watch, point, name="Archive")
        await watch.order("library.add", name="second")
        second = await track(watch, point, library="second", name="Copy")
        assert first.uuid != second.uuid
        assert [record.marker for record in await watch.rows()] == [read_marker(point)] * 2
        assert {one.library for one in watch.monitor.view().volumes if one.fingerprint == first.fingerprint} == {
            "main",
            "second",
        }
        watch.kinds()
        removed = await watch.order("library.remove", name="second")
        assert removed.model_dump()["untracked"] == ("Copy",)
        assert watch.kinds(first.fingerprint) == ["volume.untracked", "library.removed"]
        await watch.monitor.refresh()
        assert [record.uuid for record in watch.monitor.records] == [first.uuid]
        assert at(watch, point).state == "online"


async def test_an_accepted_volume_is_accepted_in_every_library(ground: Ground) -> None:
    point = ground.mount(ground.image())
    async with watching(ground.database, detector()) as watch:
        await watch.order("library.add", name="second")
        for library in ("main", "second"):
            await track(watch, point, library=library)
        (point / MARKER_NAME).unlink()
        await watch.order("volumes.accept", fingerprint=str(point))
        assert [record.is_online for record in watch.monitor.records] == [True, True]
