"""Kills of the processes around the owner: a command that gives an order, and the demo's server."""

from __future__ import annotations

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
