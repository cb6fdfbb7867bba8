"""How long the event loop is held, and how soon a key is answered, while the pipeline works as hard as it can.

Five downloads at a time from a server on loopback without a rate limit and two transcriptions run in the real owner; a
probe every 10 ms measures how late the loop wakes. Once without a screen, once with the screens at 200×50 and nobody at
the keys, once with a key ten times a second, of which every other one changes the screen: its answer is the time until
what it does has been painted, escape sequences included.

    python benchmarks/responsiveness.py [--episodes N] [--megabytes M]

Prints the 50th and 99th percentile and the longest, in milliseconds, beside the same probe on the idle loop of the same
run (the limit: what this machine's scheduler gives). The budget is 20 ms at the 99th percentile. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.screen import Screen

from pulsetui.actions.base import Caller
from pulsetui.core.assembly import open_core
from pulsetui.core.runtime import Core
from pulsetui.core.source import CoreSource
from pulsetui.demo.server import demo_server
from pulsetui.demo.videos import Episode, make_videos, plan
from pulsetui.pipeline import store as jobs_store
from pulsetui.pipeline.actions import AddEpisodes
from pulsetui.pipeline.actions import Episode as NewEpisode
from pulsetui.pipeline.jobs import Stage
from pulsetui.settings.load import load_settings
from pulsetui.tui.app import PulseApp
from pulsetui.tui.run import spare_the_collector
from pulsetui.tui.widgets.row_list import RowList
from pulsetui.waiting import in_thread

PROBE_S = 0.01
IDLE_S = 3.0
KEY_EVERY_S = 0.1
KEYS = ("3", "j", "k", "1")
PLACES = {"1": "pulse", "3": "pipeline"}
SIZE = (200, 50)
LONGEST_ANSWER_S = 5.0


async def main() -> None:
    """Measure idle, without a screen, and with one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--megabytes", type=int, default=60, help="of each episode")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulsetui-bench-") as made:
        folder = await in_thread(Path(made).resolve)
        videos = folder / "videos"
        await in_thread(videos.mkdir)
        size = wanted.megabytes * 10**6
        planned = plan(wanted.episodes, smallest_bytes=size, largest_bytes=size)
        await make_videos(videos, [episode.video for episode in planned])
        idle = asyncio.create_task(asyncio.sleep(IDLE_S))
        show("idle loop", await lags(idle))
        async with working(folder / "bare", videos, planned) as core:
            show("working, no screen", await lags(asyncio.create_task(all_ended(core, planned))))
        async with working(folder / "screen", videos, planned) as core:
            app = Watched(CoreSource(core))
            async with app.run_test(size=SIZE):
                show("working, screens, no keys", await lags(asyncio.create_task(all_ended(core, planned))))
        async with working(folder / "keys", videos, planned) as core:
            app = Watched(CoreSource(core))
            async with app.run_test(size=SIZE):
                ending = asyncio.create_task(all_ended(core, planned))
                probing = asyncio.create_task(lags(ending))
                answers = await pressed(app, ending)
                show("working, screens and keys", await probing)
                show("  key to answer", answers)


class Watched(PulseApp):
    """The application, which knows when it has painted what a key does; it paints as for a terminal."""

    def __init__(self, source: CoreSource) -> None:
        """Expect nothing yet."""
        super().__init__(source, on_first_page=spare_the_collector)
        self.expected: Callable[[], bool] = lambda: False
        self.answered = asyncio.Event()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable.render_segments(self.console)  # which a run without a terminal leaves out
        super()._display(screen, renderable)
        if self.expected():
            self.answered.set()

    def expect(self, key: str) -> None:
        """Say what the key will have done."""
        self.answered.clear()
        if key in PLACES:
            self.expected = lambda: self.current_mode == PLACES[key]
        else:
            row = self.cursor
            self.expected = lambda: self.cursor != row

    @property
    def cursor(self) -> int:
        """The row under the cursor."""
        return self.focused.cursor if isinstance(self.focused, RowList) else -1


async def pressed(app: Watched, ending: asyncio.Task[None]) -> list[float]:
    """Press keys until `ending` is over; return how long each answer took, in milliseconds."""
    answers: list[float] = []
    for number in itertools.count():
        if ending.done():
            return answers
        key = KEYS[number % len(KEYS)]
        app.expect(key)
        began = time.perf_counter()
        app.simulate_key(key)
        try:
            await asyncio.wait_for(app.answered.wait(), LONGEST_ANSWER_S)
            answers.append((time.perf_counter() - began) * 1000)
        except TimeoutError:
            print(f"  {key} was not answered: row {app.cursor} of {app.current_mode}")
        await asyncio.sleep(KEY_EVERY_S)
    return answers


@contextlib.asynccontextmanager
async def working(data: Path, videos: Path, planned: tuple[Episode, ...]) -> AsyncIterator[Core]:
    """Run an owner on `data` with all episodes queued."""
    flags = {
        "paths.data_dir": str(data),
        "downloads.allow_http": True,
        "downloads.allow_private_addresses": True,
        "downloads.requests_per_second_per_host": 1000,
        "disk_management.free_space_floor": "1 MB",
    }
    loaded = load_settings(environment={"HOME": str(data)}, flags=flags)
    async with demo_server(videos) as server, open_core(loaded, front_end="benchmark") as core:
        order = AddEpisodes(episodes=tuple(NewEpisode(source=server.url(each.location)) for each in planned))
        until = core.clock.now() + timedelta(minutes=1)
        await core.runner.run(order, caller=Caller.this_process("benchmark"), uuid=str(uuid.uuid4()), expires_at=until)
        running = asyncio.create_task(core.run())
        try:
            yield core
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def all_ended(core: Core, planned: tuple[Episode, ...]) -> None:
    """Return when every episode is transcribed."""
    with core.bus.subscribe() as events:
        while (await core.database.read(jobs_store.stage_counts))[Stage.TRANSCRIBED] < len(planned):
            await anext(events)


async def lags(ending: asyncio.Task[None]) -> list[float]:
    """Probe until `ending` is over; return how late the loop woke, in milliseconds."""
    found: list[float] = []
    while not ending.done():
        before = time.perf_counter()
        await asyncio.sleep(PROBE_S)
        found.append((time.perf_counter() - before - PROBE_S) * 1000)
    await ending
    return found


def show(name: str, figures_ms: list[float]) -> None:
    """Print percentiles."""
    ordered = sorted(figures_ms)
    p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name:<26} p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   longest {ordered[-1]:6.1f} ms   ({len(ordered)} probes)")


if __name__ == "__main__":
    asyncio.run(main())
