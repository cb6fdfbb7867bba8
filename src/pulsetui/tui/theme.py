"""The looks: one theme of our own, one safe for colour-blind eyes, and the tokens that styles and drawing share.

One accent. Green, amber and red (`good`, `warn`, `bad`) are states and nothing else. The tokens are concrete values so
that every `.tcss` file and every drawn line may use them: `$quiet` for what matters less, `$rule` for borders,
`$picked` behind the row under the cursor, `$fill` and `$hatch` for bars.
"""

from __future__ import annotations

from textual.theme import Theme

DEFAULT_THEME = "pulse"
SAFE_THEME = "pulse-safe"

_BACKGROUND = "#11161c"


def _theme(name: str, *, accent: str, good: str, warn: str, bad: str, hatch: str) -> Theme:
    """Build a dark theme from the one accent and the three states."""
    return Theme(
        name=name,
        primary=accent,
        secondary="#8c9aab",
        accent=accent,
        success=good,
        warning=warn,
        error=bad,
        background=_BACKGROUND,
        surface="#171e26",
        panel="#1d2630",
        foreground="#d8dee6",
        dark=True,
        variables={
            "quiet": "#8c9aab",
            "rule": "#47566a",
            "good": good,
            "warn": warn,
            "bad": bad,
            "fill": accent,
            "hatch": hatch,
            "picked": "#1f2c3a",
            "on-accent": "#0d1217",
            "block-cursor-background": "#1f2c3a",
            "block-cursor-foreground": "#d8dee6",
            "block-cursor-text-style": "none",
            "border": accent,
            "border-blurred": "#47566a",
            "footer-background": _BACKGROUND,
            "scrollbar": "#2b3845",
            "scrollbar-hover": "#3a4a5a",
            "scrollbar-active": "#4c6074",
            "scrollbar-background": _BACKGROUND,
            "scrollbar-background-hover": _BACKGROUND,
            "scrollbar-background-active": _BACKGROUND,
            "scrollbar-corner-color": _BACKGROUND,
            "input-selection-background": "#2f4a63",
            "input-cursor-background": accent,
            "input-cursor-foreground": "#0d1217",
        },
    )


PULSE = _theme(DEFAULT_THEME, accent="#62b5dc", good="#7cc48b", warn="#e3b65b", bad="#f07f78", hatch="#4f8099")
PULSE_SAFE = _theme(SAFE_THEME, accent="#d594b8", good="#56b4e9", warn="#f0e442", bad="#ec7a34", hatch="#94688a")
"""States from the set of Okabe and Ito (2008): sky blue, yellow, vermillion (lightened for contrast)."""

THEMES: tuple[Theme, ...] = (PULSE, PULSE_SAFE)


def defaults(theme: Theme) -> dict[str, str]:
    """Return the tokens for a theme that doesn't bring them, from the colours that every Textual theme has."""
    quiet = "#8c9aab" if theme.dark else "#55606c"
    return {
        "quiet": quiet,
        "rule": "#47566a" if theme.dark else "#a4afba",
        "good": theme.success or theme.primary,
        "warn": theme.warning or theme.primary,
        "bad": theme.error or theme.primary,
        "fill": theme.accent or theme.primary,
        "hatch": quiet,
        "picked": theme.panel or ("#1f2c3a" if theme.dark else "#d3dbe3"),
        "on-accent": theme.background or ("#0d1217" if theme.dark else "#ffffff"),
    }
