"""Which of the mounted file systems is which tracked volume, and which may be used. Pure.

The invariants: a record is online only if its identity was read just now, and nothing else that is mounted could be
it; a file system with another fingerprint never takes over a record, wherever it is mounted. The rules and their
reasons are in docs/decisions/0021-who-a-volume-is.md. What follows from a change is left to `changes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pulsetui.files.names import display_text
from pulsetui.volumes.records import Detected, Record
from pulsetui.volumes.views import State


@dataclass(frozen=True, slots=True)
class Standing:
    """How one volume stands: tracked, mounted, or both."""

    record: Record | None
    """None: it isn't tracked, or is another one than the tracked one that it looks like."""
    detected: Detected | None
    """None: it isn't mounted."""
    state: State
    trouble: str = ""
    """Why it is not online, and what to do; empty if it is."""
    needs_decision: bool = False
    """Only a human can say which one it is, also when something else is mounted by then."""
    in_its_place: str = ""
    """What is mounted where it was; empty: nothing."""


def judge(detected: Sequence[Detected], records: Sequence[Record]) -> tuple[Standing, ...]:
    """Return how each record and each mounted file system stands, records first."""
    scene = _Scene(detected, records)
    tracked = tuple(_judge_record(record, scene) for record in records)
    taken = {id(standing.detected) for standing in tracked}
    return tracked + tuple(_judge_other(one, scene) for one in detected if id(one) not in taken)


@dataclass(slots=True)
class _Scene:
    """What is mounted and tracked, by what tells it apart."""

    detected: Sequence[Detected]
    records: Sequence[Record]
    by_fingerprint: dict[str, list[Detected]] = field(default_factory=lambda: defaultdict(list))
    by_marker: dict[str, list[Detected]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for one in self.detected:
            self.by_fingerprint[one.fingerprint].append(one)
            if one.probe.marker:
                self.by_marker[one.probe.marker].append(one)

    def marked_alike(self, one: Detected) -> list[Detected]:
        """Return the others with the same marker."""
        return [other for other in self.by_marker.get(one.probe.marker, ()) if other is not one]


def _judge_record(record: Record, scene: _Scene) -> Standing:
    there = scene.by_fingerprint.get(record.fingerprint, [])
    if not there:
        return _away(record, scene)
    own = [one for one in there if _answers(one) and _is_own(one, record)]
    shown = _usual(own or there, record)
    if record.needs_decision:
        return _quarantined(record, shown, record.quarantine, needs_decision=True)
    doubles = own if record.marker else there
    if own and len(doubles) > 1:
        reason = f"what is mounted at {_places(doubles)} can't be told apart: {_alike(record)}"
        return _quarantined(record, shown, reason, needs_decision=True)
    if own:
        others = scene.marked_alike(shown) if record.marker else []
        if others:
            return _quarantined(record, shown, f"{_places(others)} has the same marker: one is a copy of the other")
        return Standing(record, shown, "online")
    return _not_itself(record, there)


def _not_itself(record: Record, there: Sequence[Detected]) -> Standing:
    """Judge a record of which its own file system, with its own marker, is not among those with its fingerprint."""
    answering = [one for one in there if _answers(one)]
    if not answering:
        silent = _usual(there, record)
        return Standing(record, silent, "unresponsive", _silence(silent))
    one = _usual(answering, record)
    if one.probe.marker_error:
        reason = f"the marker at {_place(one)} can't be read: {one.probe.marker_error}"
    elif one.probe.marker:
        reason = f"what is mounted at {_place(one)} has its identity and another marker: it is a clone, or was one"
    else:
        reason = f"what is mounted at {_place(one)} has its identity and no marker: a clone, or the marker was deleted"
    return _quarantined(record, one, reason)


def _judge_other(one: Detected, scene: _Scene) -> Standing:
    """Judge a file system that is no record's own."""
    if not _answers(one):
        return Standing(None, one, "untracked", _silence(one))
    of_marker = [record for record in scene.records if one.probe.marker and record.marker == one.probe.marker]
    alike = [other for other in scene.by_fingerprint[one.fingerprint] if other is not one]
    twin = next((record for record in scene.records if record.fingerprint == one.fingerprint), None)
    if twin is not None:
        reason = f"it has the identity of {_name(twin)}, and is not it: a clone, mounted beside it"
    elif of_marker:
        reason = f"it has the marker of {_name(of_marker[0])}, and is not it: a copy"
    elif alike:
        reason = f"what is mounted at {_places([one, *alike])} has one identity: one is a clone of the other"
    elif others := scene.marked_alike(one):
        reason = f"what is mounted at {_places([one, *others])} has one marker: one is a copy of the other"
    else:
        return Standing(None, one, "untracked")
    return Standing(None, one, "quarantine", reason)


def _away(record: Record, scene: _Scene) -> Standing:
    point = record.mount_point
    instead = next((one for one in scene.detected if point is not None and point in one.mount_points), None)
    where = "" if point is None else f" at {display_text(str(point))}"
    if instead is not None:
        what = display_text(instead.identity)
        trouble = f"another file system is mounted{where}: {what}; mount the right one again"
        return Standing(record, None, "offline", trouble, record.needs_decision, what)
    return Standing(record, None, "offline", f"not mounted{where}; mount it again", record.needs_decision)


def _answers(one: Detected) -> bool:
    return not one.probe.is_hanging and not one.probe.error


def _is_own(one: Detected, record: Record) -> bool:
    """Say whether it is the record's own, as far as it can be told: one that could not be marked has its identity."""
    return not record.marker or one.probe.marker == record.marker


def _usual(candidates: Sequence[Detected], record: Record) -> Detected:
    """Return the one at the place where the record was last seen, else the first."""
    return next((one for one in candidates if record.mount_point in one.mount_points), candidates[0])


def _quarantined(record: Record, one: Detected, reason: str, *, needs_decision: bool = False) -> Standing:
    return Standing(record, one, "quarantine", reason, needs_decision)


def _silence(one: Detected) -> str:
    if one.probe.is_hanging:
        return f"{_place(one)} doesn't answer; it is asked again"
    return f"{_place(one)} can't be read: {one.probe.error}; it is tried again"


def _alike(record: Record) -> str:
    return "they have one marker" if record.marker else "they have one identity, and it could not be marked"


def _name(record: Record) -> str:
    return display_text(record.display_name or str(record.mount_point or record.identity))


def _place(one: Detected) -> str:
    return display_text(str(one.mount_points[0]))


def _places(several: Sequence[Detected]) -> str:
    return " and ".join(_place(one) for one in several)
