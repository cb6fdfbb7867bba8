"""Kills of the processes around the owner: commands that give an order or look at folders, and the demo's server."""

from __future__ import annotations

import json
import signal

import pytest

from tests.faults import outside
from tests.faults.episodes import FIRST
from tests.faults.place import Place
from tests.faults.scenes import Scene


@pytest.mark.parametrize("point", ["actions.connect", "actions.address", "actions.send", "actions.sent"])
def test_a_killed_command_disturbs_nobody_and_can_be_given_again(scene: Scene, point: str) -> None:
    place = scene.place
    url = scene.site.url(FIRST)
    scene.expect(url, FIRST)
    with place.owner() as owner:
        owner.until_ready()
        for _ in range(3):
            killed = place.pulsetui("add", url, "--entity", FIRST.entity, plan=f"{point}=kill")
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            assert len(outside.live_jobs(place.data_dir)) <= (point == "actions.sent")
        again = place.pulsetui("add", url, "--entity", FIRST.entity)
        assert again.returncode == (1 if "skipped" in again.stderr else 0), again.stderr
        owner.until_all_ended()
        assert owner.stop() == 0
    assert place.unfinished_business() == []


@pytest.mark.parametrize("point", ["demo.server.bind", "demo.video"])
def test_a_demo_whose_helper_is_killed_says_so_and_leaves_no_process(place: Place, point: str) -> None:
    words = ("demo", "--no-ui", "--episodes", "1", "--keep", str(place.root / "demo"))
    for _ in range(3):
        ended = place.pulsetui(*words, plan=f"{point}=kill")
        assert ended.returncode == 1
        assert "SIGKILL" in ended.stderr
        assert "Traceback" not in ended.stderr
    done = place.pulsetui(*words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("point", ["storage.export", "storage.export_folder", "storage.export_above"])
def test_a_killed_export_leaves_no_half_of_a_file(place: Place, point: str) -> None:
    folder, exported = place.root / "media", place.root / "out" / "media.json"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "talk.mp4").write_bytes(b"x" * 5000)
    exported.parent.mkdir()
    words = ("storage", "export", "--path", str(folder), str(exported))
    for _ in range(3):
        killed = place.pulsetui(*words, plan=f"{point}=kill")
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not exported.exists()
    done = place.pulsetui(*words)
    assert done.returncode == 0, done.stderr
    assert place.pulsetui("storage", "treemap", "--import", str(exported), plan="storage.ncdu_read=kill").returncode < 0
    assert place.pulsetui("storage", "treemap", "--import", str(exported)).returncode == 0


@pytest.mark.parametrize("point", ["storage.plain_top", "storage.plain_folder"])
def test_a_killed_look_at_a_folder_changes_nothing_in_it(place: Place, point: str) -> None:
    folder = place.root / "media"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "talk.mp4").write_bytes(b"x" * 5000)
    words = ("storage", "treemap", "--path", str(folder), "--json")
    killed = place.pulsetui(*words, plan=f"{point}=kill")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [path.name for path in folder.rglob("*")] == ["a", "talk.mp4"]
    assert json.loads(place.pulsetui(*words).stdout)["total_bytes"] == 5000
