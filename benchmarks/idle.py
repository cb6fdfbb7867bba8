"""What pulsetui costs while nothing happens: seconds of processor time a minute, on each screen and without one.

An owner of an empty data folder runs on a terminal of 200×50, on the Pulse, Storage and Pipeline screens in turn, and
once with `--no-ui`. Counted is the processor time of the process and all its children, user and system together: what
else the machine does hardly moves it. The limit is 1 % of a core for the screens (0.6 s a minute).

    python benchmarks/idle.py [--seconds 60] [--only pulse --only no-ui] [--data-dir FOLDER]

Also told is how much each screen sends to the terminal in a second. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from first_treemap import environment_of
from terminal import SIZE, Terminal, running

LIMIT_PERCENT = 1.0
SCREENS = {"pulse": b"1", "storage": b"2", "pipeline": b"3"}
NO_UI = "no-ui"
SETTLING_S = 8.0
"""After the start and the first look at the folders; what is idle is idle by then."""
DEADLINE_S = 60.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", choices=[*SCREENS, NO_UI], action="append", help="may be repeated")
    parser.add_argument("--data-dir", type=Path, default=None, help="one that is there, instead of an empty one")
    wanted = parser.parse_args()
    print(
        f"terminal of {SIZE[0]}×{SIZE[1]}, {wanted.seconds:g} s each; limit {LIMIT_PERCENT:.2f} % of a core", flush=True
    )
    for name in wanted.only or [*SCREENS, NO_UI]:
        with tempfile.TemporaryDirectory(prefix="pulsetui-bench-") as made:
            home = Path(made).resolve()
            environment = environment_of(home, home)
            del environment["PULSETUI_STORAGE__ROOTS"]  # an empty data folder is all there is
            tell(name, *measured(name, wanted.data_dir or home / "data", environment, wanted.seconds))


def measured(name: str, data_dir: Path, environment: Mapping[str, str], seconds: float) -> tuple[float, float]:
    """Return the share of a core, and the bytes a second that came to the terminal."""
    command = ["pulsetui", "--data-dir", str(data_dir), *(["--no-ui"] if name == NO_UI else [])]
    with running(command, environment) as terminal:
        terminal.shows(lambda text: (b"running on" if name == NO_UI else b"gate OPEN") in text, deadline_s=DEADLINE_S)
        if name in SCREENS:
            terminal.press(SCREENS[name])
        drained(terminal, SETTLING_S)
        before_s, began = processor_s(terminal.pid), time.perf_counter()
        sent = drained(terminal, seconds)
        taken = time.perf_counter() - began
        return (processor_s(terminal.pid) - before_s) / taken, sent / taken


def drained(terminal: Terminal, seconds: float) -> int:
    """Read for so long; return how many bytes came."""
    ends, before = time.perf_counter() + seconds, terminal.received_bytes
    while (left := ends - time.perf_counter()) > 0:
        terminal.read(left)
    return terminal.received_bytes - before


def processor_s(pid: int) -> float:
    """Return the processor time of a process and of all below it, those that ended as well, in seconds."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # it ended just now
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    total, left = 0, [pid]
    while left:
        one = left.pop()
        total += ticks.get(one, 0)
        left += children.get(one, [])
    return total / _TICKS_PER_S


def tell(name: str, share: float, bytes_per_s: float) -> None:
    """Print one line."""
    verdict = "within the limit" if share * 100 < LIMIT_PERCENT else "OVER the limit"
    print(
        f"{name:<10} {share * 60:6.3f} s a minute   {share * 100:5.2f} % of a core   "
        f"{bytes_per_s:8.0f} bytes/s   {verdict}",
        flush=True,
    )


if __name__ == "__main__":
    main()
