from __future__ import annotations

import itertools

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from pulsetui.tui import theme
from tests.tui.looking import opened

_TEXT = ("foreground", "quiet", "accent", "good", "warn", "bad")
_GROUNDS = ("background", "surface", "picked")


def _tokens(one: Theme) -> dict[str, str]:
    return {**one.to_color_system().generate(), **one.variables}


def _contrast(text: str, ground: str) -> float:
    """WCAG 2.2, contrast ratio."""

    def luminance(colour: str) -> float:
        channels = [channel / 255 for channel in Color.parse(colour).rgb]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(text), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("one", theme.THEMES, ids=lambda one: one.name)
@pytest.mark.parametrize(("text", "ground"), list(itertools.product(_TEXT, _GROUNDS)))
def test_text_has_contrast_on_every_ground(one: Theme, text: str, ground: str) -> None:
    tokens = _tokens(one)
    # 16 colours have no red that reads better on any blue; the row under the cursor also has its mark.
    least = 3.0 if one is theme.PULSE_16 and (text, ground) == ("bad", "picked") else 4.5

    assert _contrast(tokens[text], tokens[ground]) >= least


@pytest.mark.parametrize("one", theme.THEMES, ids=lambda one: one.name)
def test_the_focused_answer_of_a_dialog_has_contrast(one: Theme) -> None:
    tokens = _tokens(one)

    assert _contrast(tokens["on-accent"], tokens["accent"]) >= 4.5


@pytest.mark.parametrize("one", [theme.PULSE, theme.PULSE_SAFE], ids=lambda one: one.name)
def test_neutral_tones_stay_neutral_in_256_colours(one: Theme) -> None:
    tokens = _tokens(one)
    for name in ("background", "surface", "panel", "picked", "scrollbar", "quiet", "rule"):
        shown = RichColor.parse(tokens[name]).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
        assert max(shown) - min(shown) <= 16, f"{name} turns into {shown.hex}"


def test_states_stay_apart_in_16_colours() -> None:
    tokens = _tokens(theme.PULSE_16)
    shown = [RichColor.parse(tokens[name]).downgrade(ColorSystem.STANDARD).number for name in (*_TEXT, "background")]

    assert len(set(shown)) == len(shown)


def test_each_of_textuals_own_themes_gets_all_our_tokens() -> None:
    ours = {"quiet", "rule", "good", "warn", "bad", "fill", "hatch", "picked", "on-accent"}

    assert ours <= set(theme.PULSE.variables)
    for one in BUILTIN_THEMES.values():
        assert set(theme.defaults(one)) == ours


async def test_changing_the_theme_changes_the_colours_on_the_screen() -> None:
    async with opened() as pilot:
        before = pilot.app.export_screenshot()
        pilot.app.theme = theme.SAFE_THEME
        await pilot.pause()
        after = pilot.app.export_screenshot()

    assert theme.PULSE.primary in before
    assert theme.PULSE.primary not in after
    assert theme.PULSE_SAFE.primary in after


async def test_no_color_leaves_no_colour_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as pilot:
        strips = pilot.app.screen._compositor.render_strips()
        colours = {
            str(colour.name)
            for strip in strips
            for segment in strip
            if segment.style
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None
        }

    assert colours == {"default"}


async def test_a_terminal_of_16_colours_gets_their_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM", raising=False)
    async with opened() as pilot:
        assert pilot.app.theme == theme.SIXTEEN_THEME
