"""The events of the pipeline and the budget: each says itself in one plain sentence with its numbers."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args, get_type_hints

import pytest

from pulsetui.budget import events as budget_events
from pulsetui.core import supervisor
from pulsetui.events.base import Event, registered_events
from pulsetui.pipeline import events
from pulsetui.pipeline.events import AttemptEnded, DownloadFinished, JobTranscribed, MediaFreed

MODULES = {events.__name__, budget_events.__name__, supervisor.__name__}
OURS = {kind: event for kind, event in registered_events().items() if event.__module__ in MODULES}
SAMPLES: dict[type, Any] = {str: "Harbor", int: 1_500_000, float: 90.0, bool: True}
ASKED_FOR = {
    "job.queued",
    "job.downloading",
    "job.downloaded",
    "job.transcribing",
    "job.transcribed",
    "job.held",
    "job.attempt_failed",
    "job.dead",
    "job.waits",
    "job.retried",
    "job.cancelled",
    "storage.freed",
    "storage.kept",
    "storage.partial_given_up",
    "gate.closed",
    "gate.opened",
    "gate.operator_paused",
    "gate.operator_resumed",
    "disk.full",
    "system.recovered",
    "system.service_failed",
}


def sample(kind: type[Event], *, known: bool = True) -> Event:
    """Make an event with a value for each field; None where it may be, unless `known`."""
    values: dict[str, Any] = {}
    for field, hint in get_type_hints(kind).items():
        if field not in {each.name for each in dataclasses.fields(kind)}:
            continue
        plain = [each for each in get_args(hint) if each is not type(None)] or [hint]
        optional = type(None) in get_args(hint)
        values[field] = None if optional and not known else SAMPLES[plain[0]]
    return kind(**values)


def test_none_is_missing() -> None:
    assert set(OURS) >= ASKED_FOR


@pytest.mark.parametrize("kind", OURS)
@pytest.mark.parametrize("known", [True, False])
def test_an_event_says_itself_in_one_line_and_is_plain_values(kind: str, *, known: bool) -> None:
    event = sample(OURS[kind], known=known)
    assert event.text()
    assert event.text().isprintable()
    assert json.loads(json.dumps(event.data())) == event.data()


def test_deletions_are_kept_for_good() -> None:
    assert {kind for kind, event in OURS.items() if event.keep} == {"storage.freed"}


def test_numbers_are_for_people() -> None:
    downloaded = DownloadFinished(name="Part 1", size_bytes=512_000_000, seconds=51.2)
    assert downloaded.text() == "Part 1 downloaded, 512 MB in 51s"
    silent = JobTranscribed(name="Part 1", coverage=None, seconds=90, real_time_factor=None)
    assert silent.text() == "Part 1 transcribed in 1m 30s, no speech"
    spoken = JobTranscribed(name="Part 1", coverage=0.964, seconds=90, real_time_factor=0.2)
    assert spoken.text() == "Part 1 transcribed in 1m 30s, 96% of speech covered"
    freed = MediaFreed(name="Part 1", what="video and audio", freed_bytes=558_000_000, usage_bytes=9_000_000_000)
    assert freed.text() == "Part 1: 558 MB freed (video and audio), 9.00 GB in use"
    failed = AttemptEnded(name="Part 1", failure="transient", error="reset", attempt=2, retry_in_s=9.4)
    assert failed.text() == "Part 1: reset (attempt 2, transient), next try in 9s"
