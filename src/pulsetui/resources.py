"""Where the files that ship with pulsetui are, in a wheel and in a checkout.

`styles/` and `config/` lie at the top of the repository and are copied into the package when a wheel is built. An
editable install has no fresh copy, so the package is asked first and the place beside `src/` second; the working
directory is never asked. Files that live inside the package already (migrations, demo clips) are read through
`importlib.resources` by their rooms.
"""

from __future__ import annotations

from pathlib import Path

from pulsetui.errors import NotFoundError

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent


def path(*parts: str) -> Path:
    """Return the absolute path of a shipped file or folder, such as `path("styles", "pulse.tcss")`.

    Raises:
        NotFoundError: this installation lacks it.
    """
    for root in (_PACKAGE, _CHECKOUT):
        candidate = root.joinpath(*parts)
        if candidate.exists():
            return candidate
    raise NotFoundError(f"this installation lacks {'/'.join(parts)}", hint="install pulsetui again")


def styles_dir() -> Path:
    """Return the folder of the Textual style sheets."""
    return path("styles")


def config_dir() -> Path:
    """Return the folder of the shipped configuration."""
    return path("config")


def defaults_file() -> Path:
    """Return the file with every setting and its default."""
    return path("config", "defaults.toml")
