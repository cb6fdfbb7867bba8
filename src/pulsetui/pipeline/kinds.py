"""The kinds of failure that a media job's process answers with.

Its two sides share them, and only one of them may import the media library.
"""

from __future__ import annotations

NOT_MEDIA = "not-media"
"""No container that we know, or nothing in it can be decoded."""
NO_AUDIO = "no-audio"
"""The media has no audio stream."""
MISSING = "missing"
"""There is no such file."""
TOO_LONG = "too-long"
"""The audio is longer than its room: what was reserved, or the 37 hours of a WAV file."""

PERMANENT = frozenset({NOT_MEDIA, NO_AUDIO})
"""Trying again changes nothing: it is the media's own fault."""
