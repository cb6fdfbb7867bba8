"""A full disk, a broken disk and a slow disk at each step: no start ends, nothing is lost, and the owner answers."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults import outside
from tests.faults.scenes import FETCH, LOCAL, Scene, Workload

DELAY_S = 3.0

FULL = [
    (FETCH, "files.folder_create@4"),
    (FETCH, "files.folder_created@5"),
    (FETCH, "files.folder_sync@6"),
    (FETCH, "files.create@2"),
    (FETCH, "files.create@4"),
    (FETCH, "files.created@2"),
    (FETCH, "files.created@3"),
    (LOCAL, "files.write@4"),
    (FETCH, "files.write@5"),
    (FETCH, "files.sync@2"),
    (FETCH, "files.sync@3"),
    (FETCH, "files.rename@1"),
    (FETCH, "files.replace@2"),
    (FETCH, "db.begin@20"),
    (FETCH, "db.commit@8"),
    (FETCH, "db.commit@16"),
    (FETCH, "db.commit@28"),
    (FETCH, "db.commit@40"),
]
NO_SECOND_ATTEMPT = {"DOWNLOADS__MAX_ATTEMPTS": "1", "TRANSCRIPTION__MAX_ATTEMPTS": "1"}
BROKEN = [
    (FETCH, "files.created@2"),
    (LOCAL, "files.write@4"),
    (FETCH, "files.sync@2"),
    (FETCH, "files.synced@3"),
    (FETCH, "files.rename@1"),
    (FETCH, "files.renamed@2"),
    (FETCH, "files.replaced@1"),
    (FETCH, "files.folder_sync@7"),
    (FETCH, "files.unlink@3"),
    (FETCH, "files.unlinked@4"),
    (FETCH, "download.read@2"),
    (FETCH, "processes.spawn@3"),
    (FETCH, "db.read@30"),
    (FETCH, "db.commit@12"),
    (FETCH, "db.commit@34"),
]
pytestmark = pytest.mark.usefixtures("quiet")
SLOW = ["files.write@2", "files.sync@1", "files.folder_sync@8", "db.commit@14", "processes.spawn@1", "storage.walk@3"]


def ids(rows: list[tuple[Workload, str]]) -> list[str]:
    return [f"{fault}-{workload.name}".replace(" ", "_") for workload, fault in rows]


@pytest.mark.parametrize(("workload", "fault"), FULL, ids=ids(FULL))
def test_a_disk_that_was_full_costs_no_attempt(scene: Scene, workload: Workload, fault: str) -> None:
    place = scene.place
    place.settings = NO_SECOND_ATTEMPT
    workload.prepare(scene)
    with place.owner(f"{fault}=ENOSPC") as owner:
        workload.drive(scene, owner)
        owner.until_all_ended()
        owner.until(lambda: (owner.live() or {"gate": {"open": False}})["gate"]["open"], "the gate opens again")
        assert owner.stop() == 0, owner.tail()
    left = outside.read(place.data_dir)
    assert left is not None
    kinds = [event["kind"] for event in left.events]
    assert "disk.full" in kinds
    assert kinds.index("gate.closed") < kinds.index("gate.opened")
    assert place.unfinished_business() == []


@pytest.mark.parametrize(("workload", "fault"), BROKEN, ids=ids(BROKEN))
def test_an_input_output_error_loses_nothing(scene: Scene, workload: Workload, fault: str) -> None:
    place = scene.place
    workload.prepare(scene)
    with place.owner(f"{fault}=EIO") as owner:
        workload.drive(scene, owner)
        owner.until_all_ended()
        assert owner.stop() == 0, owner.tail()
    assert place.broken_promises() == []
    assert place.unfinished_business() == []


@pytest.mark.parametrize("fault", SLOW)
def test_the_owner_answers_while_a_disk_is_slow(scene: Scene, fault: str) -> None:
    FETCH.prepare(scene)
    with scene.place.owner(f"{fault}=delay:{DELAY_S}") as owner:
        began_s = time.monotonic()
        owner.until_ready()
        worst_s, worst_lag_ms = 0.0, 0.0

        def answers_and_ended() -> bool:
            nonlocal worst_s, worst_lag_ms
            asked_s = time.monotonic()
            live = owner.live()
            worst_s = max(worst_s, time.monotonic() - asked_s)
            assert live is not None, owner.tail()
            worst_lag_ms = live["loop_lag_worst_ms"] or 0.0
            return scene.place.ended()

        owner.until(answers_and_ended, "all is transcribed")
        assert time.monotonic() - began_s > DELAY_S
        assert worst_s < DELAY_S / 2
        assert worst_lag_ms < 1000 * DELAY_S / 2
    assert scene.place.unfinished_business() == []


def test_a_kill_after_the_ballast_went_needs_no_human(scene: Scene) -> None:
    """The ballast is dropped on a full disk; the start after the kill puts it back."""
    place = scene.place
    FETCH.prepare(scene)
    for _ in range(3):
        with place.owner("db.commit@9=ENOSPC;db.ballast_dropped=kill") as owner:
            assert owner.code() == -signal.SIGKILL, owner.tail()
        assert not (place.data_dir / "pulse.db.ballast").exists()
        assert place.broken_promises() == []
    with place.owner() as owner:
        owner.until_all_ended()
        assert (place.data_dir / "pulse.db.ballast").stat().st_blocks * 512 >= 1 << 20
        assert owner.stop() == 0
    assert place.unfinished_business() == []


def test_a_full_disk_in_a_worker_sends_the_job_back_unblamed(scene: Scene) -> None:
    """Every worker's first file fails: its job waits without losing attempts, and the gate closes."""
    place = scene.place
    place.settings = NO_SECOND_ATTEMPT
    FETCH.prepare(scene)
    with place.owner(workers="files.create@1=ENOSPC") as owner:
        owner.until(lambda: went_back(scene) >= 3, "transcriptions go back for want of space")
    with place.owner() as owner:
        owner.until_all_ended()
        assert owner.stop() == 0
    assert place.unfinished_business() == []
    left = outside.read(place.data_dir)
    assert left is not None
    assert "gate.closed" in [event["kind"] for event in left.events]


def went_back(scene: Scene) -> int:
    """Return how often a transcription ended without a transcript."""
    ends = ("job.waits", "job.attempt_failed")
    events = outside.live_events(scene.place.data_dir)
    downloaded = {event["job_id"] for event in events if event["kind"] == "job.downloaded"}
    return sum(event["kind"] in ends and event["job_id"] in downloaded for event in events)
