"""How fast usage is counted: our walk against `du`, on a tree of a hundred thousand files.

    python benchmarks/walk.py [--files 100000] [--rounds 7] [--folder FOLDER]

The tree has a hundred files to a folder, folders four deep, a hard link to every hundredth file. Both count the same
tree in turn, in one run, with a warm cache after a first round that isn't counted; both must come to the same bytes.
`du -s -x -B1` starts a process, which the walk, in the owner's own process, doesn't need: its start is in the figure,
some milliseconds.

Columns: seconds at the median and at best, files a second. The ratio is the walk's time over du's, at the median; below
1 is faster. Timings are reported, never asserted; that both found the same is.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pulsetui.storage.walk import Root, walk

FILES_TO_A_FOLDER = 100


def make_tree(top: Path, files: int) -> None:
    """Make the tree."""
    for number in range(0, files, FILES_TO_A_FOLDER):
        folder = top / f"project {number % 7}" / f"cast {number % 11}" / f"scene {number % 13}" / str(number)
        folder.mkdir(parents=True)
        for index in range(min(FILES_TO_A_FOLDER, files - number)):
            (folder / f"{index:03d}.json").write_bytes(b"x" * (index * 97 % 9_000))
        (folder / "linked").hardlink_to(folder / "000.json")


def count(top: Path) -> int:
    """Count with the walk."""
    return walk([Root(top, lambda _: "all")]).total_bytes()


def du(top: Path) -> int:
    """Count with du."""
    said = subprocess.run(["du", "-s", "-x", "-B1", top], check=True, capture_output=True, text=True).stdout
    return int(said.split()[0])


def timed(counted: Callable[[Path], int], top: Path) -> tuple[float, int]:
    """Return the seconds that counting took, and what was counted."""
    began = time.perf_counter()
    found = counted(top)
    return time.perf_counter() - began, found


def main() -> None:
    """Make the tree, count in turn, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where the tree goes; a temporary folder if it isn't given")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        top = Path(folder)
        make_tree(top, wanted.files)
        took: dict[str, list[float]] = {"walk": [], "du": []}
        for number in range(wanted.rounds + 1):
            (ours, found), (theirs, expected) = timed(count, top), timed(du, top)
            if found != expected:
                sys.exit(f"the walk found {found} bytes and du {expected}")
            if number:
                took["walk"].append(ours)
                took["du"].append(theirs)
    print(f"{wanted.files:,} files, {found / 1e6:,.0f} MB, {wanted.rounds} rounds\n")
    print(f"{'':6} {'median s':>9} {'best s':>9} {'files/s':>10}")
    for name, seconds in took.items():
        median = statistics.median(seconds)
        print(f"{name:6} {median:>9.3f} {min(seconds):>9.3f} {wanted.files / median:>10,.0f}")
    print(f"ratio  {statistics.median(took['walk']) / statistics.median(took['du']):>9.2f}")


if __name__ == "__main__":
    main()
