"""The scales of colours: what each step stands for, its colour, its twin in 16 colours, its texture without any.

The heat scale rises in lightness as well as in hue, so it reads without colour vision too; the categories have the
colours of Okabe and Ito (2008). Which tile gets which step is left to `colours`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pulsetui.storage.views import CATEGORIES

UNKNOWN = "not known"


class Mode(StrEnum):
    """What the colour of a tile stands for."""

    SIZE = "size"
    CATEGORY = "category"
    AGE = "age"
    GROWTH = "growth"
    RECLAIMABLE = "reclaimable"


@dataclass(frozen=True, slots=True)
class Step:
    """One colour of a scale."""

    label: str
    """What it stands for, in a word or two: the legend's text."""
    background: str
    """``#rrggbb``."""
    named: str
    """The background in 16 colours, by its name in Rich (``bright_yellow``)."""
    texture: str
    """What fills the tile where there is no colour; one ASCII character."""


HEAT = (
    ("less", "#15233d", "blue", " "),
    ("1/64", "#1a3860", "blue", "."),
    ("1/32", "#1d527a", "bright_blue", ":"),
    ("1/16", "#286f80", "green", "-"),
    ("1/8", "#5d9b74", "cyan", "="),
    ("1/4", "#a9ad57", "white", "+"),
    ("1/2", "#e4b34b", "bright_green", "*"),
    ("largest", "#ffd28a", "bright_yellow", "#"),
)
# Okabe and Ito (2008), in the order of CATEGORIES; their black can't be seen on a dark ground, so there are two greys.
_OKABE_ITO = (
    ("#0072b2", "blue", "v"),
    ("#e69f00", "yellow", "i"),
    ("#9aa3ad", "white", "~"),
    ("#56b4e9", "bright_cyan", "="),
    ("#cc79a7", "magenta", "#"),
    ("#009e73", "green", "a"),
    ("#f0e442", "bright_yellow", ":"),
    ("#4d5661", "bright_black", "."),
)
AGES = (
    (timedelta(days=365), "< 1 y"),
    (timedelta(days=90), "< 90 d"),
    (timedelta(days=30), "< 30 d"),
    (timedelta(days=7), "< 7 d"),
    (timedelta(days=1), "< 1 d"),
    (timedelta(hours=1), "< 1 h"),
)
GROWTHS = (-0.1, 0.0, 1e-18, 0.01, 0.1, 0.5)
"""From where the next step of growth begins, by the size now."""
_GROWTH_STEPS = (
    ("−10 %", "#8cc4ee", "bright_cyan", "="),
    ("shrank", "#33658f", "blue", "-"),
    ("same", "#272d35", "bright_black", " "),
    ("grew", "#5c4526", "red", "."),
    ("+1 %", "#a4742f", "yellow", ":"),
    ("+10 %", "#dea343", "bright_red", "+"),
    ("+50 %", "#ffd894", "bright_yellow", "#"),
)
SHARES = (0.0, 0.05, 0.25, 0.5, 0.75)
_SHARE_STEPS = (
    ("none", "#222931", "bright_black", " "),
    ("to 5 %", "#3a3160", "blue", "."),
    ("to 25 %", "#5c4289", "bright_blue", ":"),
    ("to 50 %", "#8658a9", "magenta", "-"),
    ("to 75 %", "#c58cc9", "bright_magenta", "+"),
    ("more", "#f3c1e6", "white", "#"),
)
OTHERS = Step("others", "#2b323b", "bright_black", " ")
_NOT_KNOWN = Step(UNKNOWN, "#39414b", "bright_black", "?")
STEPS = {
    Mode.SIZE: tuple(Step(*each) for each in HEAT),
    Mode.CATEGORY: (*(Step(name, *each) for name, each in zip(CATEGORIES, _OKABE_ITO, strict=True)), _NOT_KNOWN),
    Mode.AGE: (
        *(
            Step(label, *each[1:])
            for label, each in zip(("older", *(label for _, label in AGES)), HEAT[:-1], strict=True)
        ),
        _NOT_KNOWN,
    ),
    Mode.GROWTH: (*(Step(*each) for each in _GROWTH_STEPS), _NOT_KNOWN),
    Mode.RECLAIMABLE: tuple(Step(*each) for each in _SHARE_STEPS),
}
SIXTEEN = {
    "black": "#000000",
    "red": "#aa0000",
    "green": "#00aa00",
    "yellow": "#aa5500",
    "blue": "#0000aa",
    "magenta": "#aa00aa",
    "cyan": "#00aaaa",
    "white": "#aaaaaa",
    "bright_black": "#555555",
    "bright_red": "#ff5555",
    "bright_green": "#55ff55",
    "bright_yellow": "#ffff55",
    "bright_blue": "#5555ff",
    "bright_magenta": "#ff55ff",
    "bright_cyan": "#55ffff",
    "bright_white": "#ffffff",
}
"""The usual 16 colours (VGA) by their names in Rich: what contrast is reckoned with."""
