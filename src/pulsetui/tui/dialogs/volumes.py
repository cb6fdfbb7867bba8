"""The questions about volumes: what to call one, whether to untrack or test it, which one of several it is."""

from __future__ import annotations

from textual.content import Content

from pulsetui.pipeline.views import TaskView
from pulsetui.tui import glyphs
from pulsetui.tui.dialogs.base import QuestionDialog, TextDialog
from pulsetui.tui.renderables.text import broken, count, end_cut, line, middle_cut, safe
from pulsetui.tui.renderables.volume_figures import marks, where
from pulsetui.units import format_size
from pulsetui.volumes.measuring import ROUNDS
from pulsetui.volumes.views import VolumeView

_CELLS = 66
"""What a line in a dialog has room for."""


class TrackDialog(TextDialog):
    """Asks what to call a volume that is to be tracked; empty: by its mount point. None: it isn't to be tracked."""

    does = "tracks it"
    leaves = "leaves it"

    def __init__(self, volume: VolumeView) -> None:
        """Take the volume."""
        if volume.is_read_only:
            done = "It is read-only, so it gets no marker and is known by its identity alone."
        else:
            done = f"It gets a marker file, .pulsetui-volume, in {middle_cut(where(volume), 40)}. Nothing else changes."
        warned = [
            line((f"\n{part}", "$warn"))
            for text in volume.warnings
            for part in broken(f"{glyphs.WARNING} {safe(text)}", _CELLS)
        ]
        body = line(_what(volume), "\n\n", (done, "$quiet"), *warned, "\n\nWhat do you call it?")
        super().__init__("Track this volume?", body, placeholder=middle_cut(where(volume), 40))


class RenameDialog(TextDialog):
    """Asks for another name of a volume; empty: by its mount point. None: it keeps the one that it has."""

    does = "renames it"
    leaves = "keeps its name"

    def __init__(self, volume: VolumeView) -> None:
        """Take the volume."""
        body = line(_what(volume), ("\n\nOnly what it is called here changes.", "$quiet"))
        super().__init__(
            "Rename this volume", body, placeholder=middle_cut(where(volume), 40), value=safe(volume.display_name or "")
        )


class UntrackDialog(QuestionDialog[bool]):
    """Asks whether to track a volume no more; the safe answer is no."""

    def __init__(self, volume: VolumeView) -> None:
        """Take the volume."""
        lost = f"Its history of {count(len(volume.history), 'point')} goes" if volume.history else "Its record goes"
        body = line(
            _what(volume),
            "\n\nNo file on it is deleted, not even its marker, and the audit stays. pulsetui no longer checks that "
            "it is this very volume before it writes there.\n\n",
            (f"{lost}{', and its speed test' if volume.speed else ''}: that can't be undone.", "$warn"),
        )
        super().__init__("Untrack this volume?", body, (("Keep", False), ("Untrack", True)))


class AcceptDialog(QuestionDialog[bool]):
    """Asks whether what is mounted is the volume that was tracked; the safe answer leaves it in quarantine."""

    def __init__(self, volume: VolumeView, record: VolumeView) -> None:
        """Take the volume, in quarantine and mounted, and the tracked one that it would be, often the same."""
        why = safe(volume.quarantine or volume.trouble)
        name = middle_cut(record.name, 40)
        instead = ""
        if record.mount_point not in (None, volume.mount_point):
            instead = f" The one at {middle_cut(where(record), 40)} is then the unknown one."
        body = line(
            _what(volume),
            "\n\n",
            ("\n".join(broken(why, _CELLS)), "$warn"),
            f"\n\nIf it is {name}, pulsetui uses it again, and gives it a marker of its own where a copy has the same. "
            f"If it is another one, jobs write to the wrong disk and delete there.{instead}",
        )
        answers = (("Leave in quarantine", False), (f"It is {middle_cut(record.name, 24)}", True))
        super().__init__(f"Is it {name}?", body, answers)


class SpeedTestDialog(QuestionDialog[bool]):
    """Asks whether to test the speed of a volume; the safe answer is no."""

    def __init__(self, volume: VolumeView, size_bytes: int, tasks: tuple[TaskView, ...]) -> None:
        """Take the volume, how much each round writes, and what runs beside it."""
        size = format_size(size_bytes)
        said = (
            f"Writes {size} and reads it again, {ROUNDS} times: {format_size(ROUNDS * size_bytes)} each way in all, "
            f"and never more than {size} on the disk at once. What it wrote is gone when it ends, however it ends."
        )
        body = line(_what(volume), "\n\n", said, "\n\n", _beside(tasks), ("x stops it.", "$quiet"))
        super().__init__("Test the speed of this volume?", body, (("Don't", False), (f"Test with {size}", True)))


class StopMonitorDialog(QuestionDialog[bool]):
    """Asks whether to stop looking for volumes; the safe answer is no."""

    def __init__(self, interval: str) -> None:
        """Take how often it looks."""
        body = line(
            (f"It looks at every volume each {interval}, and at once when one is mounted or goes away.", "bold"),
            "\n\nWithout it these figures grow old, and what is mounted again waits for r before jobs use it. Each "
            "write is checked as before.\n\n",
            ("M starts it again, and so does a restart.", "$quiet"),
        )
        super().__init__("Stop the monitor?", body, (("Keep it running", False), ("Stop it", True)))


def _what(volume: VolumeView) -> Content:
    """Return which volume it is about: name, where and what, how full."""
    used, total = volume.used_bytes, volume.total_bytes
    full = f"{format_size(used)} used of {format_size(total)}" if used is not None and total is not None else ""
    place = where(volume) if where(volume) != volume.name else ""
    parts = [part for part in (middle_cut(place, _CELLS - len(full) - 3), full) if part]
    kind = " · ".join([volume.fs_type, *marks(volume), volume.identity])
    return line(
        (middle_cut(volume.name, _CELLS), "bold"),
        (f"\n{' · '.join(parts)}" if parts else "", "$quiet"),
        (f"\n{end_cut(kind, _CELLS)}", "$quiet"),
    )


def _beside(tasks: tuple[TaskView, ...]) -> Content:
    """Return what runs meanwhile, and what that does to the figures."""
    downloads = sum(task.kind == "download" for task in tasks)
    others = len(tasks) - downloads
    run = [count(number, word) for number, word in ((downloads, "download"), (others, "transcription")) if number]
    if not run:
        return line(("Nothing else runs. ", "$quiet"))
    verb = "runs" if len(tasks) == 1 else "run"
    return line((f"{' and '.join(run)} {verb} meanwhile, which makes the figures lower. ", "$warn"))
