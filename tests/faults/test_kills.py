"""Kill -9 at every fault point, three times and more: nothing is ever lost, and the next start needs no human.

`FAULT_ROUNDS=7` in the environment does all of it seven times: at least twenty kills at each point.
"""

from __future__ import annotations

import os
import signal

import pytest

from tests.faults import outside
from tests.faults.place import After, Owner, until
from tests.faults.points import OWNER, UNREACHABLE, WORKERS, Hits, named
from tests.faults.scenes import ALONE, FETCH, Scene, Workload
from tests.seams import all_points

_ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
_LINGER_S = 5.0


def killed(scene: Scene, workload: Workload, point: str, hit: int) -> None:
    """Run the workload until the point kills it."""
    with scene.place.owner(f"{point}@{hit}=kill", extra=workload.environment) as owner:
        workload.drive(scene, owner)
        workload.end(scene, owner)
        owner.until_or_dead(scene.place.ended, f"{point}@{hit} strikes, or all is done")
        until(lambda: not owner.runs(), f"{point}@{hit} strikes at all", deadline_s=_LINGER_S)
        assert owner.code() == -signal.SIGKILL, owner.tail()


def goes_on_by_itself(scene: Scene, workload: Workload) -> None:
    """Start once more without faults: all gets done, nothing twice, and the figures are those of the disk."""
    place = scene.place
    with place.owner(extra=workload.environment) as owner:
        workload.drive(scene, owner)
        owner.until_all_ended()
        owner.until(lambda: figures_agree(scene, owner), "usage as du has it, nothing reserved")
        live = owner.live()
        assert live is not None
        assert live["gate"]["open"]
        assert live["recovery"]["orphans"] == 0
        assert live["recovery"]["needs_attention"] == []
        assert owner.stop() == 0, owner.tail()
    assert place.unfinished_business() == []
    assert all(outside.spoken(place.data_dir).values())


def figures_agree(scene: Scene, owner: Owner) -> bool:
    """Say whether the owner's usage is that of `du`, give or take the log, with nothing reserved."""
    place, live = scene.place, owner.live()
    on_disk = outside.allocated_bytes([place.data_dir, place.storage_dir])
    return (
        live is not None
        and live["gate"]["reserved_bytes"] == 0
        and abs(live["gate"]["usage_bytes"] - on_disk) <= outside.log_bytes(place.data_dir)
    )


def test_the_table_names_every_point() -> None:
    assert named() == all_points()
    assert len(UNREACHABLE) == 1


OWNERS = [
    pytest.param(workload, point, hits, id=f"{point}@{'_'.join(map(str, hits))}-{workload.name}".replace(" ", "_"))
    for _ in range(_ROUNDS)
    for workload, points in OWNER.items()
    for point, rows in points.items()
    for hits in rows
]


@pytest.mark.parametrize(("workload", "point", "hits"), OWNERS)
def test_the_owner_is_killed(scene: Scene, workload: Workload, point: str, hits: Hits) -> None:
    workload.prepare(scene)
    for hit in hits:
        workload.before(scene)
        killed(scene, workload, point, hit)
        assert scene.place.broken_promises() == []
    goes_on_by_itself(scene, workload)


# The first rename and the first replacement are those of the new database and of its ballast.
PUBLISHED = After("files.renamed", 2)
TRANSCRIPT_SAVED = After("files.replaced", 2)
IN_PLACE = {PUBLISHED: "storage/videos/*/*/*.mkv", TRANSCRIPT_SAVED: "data/transcripts/*/*/*.json"}
COMMITS = [(PUBLISHED, hit) for hit in range(1, 5)] + [(TRANSCRIPT_SAVED, hit) for hit in range(1, 6)]


@pytest.mark.parametrize("point", ["db.commit", "db.committed"])
@pytest.mark.parametrize(("after", "hit"), COMMITS * _ROUNDS)
def test_the_owner_is_killed_around_the_commits_that_matter(scene: Scene, point: str, after: After, hit: int) -> None:
    """Those that take a file into the books, accept a transcript, mark media for deletion and say that it is gone."""
    ALONE.prepare(scene)
    with scene.place.owner(f"{point}@{hit}=kill", after=after) as owner:
        ALONE.drive(scene, owner)
        assert owner.code() == -signal.SIGKILL, owner.tail()
    assert list(scene.place.root.glob(IN_PLACE[after]))
    assert scene.place.broken_promises() == []
    goes_on_by_itself(scene, ALONE)


@pytest.mark.parametrize(("point", "hits"), list(WORKERS.items()) * _ROUNDS)
def test_a_worker_is_killed_and_then_its_owner(scene: Scene, point: str, hits: Hits) -> None:
    FETCH.prepare(scene)
    for hit in hits:
        with scene.place.owner(workers=f"{point}@{hit}=kill") as owner:
            owner.until_said("job.attempt_failed")
            owner.kill()
        assert scene.place.broken_promises() == []
    goes_on_by_itself(scene, FETCH)
