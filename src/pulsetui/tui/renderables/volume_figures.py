"""What every drawing of volumes shares: which one is meant, how full it is, and whether its figures are of now."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from pulsetui.pipeline.views import Level
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.bars import bar
from pulsetui.tui.renderables.text import figure, line
from pulsetui.volumes.views import State, VolumesView, VolumeView


def record_of(volume: VolumeView, view: VolumesView) -> VolumeView | None:
    """Return the tracked volume that this one is, or could be: a clone has the fingerprint of what it was made from."""
    alike = (one for one in view.volumes if one.is_tracked and one.fingerprint == volume.fingerprint)
    return volume if volume.is_tracked else next(alike, None)


def tested(view: VolumesView) -> VolumeView | None:
    """Return the volume whose speed is tested just now."""
    running = view.testing
    return next((one for one in view.volumes if running and one.fingerprint == running.fingerprint), None)


def where(volume: VolumeView) -> str:
    """Return where a volume is mounted, or was when it was last seen. Not yet safe to draw."""
    point = volume.mount_point or volume.last_mount_point
    return str(point) if point is not None else "–"


def answers(volume: VolumeView) -> bool:
    """Tell whether the figures are of the last look; else they are as last seen."""
    return bool(volume.mount_points) and volume.state != "unresponsive"


def marks(volume: VolumeView) -> list[str]:
    """Return what is marked of a volume, in words."""
    found = ((volume.is_network, "network"), (volume.is_removable, "removable"), (volume.is_read_only, "read-only"))
    return [word for holds, word in found if holds]


def level(volume: VolumeView, view: VolumesView) -> Level:
    """Return how full a volume is, in a word."""
    used, total = volume.used_bytes, volume.total_bytes
    if used is None or not total:
        return "unknown"
    share = 100 * used / total
    return "critical" if share >= view.critical_percent else "warning" if share >= view.warn_percent else "ok"


def is_full_soon(volume: VolumeView, view: VolumesView) -> bool:
    """Tell whether a volume fills up within the time that is warned of."""
    return volume.full_in_s is not None and volume.full_in_s <= view.full_warning_s


def gauge(volume: VolumeView, view: VolumesView, width_cells: int) -> Content:
    """Return a volume's bar in exactly `width_cells`; that of one away is as it was, and hatched in its colour."""
    used, total = volume.used_bytes, volume.total_bytes
    if used is None or not total:
        note = "no answer" if width_cells >= 11 else "hangs"
        return bar(None, width_cells, note=note if volume.mount_points else "")
    full = level(volume, view)
    style = "$hatch" if not answers(volume) else "$fill" if full == "ok" else states.level(full)[1]
    return bar(used / total, width_cells, style)


def tally(volumes: Sequence[VolumeView]) -> list[Content]:
    """Return how many volumes are in each state, those that need a look first."""
    shown: tuple[State, ...] = ("quarantine", "unresponsive", "offline", "online", "untracked")
    counts = {state: sum(one.state == state for one in volumes) for state in shown}
    return [
        line((f"{number:,}", "$foreground"), (f" {state}", states.volume(state)[1]))
        for state, number in counts.items()
        if number
    ]


def figure_of(signed_text: str, cells: int = 0) -> Content:
    """Return a signed size such as `+ 4.2 GB`, its unit muted."""
    sign, _, rest = signed_text.partition(" ")
    return line(" " * max(0, cells - cell_len(signed_text)), (f"{sign} ", "$foreground"), figure(rest))
