"""The pure parts of the scanner: who lists what, how names get their category, what is mounted where."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulsetui.errors import WorkerLostError
from pulsetui.storage.categories import BUILT_IN, category_of, category_table
from pulsetui.storage.scan.bounds import Bounds
from pulsetui.storage.scan.collecting import Collected
from pulsetui.storage.scan.crew import Crew
from pulsetui.storage.scan.listing import Sums, count
from pulsetui.storage.scan.mounts import mounts_below
from pulsetui.storage.scan.names import Names
from pulsetui.storage.scan.work import Item, Work
from pulsetui.storage.views import CATEGORIES, OTHER

TABLE = category_table(BUILT_IN)
ROOT: Item = (b"", 0, 1, True)


class Walkers:
    """Walkers of a made-up tree, which do what real ones do, in an order that a test decides."""

    def __init__(self, tree: dict[bytes, list[bytes]], number: int) -> None:
        self.tree = tree
        self.work = Work([ROOT])
        self.own: dict[int, list[Item]] = {walker: [] for walker in range(number)}
        self.listed: list[bytes] = []

    def act(self, walker: int, choice: int) -> None:
        """Let one walker do a thing: take work, give some back, die, or list a folder."""
        own = self.own[walker]
        if not own:
            own += self.work.take(walker)
        elif choice == 0 and len(own) > 1:
            self.work.gave(walker, [own.pop(0)])
        else:
            path, share, _, _ = own.pop()
            below = self.tree.get(path, [])
            self.work.heard(walker, path, share, below, last=True)
            self.listed.append(path)
            own += [(name, 0, 1, True) for name in below]
            if not own:
                self.work.idle(walker)

    def kill(self, walker: int) -> None:
        self.work.lost(walker)
        self.own[walker] = []


@given(st.data(), st.integers(1, 4), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=150))
def test_each_folder_is_listed_once_whoever_gives_takes_or_dies(
    data: st.DataObject, number: int, turns: list[tuple[int, int]]
) -> None:
    parents = data.draw(st.lists(st.integers(0, 1_000), max_size=40))
    paths = [b""] + [b"%d" % index for index in range(len(parents))]
    tree: dict[bytes, list[bytes]] = {}
    for index, parent in enumerate(parents):
        tree.setdefault(paths[parent % (index + 1)], []).append(paths[index + 1])
    walkers = Walkers(tree, number)
    died = False
    for walker, choice in turns:
        if choice == 5 and not died:
            walkers.kill(walker % number)
            died = True
        else:
            walkers.act(walker % number, choice)
    while not walkers.work.is_done():
        for walker in range(number):
            walkers.act(walker, 1)

    assert sorted(walkers.listed) == sorted(paths)


def test_what_two_walkers_died_over_is_an_error_that_names_it() -> None:
    work = Work([(b"a/caf\xe9", 0, 1, True)])
    work.take(0)
    work.lost(0)
    work.take(1)

    with pytest.raises(WorkerLostError, match=r"two walkers died while they listed a/caf\\xe9"):
        work.lost(1)


def test_a_walker_that_ends_with_work_left_is_an_error() -> None:
    work = Work([ROOT])
    work.take(0)

    with pytest.raises(WorkerLostError, match="without the root's own folder"):
        work.idle(0)


def test_busy_walkers_are_asked_once_and_only_while_others_have_nothing() -> None:
    work = Work([ROOT])
    work.take(0)
    assert work.to_ask() == []
    assert work.take(1) == []

    assert work.to_ask() == [0]
    assert work.to_ask() == []
    work.heard(0, b"", 0, [b"a", b"b"], last=True)
    work.gave(0, [(b"a", 0, 1, True)])
    assert work.to_ask() == []
    assert work.take(1) == [(b"a", 0, 1, True)]
    assert work.take(2) == []
    assert sorted(work.to_ask()) == [0, 1]


def test_what_a_dead_walker_said_of_half_a_folder_is_void() -> None:
    collected = Collected(now_ms=5)
    head = [1, 2, 3, 4, 8]
    collected.files, collected.total_bytes = 5, 50
    collected.add(b"a", 1, ["a", 0, False, head, [[0, 2, 20, 4096]], 9, "", [], []])

    collected.void(b"a", 0)
    assert (collected.files, collected.total_bytes) == (3, 30)
    collected.add(b"a", 1, ["a", 0, False, head, [[0, 2, 20, 4096]], 9, "", [], []])
    collected.add(b"a", 1, ["a", 0, True, head, [[0, 1, 5, 4096], [1, 1, 1, 0]], 7, "", [], []])

    assert collected.records[b"a"].counts == ((0, 3, 25, 8192), (1, 1, 1, 0))
    assert collected.records[b"a"].newest_ns == 9


async def test_a_dead_walkers_half_folder_is_forgotten_and_waits_again() -> None:
    work, collected = Work([ROOT]), Collected(now_ms=5)
    crew = Crew({}, work, collected, lambda _path, _below: ())
    work.take(0)
    half = ["", 0, False, [1, 2, 3, 4, 8], [[0, 2, 20, 4096]], 9, "", [], []]
    crew._take_in(0, {"listed": [half], "counted": [2, 20], "gave": [], "split": None, "idle": False})
    assert collected.files == 2

    crew._forget(0)

    assert (collected.files, collected.unfinished()) == (0, 0)
    assert work.take(1) == [ROOT]


def test_a_share_that_found_its_folder_gone_adds_nothing() -> None:
    collected = Collected(now_ms=5)
    collected.add(b"a", 2, ["a", 0, True, [1, 2, 3, 4, 8], [[0, 2, 20, 4096]], 9, "", [], []])
    assert collected.records == {}

    collected.add_gone(b"a", 1, 2)
    collected.add_gone(b"b", 0, 2)
    collected.add_gone(b"b", 1, 2)

    assert set(collected.records) == {b"a"}
    assert collected.records[b"a"].counts == ((0, 2, 20, 4096),)


def test_the_oldest_look_at_a_shared_folder_counts() -> None:
    collected = Collected(now_ms=5)
    collected.add(b"a", 2, ["a", 0, True, [1, 2, 30, 40, 8], [], 0, "", [], []])
    collected.add(b"a", 2, ["a", 1, True, [1, 2, 20, 50, 8], [], 0, "", [], []])

    assert (collected.records[b"a"].mtime_ns, collected.records[b"a"].ctime_ns) == (20, 50)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(min_size=1, max_size=12),
        st.tuples(st.binary(max_size=4), st.sampled_from([*BUILT_IN, "MP4", "Zst"])).map(
            lambda parts: parts[0] + b"." + parts[1].encode()
        ),
    ).filter(lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."})
)
def test_walkers_and_the_rest_agree_on_the_category_of_a_name(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, name: bytes
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("names"))
    Path(os.fsdecode(name)).touch()

    counted = count([name], Sums(TABLE, None, OTHER, len(CATEGORIES)))

    assert [row[0] for row in counted.sums] == [category_of(name, TABLE)]


def test_extensions_without_number_are_not_kept_without_number() -> None:
    sums = Sums(TABLE, None, OTHER, len(CATEGORIES))
    for number in range(10_000):
        assert sums[b"%d" % number] is sums[b"none"]

    assert len(sums) < 5_000
    assert sums[b"MP4"] is sums[b"mp4"] is not sums[b"none"]


def test_files_that_vanished_since_they_were_listed_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").write_bytes(b"x" * 7)
    (tmp_path / "there").write_bytes(b"x" * 5)
    monkeypatch.chdir(tmp_path)

    counted = count([b"gone", b"here", b"gone too", b"there", b"gone"], Sums({}, 0, OTHER, len(CATEGORIES)))

    assert counted.sums[0][:3] == (0, 2, 12)
    assert counted.error is None


def test_a_file_that_cannot_be_looked_at_is_an_error_and_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").write_bytes(b"x" * 7)
    monkeypatch.chdir(tmp_path)

    counted = count([b"n" * 300, b"here"], Sums({}, 0, OTHER, len(CATEGORIES)))

    assert counted.sums[0][:3] == (0, 1, 7)
    assert "too long" in str(counted.error)


@pytest.mark.parametrize("size_bytes", [0, 1_000_000])
def test_the_shares_of_a_folder_are_the_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int
) -> None:
    for number in range(50):
        (tmp_path / str(number)).touch()
    monkeypatch.chdir(tmp_path)
    names = Names("", 3, 20)
    split: list[int] = []

    shares = [names.here(size_bytes, split.append), names.share(1, 3), names.share(2, 3)]

    assert split == [3]
    assert all(shares)
    assert sorted(name for share in shares for name in share) == sorted(os.listdir(b"."))  # noqa: PTH208 - bytes


@pytest.mark.parametrize(("size_bytes", "huge", "shares"), [(0, 50, 3), (1_000_000, 50, 3), (1_000_000, 10, 1)])
def test_a_folder_that_is_not_huge_or_cannot_be_shared_is_not_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int, huge: int, shares: int
) -> None:
    for number in range(50):
        (tmp_path / str(number)).touch()
    monkeypatch.chdir(tmp_path)
    split: list[int] = []

    assert len(Names("", shares, huge).here(size_bytes, split.append)) == 50
    assert split == []


def test_mount_points_below_a_folder_are_read_with_their_escapes() -> None:
    table = (
        b"22 27 0:21 / / rw - ext4 /dev/a rw\n"
        b"23 27 0:21 / /media rw - ext4 /dev/b rw\n"
        b"24 27 0:21 / /media/two\\040words\\134 rw,relatime shared:1 - ext4 /dev/c rw\n"
        b"25 27 0:21 / /media/a/b rw - tmpfs none rw\n"
        b"26 27 0:21 / /media-beside rw - tmpfs none rw\n"
        b"short line\n"
    )

    assert mounts_below(b"/media", table) == {b"two words\\", b"a/b"}
    assert mounts_below(b"/", table) == {b"media", b"media/two words\\", b"media/a/b", b"media-beside"}


def test_what_is_not_the_roots_own_is_left_out() -> None:
    bounds = Bounds(1, frozenset({b"mounted"}), frozenset({(1, 7)}))

    assert not bounds.leave(b"a", 1, 2)
    assert bounds.leave(b"a", 2, 2)
    assert bounds.leave(b"mounted", 1, 2)
    assert bounds.leave(b"a", 1, 7)
    assert not Bounds(None, frozenset(), frozenset()).leave(b"a", 2, 2)


MOUNTED = """
import asyncio, sys
from pathlib import Path
from pulsetui.storage.scan.scanner import ScanRoot
from tests.storage.scan.trees import scanned
for cross in (False, True):
    result = asyncio.run(scanned(ScanRoot(1, Path(sys.argv[1]), cross_mounts=cross)))
    print(*sorted(path.decode() for path in result.records if path))
known = result.records
print(*sorted(path.decode() for path in asyncio.run(scanned(Path(sys.argv[1]), known)).records if path))
"""


def test_mounts_below_a_root_are_crossed_only_when_told(tmp_path: Path) -> None:
    for name in ("own", "bound", "memory", "elsewhere/in it"):
        (tmp_path / "root" / name).mkdir(parents=True)
    root = f"{tmp_path}/root"
    mount = f"mount --bind '{root}/elsewhere' '{root}/bound' && mount -t tmpfs none '{root}/memory'"
    begin = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*begin, mount], check=False, capture_output=True).returncode:
        pytest.skip("this system lets us mount nothing")

    scan = f"{mount} && exec '{sys.executable}' -c \"$0\" '{root}'"
    done = subprocess.run([*begin, scan, MOUNTED], check=True, capture_output=True, text=True, timeout=60)

    own = "elsewhere elsewhere/in it own"
    everything = "bound bound/in it elsewhere elsewhere/in it memory own"
    assert done.stdout.splitlines() == [own, everything, own]
