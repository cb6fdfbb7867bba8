"""One walker, step by step: what it gives away, and what others do to the tree between two of its steps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pulsetui.processes.task import TaskError
from pulsetui.storage.scan.walker import _Walker
from tests.storage.scan.trees import fill


class Steps:
    """A walker in this process, and what it reported."""

    def __init__(self, root: Path, **more: Any) -> None:
        status = root.stat()
        wanted = {"root": str(root), "identity": (status.st_dev, status.st_ino), "device": status.st_dev, "mounts": []}
        wanted |= {"leave_out": [], "exclude": "", "categories": {}, "fixed": 0, "other": 0}
        wanted |= {"number_of_categories": 1, "shares": 1, "huge": 10_000} | more
        self.messages: list[dict[str, Any]] = []
        self.walker = _Walker(wanted, self.messages.append)

    def take(self, path: str, *, descend: bool = True) -> None:
        self.walker.obey({"take": [[path, 0, 1, descend]]})

    def all(self) -> None:
        while self.walker.has_work():
            self.walker.step()
        self.walker.rest()

    def listed(self) -> list[str]:
        parts = [part for message in self.messages for part in message["listed"]]
        return sorted(part[0] for part in parts if len(part) > 3)

    def gone(self) -> list[str]:
        parts = [part for message in self.messages for part in message["listed"]]
        return sorted(part[0] for part in parts if len(part) == 3)

    def gave(self) -> list[str]:
        return sorted(item[0] for message in self.messages for item in message["gave"])


@pytest.fixture(autouse=True)
def back_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A walker moves its process's current folder; go back to the tests' own at the end."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a tree of a root, four folders, and one in each."""
    for name in ("a", "b", "c", "d"):
        fill(tmp_path / "root" / name / "in", ["x.mp4"])
    return tmp_path / "root"


def test_a_walker_that_is_asked_gives_half_of_its_highest_folders_back(root: Path) -> None:
    steps = Steps(root)
    steps.take("")
    steps.walker.step()

    steps.walker.obey({"give": True})
    steps.all()

    assert len(steps.gave()) == 2
    assert set(steps.gave()) < {"a", "b", "c", "d"}
    kept = [name for name in ("a", "b", "c", "d") if name not in steps.gave()]
    assert steps.listed() == sorted(["", *kept, *(f"{name}/in" for name in kept)])


def test_a_walker_that_is_asked_gives_half_of_what_it_was_told_back(root: Path) -> None:
    steps = Steps(root)
    for name in ("a", "b", "c", "d"):
        steps.take(name, descend=False)
    steps.walker.obey({"give": True})

    steps.all()

    assert len(steps.gave()) == 2
    assert steps.listed() == [name for name in ("a", "b", "c", "d") if name not in steps.gave()]


def test_a_walker_that_is_asked_too_late_says_nothing(root: Path) -> None:
    steps = Steps(root)
    steps.take("a")
    steps.all()
    said = len(steps.messages)

    steps.walker.obey({"give": True})

    assert not steps.walker.has_work()
    assert len(steps.messages) == said


@pytest.mark.parametrize("kind", ["link", "file", "nothing"])
def test_a_folder_that_was_swapped_since_it_was_met_is_gone_and_never_followed(
    root: Path, tmp_path: Path, kind: str
) -> None:
    steps = Steps(root)
    steps.take("")
    steps.walker.step()
    (root / "b").rename(tmp_path / "elsewhere")
    if kind == "link":
        (root / "b").symlink_to(tmp_path / "elsewhere")
    elif kind == "file":
        (root / "b").touch()

    steps.all()

    assert steps.gone() == ["b"]
    assert "b/in" not in steps.listed()


def test_the_way_to_a_folder_leads_through_no_link(root: Path, tmp_path: Path) -> None:
    (root / "b").rename(tmp_path / "elsewhere")
    (root / "b").symlink_to(tmp_path / "elsewhere")
    steps = Steps(root)
    steps.take("b/in", descend=False)
    steps.take("missing/in", descend=False)
    steps.take("a/in", descend=False)

    steps.all()

    assert (steps.gone(), steps.listed()) == (["b/in", "missing/in"], ["a/in"])


def test_what_belongs_to_somebody_else_is_not_listed_though_it_was_ordered(root: Path) -> None:
    inner = (root / "c").stat()
    steps = Steps(root, mounts=["a"], leave_out=[[inner.st_dev, inner.st_ino]])
    for name in ("a", "b", "c"):
        steps.take(name, descend=False)

    steps.all()

    assert (steps.gone(), steps.listed()) == (["a", "c"], ["b"])


def test_another_folder_in_place_of_the_root_is_refused(root: Path) -> None:
    with pytest.raises(TaskError, match="another folder") as raised:
        Steps(root, identity=(0, 0))
    assert raised.value.kind == "root-lost"


@pytest.mark.parametrize("moved", [False, True])
def test_folders_above_that_were_closed_are_found_again_also_when_one_was_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, moved: bool
) -> None:
    monkeypatch.setattr("pulsetui.storage.scan.walker._OPEN_FOLDERS", 2)
    root, here = tmp_path / "root", tmp_path / "root"
    for _ in range(8):
        fill(here / "beside", ["x.mp4"])
        here /= "down"
    fill(here, ["y.mp4"])
    steps = Steps(root)
    steps.take("")
    while "/".join(["down"] * 5) not in reported(steps):
        steps.walker.step()
    if moved:
        (root / "down" / "down").rename(tmp_path / "moved")
    found = len(reported(steps))

    steps.all()

    lost = {path for path in steps.gone() if path.startswith("down/down")}
    assert len(steps.listed()) + len(lost) == 17
    assert bool(lost) <= moved
    assert {"beside", "down/beside"} <= set(steps.listed())
    assert len(steps.listed()) >= found


def reported(steps: Steps) -> set[str]:
    """Return what was listed, sent or not."""
    kept = {part[0] for part in steps.walker._report._parts}
    return kept | set(steps.listed())


def test_a_walker_holds_no_more_descriptors_than_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulsetui.storage.scan.walker._OPEN_FOLDERS", 5)
    here = tmp_path / "root"
    for _ in range(40):
        fill(here / "beside", [])
        here /= "down"
    here.mkdir()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count
    steps = Steps(tmp_path / "root")
    steps.take("")
    most = 0
    while steps.walker.has_work():
        steps.walker.step()
        most = max(most, len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - a count

    assert most <= before + 7
    assert len(os.listdir("/proc/self/fd")) == before + 1  # noqa: PTH208 - the root's own
