"""How long a key press takes to become a frame on the storage screen, beside gdu on the same folder.

Each program shows the folder on a terminal of 200×50; then keys that move the selection are pressed one at a time, each
after a pause in which nothing came. Told are the milliseconds from the key to the first and to the last byte of what it
changed: median and 95th percentile. Our folder's first level is drawn as tiles; gdu's list moves its bar.

    python benchmarks/keypress.py --dir FOLDER [--presses 100] [--keep FOLDER]

Nothing is asserted; gdu is left out where it isn't installed.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from first_treemap import DEADLINE_S, Contestant, environment_of, everyone, refreshed
from terminal import SIZE, Terminal, running

QUIET_S = 0.05
"""After so long without a byte, a frame is over."""
ARROWS = {"pulsetui": (b"l", b"l", b"h", b"h"), "gdu": (b"j", b"j", b"k", b"k")}


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--presses", type=int, default=100)
    parser.add_argument("--keep", type=Path, default=None, help="keep the data folder here, and use it again")
    wanted = parser.parse_args()
    tree = wanted.dir.resolve()
    with tempfile.TemporaryDirectory(prefix="pulsetui-bench-") as made:
        home = (wanted.keep or Path(made)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        environment = environment_of(home, tree)
        refreshed(environment)
        print(f"{tree}; terminal of {SIZE[0]}×{SIZE[1]}, {wanted.presses} key presses, ms", flush=True)
        for each in everyone(tree):
            name = Path(each.command[0]).name
            if name in ARROWS and "--path" not in each.command and shutil.which(each.command[0]):
                tell(name, measured(each, ARROWS[name], environment, wanted.presses))


def measured(
    contestant: Contestant, arrows: Sequence[bytes], environment: Mapping[str, str], presses: int
) -> list[tuple[float, float]]:
    """Return for each press how long its first and its last byte took, in seconds."""
    with running(contestant.command, environment) as terminal:
        terminal.shows(contestant.shows, deadline_s=DEADLINE_S, key=contestant.key)
        terminal.settles(1.0)
        return [press(terminal, key) for key in itertools.islice(itertools.cycle(arrows), presses)]


def press(terminal: Terminal, key: bytes) -> tuple[float, float]:
    """Press a key when nothing moves, and time what it does."""
    terminal.settles(QUIET_S)
    began = time.perf_counter()
    terminal.press(key)
    if not terminal.read(1.0):
        return 1.0, 1.0
    first = time.perf_counter()
    return first - began, max(first, terminal.settles(QUIET_S)) - began


def tell(name: str, taken: Sequence[tuple[float, float]]) -> None:
    """Print the figures of one program."""
    for index, what in enumerate(("first byte", "last byte")):
        ms = sorted(1000 * each[index] for each in taken)
        p95 = ms[int(len(ms) * 0.95) - 1] if len(ms) > 1 else ms[0]
        print(f"{name:<10} {what:<11} median {statistics.median(ms):7.1f}   p95 {p95:7.1f}", flush=True)


if __name__ == "__main__":
    main()
