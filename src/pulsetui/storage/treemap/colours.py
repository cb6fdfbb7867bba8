"""The colours of tiles: what a colour stands for, its twin in 16 colours, its texture without any, and the legend.

The invariant: text on a step's background has a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3), in true colour and in
the usual 16. The heat scale rises in lightness as well as in hue, so it reads without colour vision too. Colours of
borders, group titles and the selection belong to the theme and are left to the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from pulsetui.storage.treemap.layout import Tile
from pulsetui.storage.treemap.scales import AGES, GROWTHS, HEAT, OTHERS, SHARES, SIXTEEN, STEPS, UNKNOWN, Mode, Step
from pulsetui.storage.treemap.styles import NEUTRAL, OTHERS_STEP

__all__ = [
    "DARK",
    "LIGHT",
    "NEUTRAL",
    "OTHERS_STEP",
    "SIXTEEN",
    "UNKNOWN",
    "LegendEntry",
    "Look",
    "Mode",
    "Palette",
    "Step",
    "contrast",
    "palette",
]

DARK = "#05070a"
LIGHT = "#ffffff"


@dataclass(frozen=True, slots=True)
class Look:
    """How a step's cells are painted."""

    foreground: str
    background: str
    rule: str
    """Lines on the background: seen, but quieter than text."""
    named_foreground: str
    """In 16 colours, by the name in Rich."""
    named_background: str


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One entry of a legend; entries stand in the order of the scale."""

    step: int
    label: str


@dataclass(frozen=True, slots=True)
class Palette:
    """A scale of colours and the rule that gives each tile its step."""

    mode: Mode
    steps: tuple[Step, ...]
    now: datetime

    def steps_of(self, tiles: Sequence[Tile]) -> list[int]:
        """Return each tile's index into `steps`, `OTHERS_STEP` for what has no colour of its own."""
        if self.mode is Mode.SIZE:
            return _by_size(tiles)
        rule, scale = _RULES[self.mode], _Scale(self.now, len(self.steps) - 1)
        return [rule(tile, scale) if tile.kind == "tile" else OTHERS_STEP for tile in tiles]

    def look(self, step: int, shade: int = 0) -> Look:
        """Return how a step is painted; neighbours of one step differ by their `shade`, 0 or 1."""
        return _look(OTHERS if step == OTHERS_STEP else self.steps[step], shade)

    def legend(self) -> tuple[LegendEntry, ...]:
        """Return what the colours stand for."""
        return tuple(LegendEntry(index, step.label) for index, step in enumerate(self.steps))


def palette(mode: Mode, *, now: datetime) -> Palette:
    """Return the scale of a mode; `now` is what ages count from."""
    return Palette(mode, STEPS[mode], now)


@dataclass(frozen=True, slots=True)
class _Scale:
    """What the steps of one picture are measured by."""

    now: datetime
    unknown: int
    """The index of the step for what isn't known."""


def _by_size(tiles: Sequence[Tile]) -> list[int]:
    """Each step down is half the size; the warmest is the largest tile in the picture."""
    sizes = [tile[9] if tile[0] == "tile" else 0 for tile in tiles]
    largest = max(sizes, default=0)
    warmest = len(HEAT)
    steps = [warmest - (largest // size).bit_length() if size else OTHERS_STEP for size in sizes]
    return [max(0, step) for step in steps]


def _by_category(tile: Tile, scale: _Scale) -> int:
    """The category that has the most of it."""
    assert tile.node is not None
    amounts = tile.node.categories
    if not amounts:
        return scale.unknown
    return max(range(len(amounts)), key=lambda index: amounts[index].allocated_bytes)


def _by_age(tile: Tile, scale: _Scale) -> int:
    assert tile.node is not None
    if tile.node.newest_at is None:
        return scale.unknown
    return sum(scale.now - tile.node.newest_at < limit for limit, _ in AGES)


def _by_growth(tile: Tile, scale: _Scale) -> int:
    """The change in the window, by what the tile is now."""
    assert tile.node is not None
    grown = tile.node.growth_bytes
    if grown is None:
        return scale.unknown
    change = grown / max(1, tile.node.size.allocated_bytes)
    return sum(change >= limit for limit in GROWTHS)


def _by_reclaimable(tile: Tile, scale: _Scale) -> int:  # noqa: ARG001 - one signature for all rules
    assert tile.node is not None
    node = tile.node
    free = node.reclaimable_bytes + node.candidate_bytes
    share = free / max(1, node.size.allocated_bytes)
    return sum(share > limit for limit in SHARES)


_RULES: dict[Mode, Callable[[Tile, _Scale], int]] = {
    Mode.CATEGORY: _by_category,
    Mode.AGE: _by_age,
    Mode.GROWTH: _by_growth,
    Mode.RECLAIMABLE: _by_reclaimable,
}


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1 (WCAG 2.2)."""
    parts = [part / 255 for part in _parts(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@lru_cache(maxsize=256)
def _look(step: Step, shade: int) -> Look:
    """Return a step's colours; the other shade is a little further from the text's colour."""
    foreground = max(DARK, LIGHT, key=lambda text: contrast(text, step.background))
    away = LIGHT if foreground == DARK else DARK
    background = _mix(step.background, away, 0.14) if shade else step.background
    named = SIXTEEN[step.named]
    return Look(
        foreground,
        background,
        _mix(background, foreground, 0.45),
        max("black", "bright_white", key=lambda name: contrast(SIXTEEN[name], named)),
        step.named,
    )


def _mix(one: str, other: str, share: float) -> str:
    """Return `one` with a share of `other` in it."""
    parts = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(first + (second - first) * share):02x}" for first, second in parts)


def _parts(colour: str) -> list[int]:
    return [int(colour[index : index + 2], 16) for index in (1, 3, 5)]
