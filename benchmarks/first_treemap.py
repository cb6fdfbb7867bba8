"""How soon a usable treemap of a large tree is there, beside gdu and ncdu started on the same tree.

Each is started on a terminal of 200×50, and the clock stops when what it shows of the tree is on the screen: for gdu
and ncdu the list after their scan, for `pulsetui storage treemap --path` the picture's last line, for `pulsetui`, which
shows its snapshot, the treemap of the storage screen, opened by its key as soon as the screen takes keys. The snapshot
is made before, by `pulsetui storage refresh` in a scratch data folder with the tree as a root; how long that took is
told. The page cache is warm: the tree is walked once before the first round.

    python benchmarks/first_treemap.py --dir FOLDER [--rounds N] [--keep FOLDER]

The tree needs folders on its first level. Prints the median and the best of each, and the ratios. Nothing is asserted;
what isn't installed is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from terminal import SIZE, running

DEADLINE_S = 600.0
PULSETUI = str(Path(sys.executable).with_name("pulsetui"))


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program, and how to tell that it shows the tree."""

    name: str
    command: Sequence[str]
    shows: Callable[[bytes], bool]
    """Says whether what came so far, without escapes, is a usable view."""
    key: bytes = b""
    """What to press until it does."""


def main() -> None:
    """Prepare, then run each in turn, some rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, default=None, help="keep the data folder here, and use it again")
    wanted = parser.parse_args()
    tree = wanted.dir.resolve()
    with tempfile.TemporaryDirectory(prefix="pulsetui-bench-") as made:
        home = (wanted.keep or Path(made)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        environment = environment_of(home, tree)
        files = walked(tree)
        print(f"{tree}: {files:,} files; terminal of {SIZE[0]}×{SIZE[1]}, {wanted.rounds} rounds", flush=True)
        refreshed(environment)
        taken: dict[str, list[float]] = {}
        contestants = [each for each in everyone(tree) if shutil.which(each.command[0])]
        for _ in range(wanted.rounds):
            for each in contestants:
                taken.setdefault(each.name, []).append(usable_after(each, environment))
        tell(taken)


def environment_of(home: Path, tree: Path) -> dict[str, str]:
    """Return an environment of its own, in which the tree is a root."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PULSETUI_STORAGE__ROOTS": f'[{{ name = "bench", path = {json.dumps(str(tree))} }}]',
        "PULSETUI_DISK_MANAGEMENT__FREE_SPACE_FLOOR": "1 MB",
    }


def walked(tree: Path) -> int:
    """Walk the tree once, and return how many files it has."""
    done = subprocess.run(["find", str(tree), "!", "-type", "d", "-printf", "."], capture_output=True, check=True)
    return len(done.stdout)


def refreshed(environment: Mapping[str, str]) -> None:
    """Make the snapshot, or bring it up to date."""
    began = time.perf_counter()
    subprocess.run([PULSETUI, "storage", "refresh", "--json"], env=environment, check=True, stdout=subprocess.DEVNULL)
    print(f"{'pulsetui storage refresh, before':<40} {time.perf_counter() - began:8.2f} s", flush=True)


def everyone(tree: Path) -> list[Contestant]:
    """Return all that are measured."""
    folder = min(path.name for path in tree.iterdir() if path.is_dir()).encode()
    return [
        Contestant(
            "pulsetui (from its snapshot)", [PULSETUI], lambda seen: folder in seen and b"largest" in seen, b"2"
        ),
        Contestant(
            "pulsetui storage treemap --path",
            [PULSETUI, "storage", "treemap", "--path", str(tree)],
            lambda seen: b"size:" in seen and b"largest" in seen,
        ),
        Contestant("gdu", ["gdu", str(tree)], lambda seen: b"Sorting by" in seen),
        Contestant("ncdu", ["ncdu", "-1", str(tree)], lambda seen: b"Total disk usage" in seen),
    ]


def usable_after(contestant: Contestant, environment: Mapping[str, str]) -> float:
    """Start a program on a terminal and return the seconds until it shows the tree."""
    began = time.perf_counter()
    with running(contestant.command, environment) as terminal:
        terminal.shows(contestant.shows, deadline_s=DEADLINE_S, key=contestant.key)
        return time.perf_counter() - began


def tell(taken: Mapping[str, Sequence[float]]) -> None:
    """Print the figures and the ratios to the others."""
    medians = {name: statistics.median(each) for name, each in taken.items()}
    for name, median in medians.items():
        print(f"{name:<40} {median:8.2f} s  best {min(taken[name]):6.2f} s", flush=True)
    for ours in (name for name in medians if name.startswith("pulsetui")):
        for theirs in (name for name in medians if not name.startswith("pulsetui")):
            print(f"{f'{ours} / {theirs}':<40} {medians[ours] / medians[theirs]:8.3f}", flush=True)


if __name__ == "__main__":
    main()
