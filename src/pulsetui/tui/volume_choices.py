"""What can be done with a volume in the state that it is in, and why the rest can't.

Pure rules. They save a question that would be answered in vain; what is allowed is judged again where it is done.
"""

from __future__ import annotations

from pulsetui.storage.placing import TRASH
from pulsetui.storage.tree.keys import key_of
from pulsetui.tui import keys
from pulsetui.tui.dialogs.menu import Choice
from pulsetui.tui.renderables.text import safe
from pulsetui.tui.renderables.volume_figures import record_of, tested
from pulsetui.volumes.measuring import BLOCK_BYTES
from pulsetui.volumes.speed_rules import MOST_SHARE
from pulsetui.volumes.views import VolumesView, VolumeView

_MENU = (
    "volume.accept",
    "volume.track",
    "volume.test",
    "volume.storage",
    "volume.rename",
    "volume.untrack",
)
"""Ids of actions in the order of the menu: what such a volume waits for comes first."""


def choices(volume: VolumeView, view: VolumesView) -> list[Choice]:
    """Return the lines of the menu of a volume."""
    possible = (keys.action(name) for name in _MENU if not refusal(name, volume, view))
    return [Choice(action.id, action.label, action.keys[0], action.key_text) for action in possible]


def refusal(name: str, volume: VolumeView, view: VolumesView) -> str:
    """Return why the action with an id of `_MENU` can't be done with a volume, safe to draw; empty if it can."""
    match name:
        case "volume.track":
            return _no_track(volume)
        case "volume.accept":
            return _no_accept(volume, view)
        case "volume.test":
            return _no_test(volume, view)
        case "volume.storage":
            return "" if volume.roots else "Nothing that pulsetui accounts for lies on it."
        case _:
            return "" if volume.is_tracked else "It isn't tracked; t tracks it."


def storage_key(volume: VolumeView) -> str:
    """Return the key of the node of storage to be shown for what lies on a volume; empty is the whole library."""
    # Sizes are by entity, whose files may lie on several volumes; only trash is a node of its own.
    return key_of(TRASH) if all(root.startswith("trash:") for root in volume.roots) else ""


def round_bytes(volume: VolumeView, view: VolumesView) -> int:
    """Return how much a speed test writes in a round: the usual size, less where that is too much of what is free."""
    most = int((volume.available_bytes or 0) * MOST_SHARE)
    return min(view.speed_test_bytes, most) // BLOCK_BYTES * BLOCK_BYTES


def _no_track(volume: VolumeView) -> str:
    if volume.is_tracked:
        return "It is tracked already; n renames it."
    return "" if volume.state == "untracked" else _standing(volume)


def _no_accept(volume: VolumeView, view: VolumesView) -> str:
    if volume.state != "quarantine":
        return "It is not in quarantine: there is nothing to decide."
    if record_of(volume, view) is None:
        return "It isn't tracked: decide at the tracked one that it could be."
    return "" if volume.mount_point else "It isn't mounted. Mount the one that it is, then decide."


def _no_test(volume: VolumeView, view: VolumesView) -> str:
    if view.testing is not None:
        running = tested(view)
        return f"{safe(running.name) if running else 'Another one'} is being tested; x stops that."
    if not volume.is_tracked:
        return "Only tracked volumes are tested; t tracks it."
    if not volume.is_online:
        return _standing(volume)
    if volume.is_read_only:
        return "It is read-only."
    return (
        "" if round_bytes(volume, view) else "It has too little free for a speed test, which takes a hundredth of that."
    )


def _standing(volume: VolumeView) -> str:
    key = "; a decides" if volume.state == "quarantine" else ""
    return f"It is {'in ' if volume.state == 'quarantine' else ''}{volume.state}{key}."
