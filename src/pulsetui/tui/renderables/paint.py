"""How a step of a scale becomes a style of the terminal: true colour, 16 colours, or a texture without any."""

from __future__ import annotations

from dataclasses import dataclass

from pulsetui.storage.treemap.colours import SIXTEEN, Look, Palette


@dataclass(frozen=True, slots=True)
class Paint:
    """A scale of colours, and what the terminal can show of it."""

    palette: Palette
    few: bool = False
    """The terminal has 16 colours."""
    none: bool = False
    """The terminal has no colours, so that textures tell the steps apart."""

    def ground(self, step: int, shade: int = 0) -> str:
        """Return the colour of a step."""
        return _background(self.palette.look(step, shade), few=self.few)

    def text(self, step: int, shade: int = 0) -> str:
        """Return the style of text on a step."""
        look = self.palette.look(step, shade)
        front = SIXTEEN[look.named_foreground] if self.few else look.foreground
        return f"{front} on {_background(look, few=self.few)}"

    def texture(self, step: int) -> str:
        """Return the character that stands for a step where there is no colour."""
        return self.palette.steps[step].texture if step < len(self.palette.steps) else " "


def _background(look: Look, *, few: bool) -> str:
    """Return a background. The 16 stand by value: Textual would turn their names into the colours of its own theme."""
    return SIXTEEN[look.named_background] if few else look.background
