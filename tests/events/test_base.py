from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from pulsetui.events.base import Event, registered_events
from tests.events.samples import GateClosed, JobQueued


def test_an_event_knows_its_constants_its_text_and_its_own_fields() -> None:
    event = JobQueued(job_id=7, entity="Harbor/Ada", title="Part 1", size_bytes=12)

    assert (event.kind, event.category, event.severity, event.keep) == ("test.job_queued", "job", "info", False)
    assert event.text() == "Part 1 (12 B) was queued."
    assert event.data() == {"title": "Part 1", "size_bytes": 12}
    assert (GateClosed.severity, GateClosed.keep) == ("warning", True)


def test_the_registry_has_the_class_that_is_used_and_not_its_twin_without_slots() -> None:
    assert registered_events()["test.job_queued"] is JobQueued
    assert not hasattr(JobQueued(title="", size_bytes=0), "__dict__")


def test_a_kind_is_declared_once() -> None:
    with pytest.raises(TypeError, match=r"'test\.job_queued' is taken by tests\.events\.samples\.JobQueued"):

        @dataclass(frozen=True, slots=True, kw_only=True)
        class Other(Event, kind="test.job_queued", category="job", severity="info"):
            pass


def test_a_kind_needs_a_category_and_a_severity() -> None:
    with pytest.raises(TypeError, match="needs a category and a severity"):

        @dataclass(frozen=True, slots=True, kw_only=True)
        class Nothing(Event, kind="test.nothing"):
            pass

    assert "test.nothing" not in registered_events()


def test_a_base_for_others_is_no_event_itself() -> None:
    script = """
from dataclasses import dataclass
from pulsetui.events.base import Event, registered_events

@dataclass(frozen=True, slots=True, kw_only=True)
class Base(Event):
    name: str
    def text(self): return self.name

@dataclass(frozen=True, slots=True, kw_only=True)
class Below(Base, kind="test.below", category="system", severity="debug"):
    pass

assert registered_events() == {"test.below": Below}
assert Below(name="x").text() == "x"
"""
    subprocess.run([sys.executable, "-c", script], check=True)
