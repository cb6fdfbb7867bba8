"""Which mounted file system is which tracked volume."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pulsetui.volumes.judgement import judge
from pulsetui.volumes.records import Detected, Record
from tests.volumes.sights import MARKER, OTHER_MARKER, record, sight


def states(detected: list[Detected], records: list[Record]) -> list[tuple[bool, str]]:
    return [(one.record is not None, one.state) for one in judge(detected, records)]


def test_its_identity_and_its_marker_make_a_volume_online_wherever_it_is_mounted() -> None:
    elsewhere = sight("archive", "/media/usb", marker=MARKER)
    (one,) = judge([elsewhere], [record()])
    assert (one.state, one.trouble, one.detected) == ("online", "", elsewhere)


def test_what_nobody_tracks_is_untracked() -> None:
    assert states([sight()], []) == [(False, "untracked")]


def test_a_volume_that_is_not_mounted_is_offline_and_says_where_it_was() -> None:
    (one,) = judge([], [record()])
    assert one.state == "offline"
    assert "/mnt/archive" in one.trouble


def test_another_disk_in_an_old_mount_point_never_takes_the_record() -> None:
    old, new = judge([sight("new", "/mnt/archive", marker=OTHER_MARKER)], [record()])
    assert (old.state, old.detected, old.in_its_place) == ("offline", None, "UUID new")
    assert (new.record, new.state) == (None, "untracked")


def test_its_identity_without_its_marker_is_in_quarantine() -> None:
    for marker, word in (("", "no marker"), (OTHER_MARKER, "another marker")):
        (one,) = judge([sight(marker=marker)], [record()])
        assert one.state == "quarantine"
        assert word in one.trouble
        assert not one.needs_decision


def test_a_marker_that_can_not_be_read_is_no_marker() -> None:
    (one,) = judge([sight(marker_error="Permission denied")], [record()])
    assert one.state == "quarantine"
    assert "Permission denied" in one.trouble


def test_two_with_one_identity_and_one_marker_are_both_in_quarantine_until_a_human_decides() -> None:
    both = [sight("archive", marker=MARKER), sight("archive", "/mnt/clone", marker=MARKER)]
    tracked, clone = judge(both, [record()])
    assert (tracked.state, tracked.needs_decision, clone.state) == ("quarantine", True, "quarantine")
    assert "/mnt/archive and /mnt/clone" in tracked.trouble
    # Which of the two is left can't be seen.
    asked = record(quarantine=tracked.trouble, needs_decision=True)
    (left,) = judge(both[1:], [asked])
    assert (left.state, left.needs_decision, left.trouble) == ("quarantine", True, tracked.trouble)
    (away,) = judge([], [asked])
    assert (away.state, away.needs_decision) == ("offline", True)


def test_a_clone_without_the_marker_beside_the_volume_leaves_it_online() -> None:
    tracked, clone = judge([sight("archive", "/mnt/clone"), sight(marker=MARKER)], [record()])
    assert tracked.state == "online"
    assert tracked.detected is not None
    assert str(tracked.detected.mount_points[0]) == "/mnt/archive"
    assert (clone.record, clone.state) == (None, "quarantine")
    assert "/mnt/archive" in clone.trouble


def test_two_of_one_identity_are_in_quarantine_where_the_volume_could_not_be_marked() -> None:
    both = [sight(), sight("archive", "/mnt/clone")]
    assert judge(both, [record(marker="")])[0].needs_decision
    assert states(both[:1], [record(marker="")]) == [(True, "online")]


def test_one_marker_on_two_identities_puts_both_in_quarantine_while_both_are_mounted() -> None:
    volume, copy = sight(marker=MARKER), sight("copy", marker=MARKER)
    assert states([volume, copy], [record()]) == [(True, "quarantine"), (False, "quarantine")]
    assert states([volume], [record()]) == [(True, "online")]
    assert states([copy], [record()]) == [(True, "offline"), (False, "quarantine")]


def test_two_that_nobody_tracks_are_in_quarantine_when_they_can_not_be_told_apart() -> None:
    assert states([sight(), sight("archive", "/mnt/clone")], []) == [(False, "quarantine")] * 2
    assert states([sight("one", marker=MARKER), sight("two", marker=MARKER)], []) == [(False, "quarantine")] * 2


def test_one_that_does_not_answer_is_unresponsive_and_keeps_its_record() -> None:
    (one,) = judge([sight(is_hanging=True)], [record()])
    assert (one.state, one.record is not None) == ("unresponsive", True)
    assert "doesn't answer" in one.trouble
    (broken,) = judge([sight(error="Input/output error")], [record()])
    assert broken.state == "unresponsive"
    assert "Input/output error" in broken.trouble
    (stranger,) = judge([sight(is_hanging=True)], [])
    assert (stranger.state, bool(stranger.trouble)) == ("untracked", True)


def test_a_volume_is_online_in_each_library_that_tracks_it() -> None:
    records = [record(), record(record_id=2, library="second")]
    assert states([sight(marker=MARKER)], records) == [(True, "online")] * 2


marks = st.sampled_from(["", MARKER, OTHER_MARKER])
names = st.sampled_from(["archive", "other", "third"])
sights = st.builds(
    lambda name, point, mark, hangs: sight(name, f"/mnt/{point}", marker="" if hangs else mark, is_hanging=hangs),
    names,
    st.integers(0, 9),
    marks,
    st.booleans(),
)
records = st.lists(st.tuples(names, marks, st.booleans()), max_size=3, unique_by=lambda given: given[0])


@given(st.lists(sights, max_size=5), records)
def test_only_what_nothing_else_could_be_is_online(
    detected: list[Detected], known: list[tuple[str, str, bool]]
) -> None:
    tracked = [
        record(name, number, marker=mark, needs_decision=asked, quarantine="two" if asked else "")
        for number, (name, mark, asked) in enumerate(known)
    ]
    found = judge(detected, tracked)
    assert [one.record for one in found if one.record is not None] == tracked
    shown = [id(one.detected) for one in found if one.detected is not None]
    assert sorted(shown) == sorted(map(id, detected))
    for one in found:
        assert bool(one.trouble) == (one.state not in ("online", "untracked") or _hangs(one.detected))
        if one.state == "online":
            assert one.record is not None
            assert one.detected is not None
            assert one.record.fingerprint == one.detected.fingerprint
            assert not one.record.needs_decision
            assert one.record.marker in ("", one.detected.probe.marker)
            could_be = [
                other
                for other in detected
                if (one.record.marker and other.probe.marker == one.record.marker)
                or (not one.record.marker and other.fingerprint == one.record.fingerprint)
            ]
            assert could_be == [one.detected]


def _hangs(one: Detected | None) -> bool:
    return one is not None and one.probe.is_hanging
