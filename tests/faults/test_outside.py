"""The outside checks themselves: each kind of loss that they are there for is seen."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import outside
from tests.faults.episodes import Site
from tests.faults.forge import Forge
from tests.faults.place import Place
from tests.faults.scenes import FETCH, Scene


@pytest.fixture(scope="module")
def finished(forge: Forge, site: Site, queued: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place where all is done."""
    place = Place(tmp_path_factory.mktemp("finished"), forge)
    FETCH.prepare(Scene(place, site, queued))
    with place.owner() as owner:
        owner.until_all_ended()
        assert owner.stop() == 0
    return place


@pytest.fixture
def ruin(finished: Place, tmp_path: Path) -> Place:
    """A copy of it, with paths that lead into the copy, to be damaged."""
    place = Place(tmp_path / "ruin", finished.forge, sources=finished.sources)
    shutil.copytree(finished.root, place.root)
    old, new = (os.fsencode(root) for root in (finished.root, place.root))
    for job in outside.live_jobs(place.data_dir):
        moved = (job[column].replace(old, new) for column in ("video_path", "transcript_path"))
        change(place, "UPDATE jobs SET video_path = ?, transcript_path = ? WHERE id = ?", *moved, job["id"])
    return place


def change(place: Place, sql: str, *parameters: object) -> None:
    with closing(sqlite3.connect(place.data_dir / "pulse.db")) as connection, connection:
        connection.execute(sql, parameters)


def transcript(place: Place) -> Path:
    return next((place.data_dir / "transcripts").rglob("*.json"))


def media(place: Place, share: float, name: str) -> Path:
    """Put a part of the first job's source back in its folder."""
    job = outside.live_jobs(place.data_dir)[0]
    source = place.sources[job["source_url"]].read_bytes()
    path = Path(os.fsdecode(job["video_path"])).with_name(name.format(job["uuid"]))
    path.write_bytes(source[: int(len(source) * share)])
    return path


def test_nothing_is_found_where_all_is_well(ruin: Place) -> None:
    assert ruin.broken_promises() == []
    assert ruin.unfinished_business() == []


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        (lambda place: transcript(place).unlink(), "not on disk as it was accepted"),
        (lambda place: transcript(place).write_text("{}"), "not on disk as it was accepted"),
        (lambda place: transcript(place).write_text('{"half'), "is not whole"),
        (lambda place: change(place, "UPDATE jobs SET stage = 'downloaded'"), "without an accepted transcript"),
        (lambda place: change(place, "UPDATE jobs SET receipt = '{\"accepted\": false}'"), "without an accepted"),
        (lambda place: change(place, "UPDATE jobs SET video_deleted = 0"), "no commit marked it"),
        (lambda place: change(place, "UPDATE jobs SET video_path = NULL"), "has lost its media"),
        (lambda place: media(place, 0.5, "{}.mkv"), "has its final name and is not its source"),
        (lambda place: media(place, 0.5, "{}.partial").write_bytes(b"else"), "is not the beginning"),
    ],
)
def test_a_broken_promise_is_seen(ruin: Place, damage: Callable[[Place], object], seen: str) -> None:
    damage(ruin)
    assert any(seen in broken for broken in ruin.broken_promises()), ruin.broken_promises()


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        (
            lambda place: change(
                place,
                "INSERT INTO events (at, kind, category, severity, keep, job_id, text, data) "
                "VALUES (1, 'job.transcribed', 'job', 'info', 0, 1, '', '{}')",
            ),
            "'job.transcribed': 2",
        ),
        (lambda place: change(place, "INSERT INTO reservations VALUES (1, 1, 1, 1)"), "reservation"),
        (lambda place: change(place, "UPDATE jobs SET audio_deleted = 0"), "was not deleted"),
        (lambda place: change(place, "UPDATE jobs SET source_url = 'other' WHERE id = 1"), "are not the sources"),
        (lambda place: media(place, 1.0, "{}.partial"), "left over"),
        (lambda place: transcript(place).with_name(".pulsetui-0.tmp").touch(), "left over"),
        (lambda place: (place.data_dir / "pulse.db.new").touch(), "left over"),
    ],
)
def test_unfinished_business_is_seen(ruin: Place, damage: Callable[[Place], object], seen: str) -> None:
    damage(ruin)
    assert any(seen in wrong for wrong in ruin.unfinished_business()), ruin.unfinished_business()
