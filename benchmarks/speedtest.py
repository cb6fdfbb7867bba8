"""What a speed test finds beside `dd` with the same flags: both write and read as much, in turn, on one folder's disk.

    python benchmarks/speedtest.py [--folder FOLDER] [--size 256MiB] [--turns 5]

A turn is a whole speed test (three rounds, medians, by the process that does it in pulsetui) and then three rounds of

    dd if=RANDOM of=FILE bs=1M oflag=direct conv=fdatasync
    dd if=FILE of=/dev/null bs=1M iflag=direct

timed by dd itself, on random bytes that lie in memory, into a new file each time. Both write past the page cache, have
the disk confirm it within the timing, and read past it. Ours makes each page different from all others before it writes
it, which dd doesn't, and runs at niceness 10, as it does in pulsetui.

Columns: the median of the turns' medians in MB/s, and the slowest and fastest of them. The ratio is ours over dd's;
where the disk itself varies more than the two differ, it says nothing. Figures are reported, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from pulsetui.processes.runner import TaskSpec, run
from pulsetui.units import format_size, parse_size
from pulsetui.volumes.measuring import BLOCK_BYTES, ROUNDS

MEMORY = Path("/dev/shm")


def ours(folder: Path, size_bytes: int) -> tuple[float, float, str]:
    """Return seconds of writing and of reading at the median, and how it read."""
    arguments = {
        "mount": str(folder),
        "folders": [str(folder)],
        "device": folder.stat().st_dev,
        "marker": "",
        "size_bytes": size_bytes,
        "in_memory": False,
    }
    found = asyncio.run(run(TaskSpec("pulsetui.volumes.measuring:measure", arguments), lambda _: None))
    return statistics.median(found["write_s"]), statistics.median(found["read_s"]), found["method"]


def theirs(folder: Path, source: Path) -> tuple[float, float]:
    """Return seconds of writing and of reading at the median, by dd's own count."""
    write_s, read_s = [], []
    file = folder / "beside"
    for _ in range(ROUNDS):
        write_s.append(dd(f"if={source}", f"of={file}", "oflag=direct", "conv=fdatasync"))
        read_s.append(dd(f"if={file}", "of=/dev/null", "iflag=direct"))
        file.unlink()
    return statistics.median(write_s), statistics.median(read_s)


def dd(*words: str) -> float:
    """Run dd and return the seconds that it says."""
    done = subprocess.run(["dd", "bs=1M", *words], check=True, capture_output=True, text=True, env={"LC_ALL": "C"})
    found = re.search(r"copied, ([0-9.e+-]+) s", done.stderr)
    if found is None:
        sys.exit(f"dd said: {done.stderr}")
    return float(found[1])


def main() -> None:
    """Measure in turn, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="on the disk to be tested; a temporary folder if it isn't given")
    parser.add_argument("--size", type=parse_size, default=256 << 20, help="of each round; whole MiB")
    parser.add_argument("--turns", type=int, default=5)
    wanted = parser.parse_args()
    size_bytes = wanted.size // BLOCK_BYTES * BLOCK_BYTES
    took: dict[str, list[float]] = {name: [] for name in ("ours write", "dd write", "ours read", "dd read")}
    with tempfile.TemporaryDirectory(dir=wanted.folder) as place, tempfile.TemporaryDirectory(dir=MEMORY) as memory:
        folder, source = Path(place), Path(memory, "random")
        with Path("/dev/urandom").open("rb") as random:
            source.write_bytes(random.read(size_bytes))
        for _ in range(wanted.turns):
            write_s, read_s, method = ours(folder, size_bytes)
            beside_write_s, beside_read_s = theirs(folder, source)
            for name, seconds in zip(took, (write_s, beside_write_s, read_s, beside_read_s), strict=True):
                took[name].append(size_bytes / seconds / 1e6)
    print(f"{format_size(size_bytes)} a round, {wanted.turns} turns of {ROUNDS} rounds, read {method}\n")
    print(f"{'':10} {'MB/s':>8} {'slowest':>8} {'fastest':>8}")
    for name, speeds in took.items():
        print(f"{name:10} {statistics.median(speeds):>8,.0f} {min(speeds):>8,.0f} {max(speeds):>8,.0f}")
    for step in ("write", "read"):
        ratio = statistics.median(took[f"ours {step}"]) / statistics.median(took[f"dd {step}"])
        print(f"\n{step}: ours over dd {ratio:.2f}", end="")
    print()


if __name__ == "__main__":
    main()
