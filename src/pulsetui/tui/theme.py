"""The looks: one theme of our own, one safe for colour-blind eyes, one for 16 colours, and the tokens that all share.

One accent. Green, amber and red (`good`, `warn`, `bad`) are states and nothing else. The tokens are concrete values so
that every `.tcss` file and every drawn line may use them: `$quiet` for what matters less, `$rule` for borders,
`$picked` behind the row under the cursor, `$fill` and `$hatch` for bars. The neutral tones are nearly grey because a
terminal of 256 colours turns anything more saturated into a bright blue or purple.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.theme import Theme

DEFAULT_THEME = "pulse"
SAFE_THEME = "pulse-safe"
SIXTEEN_THEME = "pulse-16"


@dataclass(frozen=True, slots=True)
class _Tones:
    """The neutral colours of a theme, darkest first."""

    background: str
    surface: str
    panel: str
    picked: str
    scrollbar: str
    rule: str
    quiet: str
    foreground: str


_NIGHT = _Tones("#11161c", "#171e26", "#22272d", "#272d34", "#353c44", "#475362", "#8f9aa8", "#d8dee6")
_SIXTEEN = _Tones("#000000", "#000000", "#0000aa", "#0000aa", "#555555", "#555555", "#aaaaaa", "#ffffff")


def _theme(name: str, tones: _Tones, *, accent: str, good: str, warn: str, bad: str, hatch: str) -> Theme:
    """Build a dark theme from its neutral tones, the one accent and the three states."""
    return Theme(
        name=name,
        primary=accent,
        secondary=tones.quiet,
        accent=accent,
        success=good,
        warning=warn,
        error=bad,
        background=tones.background,
        surface=tones.surface,
        panel=tones.panel,
        foreground=tones.foreground,
        dark=True,
        variables={
            "quiet": tones.quiet,
            "rule": tones.rule,
            "good": good,
            "warn": warn,
            "bad": bad,
            "fill": accent,
            "hatch": hatch,
            "picked": tones.picked,
            "on-accent": tones.background,
            **_widgets(tones, accent),
        },
    )


def _widgets(tones: _Tones, accent: str) -> dict[str, str]:
    """Return the variables of Textual's own widgets."""
    return {
        "block-cursor-background": tones.picked,
        "block-cursor-foreground": tones.foreground,
        "block-cursor-text-style": "none",
        "border": accent,
        "border-blurred": tones.rule,
        "scrollbar": tones.scrollbar,
        "scrollbar-hover": tones.rule,
        "scrollbar-active": tones.rule,
        "scrollbar-background": tones.background,
        "scrollbar-background-hover": tones.background,
        "scrollbar-background-active": tones.background,
        "scrollbar-corner-color": tones.background,
        "input-selection-background": tones.rule,
        "input-cursor-background": accent,
        "input-cursor-foreground": tones.background,
    }


PULSE = _theme(DEFAULT_THEME, _NIGHT, accent="#62b5dc", good="#7cc48b", warn="#e3b65b", bad="#f07f78", hatch="#4f8099")
PULSE_SAFE = _theme(
    SAFE_THEME, _NIGHT, accent="#d594b8", good="#56b4e9", warn="#f0e442", bad="#ec7a34", hatch="#94688a"
)
"""States from the set of Okabe and Ito (2008): sky blue, yellow, vermillion (lightened for contrast)."""

PULSE_16 = _theme(
    SIXTEEN_THEME, _SIXTEEN, accent="#55ffff", good="#55ff55", warn="#ffff55", bad="#ff5555", hatch="#00aaaa"
)
"""The very colours of a 16-colour terminal, for where the soft ones would all turn to white."""

THEMES: tuple[Theme, ...] = (PULSE, PULSE_SAFE, PULSE_16)


def defaults(theme: Theme) -> dict[str, str]:
    """Return the tokens for a theme that doesn't bring them, from the colours that every Textual theme has."""
    quiet = _NIGHT.quiet if theme.dark else "#55606c"
    return {
        "quiet": quiet,
        "rule": _NIGHT.rule if theme.dark else "#a4afba",
        "good": theme.success or theme.primary,
        "warn": theme.warning or theme.primary,
        "bad": theme.error or theme.primary,
        "fill": theme.accent or theme.primary,
        "hatch": quiet,
        "picked": theme.panel or (_NIGHT.picked if theme.dark else "#d3dbe3"),
        "on-accent": theme.background or (_NIGHT.background if theme.dark else "#ffffff"),
    }
