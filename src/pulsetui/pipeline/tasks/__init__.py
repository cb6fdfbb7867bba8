"""What runs in the process of a media job: `probe` looks at a file, `transcribe` makes text of it.

Named by the pipeline as `pulsetui.pipeline.tasks:probe` and `pulsetui.pipeline.tasks:transcribe`; only the child
process imports this, since it loads the media library.

- `media`: opens untrusted media and reads what it says of itself.
- `extraction`: its audio as a WAV file.
- `transcription`: extraction, voice detection and the engine, one after the other.

The invariant: nothing here knows the database or decides anything about a job. Failures are `TaskError` kinds.
"""

from __future__ import annotations

from typing import Any

from pulsetui.pipeline.tasks.media import probe
from pulsetui.processes.task import Emit

__all__ = ["check_engine", "probe", "transcribe"]


def check_engine(arguments: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    """Load the engine that `arguments` names and return its `model` and `language`.

    Raises:
        TaskError: it isn't installed, or can't be loaded.
    """
    from pulsetui.pipeline.engines.registry import load_engine

    engine = load_engine(arguments["engine"])
    return {"model": engine.model, "language": engine.language}


def transcribe(arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Make a transcript: see `pulsetui.pipeline.tasks.transcription.transcribe`."""
    # Imported late, so that a probe, one per download, doesn't load the voice detector.
    from pulsetui.pipeline.tasks import transcription

    return transcription.transcribe(arguments, emit)
