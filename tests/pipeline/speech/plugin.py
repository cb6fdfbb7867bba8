"""Installs speech engines for a test, the way that pip would: a module and its entry points on the path."""

from __future__ import annotations

from pathlib import Path

import pytest

ENGINES = '''
import sys, wave
from pulsetui.pipeline.engines.base import Segment

def text(number):
    return f"{number} {hash(number / 7) % 10**12:x}"  # as no engine would say it twice

class Scripted:
    name = "scripted"
    model = "a list"
    language = "en"

    def __init__(self, *, language=None):
        if language not in (None, "en"):
            raise ValueError(f"no {language}\\x1b[2J")

    def transcribe(self, audio, *, on_progress):
        with wave.open(str(audio)) as file:
            self.seconds = file.getnframes() / file.getframerate()
        for number, segment in enumerate(self.segments()):
            on_progress(segment.end)
            yield segment

class Honest(Scripted):
    def segments(self):
        whole = range(int(self.seconds) + 1)
        return [Segment(second, min(second + 1, self.seconds), text(second), 0.5) for second in whole]

class Silent(Scripted):
    def segments(self):
        return []

class Lazy(Scripted):
    def segments(self):
        return [Segment(0, self.seconds / 2, "the first half of it")]

class Looping(Scripted):
    def segments(self):
        return [Segment(0, self.seconds, "thank you " * 40)]

class Dropping(Honest):
    """Leaves out a third of the speech."""
    def segments(self):
        return [segment for segment in super().segments() if segment.start % 3]

class Broken(Scripted):
    def segments(self):
        yield Segment(0, 1, "so far so good")
        raise ZeroDivisionError("torn\\x1b[2J")

class Backwards(Scripted):
    def segments(self):
        return [Segment(2, 1, "time goes back")]

class Dying(Scripted):
    def segments(self):
        import os
        os._exit(9)

class Endless(Scripted):
    def segments(self):
        second = 0.0
        while True:
            import time
            time.sleep(0.05)
            second += 0.01
            yield Segment(second, second, "on and on")

class Patient(Honest):
    """Has no last segment before the file `go` is there."""
    def segments(self):
        import pathlib, time
        *most, last = super().segments()
        yield from most
        while not pathlib.Path(__file__).with_name("go").exists():
            time.sleep(0.02)
        yield last

def missing(*, language=None):
    raise OSError("no such model")
'''
NAMES = (
    "Honest",
    "Silent",
    "Lazy",
    "Looping",
    "Dropping",
    "Broken",
    "Backwards",
    "Dying",
    "Endless",
    "Patient",
    "missing",
)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the engines known to this process and to those that it starts, under their names in lower case."""
    (folder / "scripted_engines.py").write_text(ENGINES)
    metadata = folder / "scripted_engines-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: scripted-engines\nVersion: 1.0\n")
    lines = "".join(f"{name.lower()} = scripted_engines:{name}\n" for name in NAMES)
    (metadata / "entry_points.txt").write_text(f"[pulsetui.engines]\n{lines}")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
