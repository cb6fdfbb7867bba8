"""Finds speech engines by name, through the entry points of group `pulsetui.engines`.

Nothing is built in besides: an installed pulsetui registers its own engine in the same way as a plug-in. An entry point
is imported only when its engine is asked for.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from pulsetui.files.names import display_text
from pulsetui.pipeline.engines.base import Engine
from pulsetui.processes.task import TaskError

GROUP = "pulsetui.engines"
UNKNOWN_ENGINE = "unknown-engine"
"""The kind of the error for a name that nothing is registered under."""
ENGINE_FAILED = "engine-failed"
"""The kind of the error for an engine that can't be loaded, or that fails at its work."""


def engine_names() -> tuple[str, ...]:
    """Return the names of the installed engines, sorted; without importing them."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def load_engine(name: str, *, language: str | None = None) -> Engine:
    """Make the engine of that name.

    Raises:
        TaskError: kind `unknown-engine` names those that there are; kind `engine-failed` says why it can't be loaded.
    """
    entry = _entry(name)
    if entry is None:
        known = ", ".join(engine_names()) or "none is installed"
        raise TaskError(UNKNOWN_ENGINE, f"no speech engine {display_text(name)!r}; known: {known}")
    try:
        engine: Engine = entry.load()(language=language)
    except Exception as error:  # the plug-in boundary: an engine may fail in any way
        raise TaskError(ENGINE_FAILED, f"speech engine {name} can't be loaded: {described(error)}") from error
    return engine


def described(error: Exception) -> str:
    """Return an exception of a plug-in as one line for the operator."""
    return f"{display_text(str(error)) or 'no message'} ({type(error).__name__})"


def _entry(name: str) -> EntryPoint | None:
    return next(iter(entry_points(group=GROUP, name=name)), None)
