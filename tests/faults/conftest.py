from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.episodes import EPISODES, FIRST, SECOND, Site, make, served
from tests.faults.forge import Forge
from tests.faults.place import Place
from tests.faults.scenes import Scene, expect_both
from tests.quiet import every_type


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The episodes, served for the tests of this folder; other folders' look at which processes there are."""
    folder = tmp_path_factory.mktemp("site")
    for episode in EPISODES:
        make(folder, episode)
    with served(folder) as site:
        yield site


@pytest.fixture(scope="package")
def forge() -> Iterator[Forge]:
    """Where all owners of this process come from."""
    forge = Forge()
    yield forge
    forge.close()


@pytest.fixture(scope="package")
def queued(site: Site, forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which both episodes were queued by the command."""
    place = Place(tmp_path_factory.mktemp("queued"), forge)
    expect_both(Scene(place, site, place.data_dir))
    episodes = place.root / "episodes.csv"
    rows = zip(place.sources, (FIRST.entity, SECOND.entity), strict=True)
    episodes.write_text("source,entity\n" + "".join(f"{source},{entity}\n" for source, entity in rows))
    done = place.pulsetui("add", "--from", str(episodes))
    assert done.returncode == 0, done.stderr
    return place.data_dir


@pytest.fixture
def place(forge: Forge, tmp_path: Path) -> Place:
    return Place(tmp_path, forge)


@pytest.fixture
def scene(place: Place, site: Site, queued: Path) -> Scene:
    return Scene(place, site, queued)


@pytest.fixture
def quiet(place: Place) -> None:
    """Ask no mounts, so that each process that an owner starts is the worker of a job."""
    place.settings = {**place.settings, "VOLUMES__IGNORED_TYPES": every_type()}
