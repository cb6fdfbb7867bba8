"""Bad input as a user meets it: each ends in a job that says what is wrong and what to do, and nothing is lost."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from pulsetui.pipeline.tasks.extraction import extract
from pulsetui.pipeline.tasks.media import open_media
from tests.cli.box import Box, until
from tests.cli.conftest import LOOPBACK
from tests.cli.web import Site
from tests.pipeline.speech.making import Sound, cut, encode, mute


@dataclass(frozen=True)
class Tried:
    """A home where an owner has dealt with bad input."""

    box: Box
    jobs: dict[str, dict[str, Any]]
    """By title."""
    before: dict[Path, str]
    """The sources' digests before any was added."""

    def said(self, title: str) -> tuple[str, str]:
        job = self.jobs[title]
        return job["stage"], job["error"]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, web: Site) -> Tried:
    home = tmp_path_factory.mktemp("bad")
    box = Box(home, dict(LOOPBACK))
    speech = _speech(home)
    (home / "text.mp4").write_text("This is no video at all.\n" * 50)
    (home / "empty.mp4").touch()
    (home / "folder.mp4").mkdir()
    mute(home / "mute.mp4")
    encode(speech, home / "torn.mp4", "aac")  # its index is at the end, and lost
    cut(home / "torn.mp4", 0.5)
    encode(speech, home / "short.mkv", "aac")
    cut(home / "short.mkv", 0.5)
    before = digests(home)
    sources = [str(path) for path in sorted(home.glob("*.m*"))]
    with box.owner() as owner:
        box.ok("add", *sources, web.url("gone.mp4"))
        until(lambda: {job["stage"] for job in listed(box)} <= {"held", "dead"})
        assert not [line for line in owner.log if "Traceback" in line]
    return Tried(box, {job["title"]: job for job in listed(box)}, before)


def _speech(folder: Path) -> Sound:
    clip = Path(str(resources.files("pulsetui.demo").joinpath("clips", "01.opus"))).resolve()
    sound = folder / "speech.wav"
    with open_media(clip) as media:
        extract(media, sound, lambda _done_s, _audio_bytes: None)
    read = Sound.read(sound)
    sound.unlink()
    return read


def listed(box: Box) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = box.ok("jobs", "--limit", "0", "--json").json
    return found


def digests(home: Path) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in home.glob("*.m*") if path.is_file()}


@pytest.mark.parametrize(
    ("title", "stage", "said"),
    [
        ("text", "dead", "the content begins with b'This is no video', not mp4 as its name says; look at the source"),
        ("empty", "dead", "the file is empty, not mp4 as its name says; look at the source"),
        ("folder", "dead", "/folder.mp4 is not a regular file"),
        ("mute", "dead", "the media has no audio stream; there is nothing to transcribe: name a source with sound"),
        (
            "torn",
            "dead",
            "the media can't be read: Invalid data found when processing input; play the source elsewhere",
        ),
        ("short", "held", "the media is cut short or broken: "),
        ("gone", "dead", "/gone.mp4 answered 404: not found; check the address"),
    ],
)
def test_a_bad_source_says_what_is_wrong_and_what_to_do(tried: Tried, title: str, stage: str, said: str) -> None:
    found, error = tried.said(title)
    assert (found, said in error) == (stage, True), error


def test_a_person_is_told_how_to_try_again(tried: Tried) -> None:
    shown = {title: tried.box.ok("jobs", "show", str(job["id"])).out for title, job in tried.jobs.items()}
    dead, held = tried.jobs["text"]["id"], tried.jobs["short"]["id"]
    assert f"next       `pulsetui jobs retry {dead}` tries again\n" in shown["text"]
    assert f"its media stays; `pulsetui jobs retry {held}` tries again\n" in shown["short"]


def test_no_name_of_ours_stands_for_a_file_of_the_users(tried: Tried) -> None:
    assert [job["error"] for job in tried.jobs.values() if job["uuid"] in job["error"]] == []


def test_sources_stay_as_they_are_and_media_only_where_it_is_needed(tried: Tried) -> None:
    assert digests(tried.box.home) == tried.before
    videos = tried.box.data_dir / "storage" / "videos"
    assert [path for path in videos.rglob("*") if path.is_file()] == [Path(tried.jobs["short"]["video_path"])]


@pytest.mark.parametrize(
    ("table", "key", "hint"),
    [
        (
            '[disk_management]\nhard_limt = "1 GB"\n',
            "disk_management.hard_limt",
            "did you mean disk_management.hard_limit?",
        ),
        (
            '[disk_management]\nhard_limit = "1 GB"\npause_threshold = "2 GB"\n',
            "pause_threshold 2 GB must be below hard_limit 1 GB",
            "mend it where it stands",
        ),
    ],
    ids=["an unknown key", "pause above the limit"],
)
def test_wrong_settings_are_named_with_their_file_and_change_nothing(box: Box, table: str, key: str, hint: str) -> None:
    config = box.home / ".config" / "pulsetui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(table)
    for words in ("jobs", "--no-ui", "add https://example.com/a.mp4"):
        done = box.run(*words.split())
        assert done.code == 2
        assert [text for text in (key, str(config), hint) if text not in done.err] == []
    assert not box.data_dir.exists()


def test_the_doctor_says_once_that_the_settings_are_wrong(box: Box) -> None:
    done = box.run("doctor", "--json", env={"PULSETUI_DOWNLOADS__ALOW_HTTP": "1"})
    assert done.code == 1
    failed = [check for check in json.loads(done.out) if check["verdict"] == "failed"]
    assert [(check["name"], check["hint"]) for check in failed] == [
        ("settings", "did you mean PULSETUI_DOWNLOADS__ALLOW_HTTP?")
    ]


def test_what_nothing_can_fetch_is_refused_when_it_is_added(box: Box) -> None:
    done = box.run("add", "ftp://media.example/a.mp4", "javascript:alert(1)", "--json")
    assert (done.code, done.json["added"]) == (1, [])
    assert [each["reason"].partition(":")[0] for each in done.json["skipped"]] == [
        "nothing here fetches ftp",
        "nothing here fetches javascript",
    ]
