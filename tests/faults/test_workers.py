"""Workers that are killed, stopped or orphaned: that costs their attempt, or nothing, and never the work of others."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.faults import outside
from tests.faults.episodes import FIRST, LONG
from tests.faults.place import Owner, until
from tests.faults.scenes import Scene

pytestmark = pytest.mark.usefixtures("quiet")
STALL_S = 4


def order_long(scene: Scene, owner: Owner) -> None:
    """Queue an episode that takes a while to transcribe."""
    scene.place.sources[scene.site.url(LONG)] = scene.site.path(LONG)
    owner.give("jobs.add", episodes=[{"source": scene.site.url(LONG), "entity": LONG.entity}])


def worker_in(scene: Scene, owner: Owner, stage: str, begun: Callable[[], bool] = lambda: True) -> int:
    """Wait for the worker of a job in `stage` and return its process id."""
    found: list[int] = []

    def there() -> bool:
        if any(job["stage"] == stage for job in outside.live_jobs(scene.place.data_dir)) and begun():
            found[:] = outside.workers_of(owner.pid)
        return len(found) == 1

    owner.until(there, f"a worker in {stage}")
    return found[0]


def hears(owner: Owner) -> Callable[[], bool]:
    """Return what says whether a transcription is in the middle of the speech."""

    def middle() -> bool:
        live = owner.live()
        running = live["workers"]["running"] if live else []
        return any(task["phase"] == "transcribing" and task["done"] > 0 for task in running)

    return middle


def blamed(scene: Scene) -> list[str]:
    """Return what attempts were lost to."""
    left = outside.read(scene.place.data_dir)
    assert left is not None
    return [event["text"] for event in left.events if event["kind"] == "job.attempt_failed"]


def test_a_killed_transcription_costs_an_attempt_and_is_done_again(scene: Scene) -> None:
    with scene.place.owner() as owner:
        order_long(scene, owner)
        os.kill(worker_in(scene, owner, "transcribing", hears(owner)), signal.SIGKILL)
        owner.until_all_ended()
        assert owner.stop() == 0
    (text,) = blamed(scene)
    assert "SIGKILL" in text
    assert scene.place.unfinished_business() == []


def test_a_killed_probe_costs_an_attempt_and_is_done_again(scene: Scene) -> None:
    scene.expect(scene.site.url(FIRST), FIRST)
    with scene.place.owner(workers="media.open@1=delay:1.5") as owner:
        owner.give("jobs.add", episodes=[{"source": scene.site.url(FIRST), "entity": FIRST.entity}])
        os.kill(worker_in(scene, owner, "downloading"), signal.SIGKILL)
        owner.until_all_ended()
        assert owner.stop() == 0
    (text,) = blamed(scene)
    assert "SIGKILL" in text
    assert scene.place.unfinished_business() == []


def test_a_worker_that_hangs_is_ended(scene: Scene) -> None:
    scene.place.settings = {**scene.place.settings, "TRANSCRIPTION__PROGRESS_TIMEOUT": f"{STALL_S}s"}
    with scene.place.owner() as owner:
        order_long(scene, owner)
        hanging = worker_in(scene, owner, "transcribing", hears(owner))
        os.kill(hanging, signal.SIGSTOP)
        owner.until(lambda: hanging not in outside.workers_of(owner.pid), "the hanging worker is ended")
        owner.until_all_ended()
        assert owner.stop() == 0
    (text,) = blamed(scene)
    assert "no progress" in text
    assert scene.place.unfinished_business() == []


@pytest.mark.parametrize("stage", ["downloading", "transcribing"])
def test_a_worker_dies_with_its_owner_and_nobody_is_blamed(scene: Scene, stage: str) -> None:
    plan = "media.open@1=delay:30" if stage == "downloading" else ""
    with scene.place.owner(workers=plan) as owner:
        order_long(scene, owner)
        worker = worker_in(scene, owner, stage, (lambda: True) if plan else hears(owner))
        os.kill(owner.pid, signal.SIGKILL)
        until(lambda: worker not in outside.workers_of(owner.pid), "the worker dies too", deadline_s=5.0)
    assert scene.place.broken_promises() == []
    with scene.place.owner() as owner:
        owner.until_all_ended()
        assert owner.stop() == 0
    assert blamed(scene) == []
    assert scene.place.unfinished_business() == []
