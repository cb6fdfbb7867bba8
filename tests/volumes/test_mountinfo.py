from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.volumes.mountinfo import Mount, parse_mountinfo, visible

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> tuple[Mount, ...]:
    return parse_mountinfo((RECORDED / name).read_bytes())


def mount(id_: int, parent: int, point: bytes, root: bytes = b"/") -> Mount:
    return Mount(id_, parent, f"8:{id_}", root, point, "ext4", b"/dev/x", frozenset(), frozenset())


def test_a_line_gives_all_of_its_fields_whatever_is_optional_in_it() -> None:
    line = b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue\n"

    (found,) = parse_mountinfo(line)

    assert (found.id, found.parent_id, found.device) == (36, 35, "98:0")
    assert (found.root, found.point, found.fs_type, found.source) == (b"/mnt1", b"/mnt2", "ext3", b"/dev/root")
    assert found.options == {"rw", "noatime"}
    assert found.super_options == {"rw", "errors=continue"}
    assert parse_mountinfo(line.replace(b" master:1 shared:7", b"")) == (found,)


def test_names_are_what_they_were_before_the_kernel_escaped_them() -> None:
    assert [found.point for found in recorded("names.txt")][1:] == [
        b"/mnt/with spaces",
        b"/mnt/tab\tand\nnewline",
        b"/mnt/back\\slash#hash",
        b"/mnt/caf\xe9 \xc3\xbc",
        b"/mnt/\\040 not a space",
        b"/mnt/disk one",
        b"/mnt/bound here",
    ]
    assert recorded("names.txt")[-1].root == b"/inner folder"


@given(st.binary(min_size=1, max_size=60).filter(lambda name: b"\0" not in name))
def test_any_name_survives_the_kernels_escaping(name: bytes) -> None:
    escaped = b"".join(b"\\%03o" % byte if byte in b" \t\n\\#" else bytes([byte]) for byte in name)
    line = b"36 35 98:0 /%s /%s rw - ext3 /dev/%s rw\n" % (escaped, escaped, escaped)

    (found,) = parse_mountinfo(line)

    assert (found.root, found.point, found.source) == (b"/" + name, b"/" + name, b"/dev/" + name)


@pytest.mark.parametrize(
    "line",
    [b"", b"nonsense", b"36 35 98:0 / /x rw ext3 /dev/x rw", b"x 35 98:0 / /x rw - ext3 /dev/x rw", b"1 2 - a b"],
)
def test_a_line_that_cannot_be_read_spoils_no_other(line: bytes) -> None:
    good = b"36 35 98:0 / /mnt rw - ext3 /dev/x rw"

    assert [found.point for found in parse_mountinfo(b"\n".join([good, line, good]))] == [b"/mnt", b"/mnt"]


def test_a_subvolume_keeps_its_commas() -> None:
    assert "subvol=/odd,name" in recorded("btrfs.txt")[3].super_options


def test_what_is_mounted_over_hides_all_below_it() -> None:
    assert [(found.point, found.device) for found in visible(recorded("shadowed.txt"))] == [
        (b"/", "254:0"),
        (b"/mnt/disk", "7:1"),
        (b"/mnt/stack", "0:41"),
    ]


def test_a_mount_on_a_folder_above_hides_those_in_it_but_not_those_made_on_top_of_it() -> None:
    table = (
        mount(1, 0, b"/"),
        mount(2, 1, b"/mnt/disk"),
        mount(3, 1, b"/mnt"),
        mount(4, 3, b"/mnt/disk"),
        mount(5, 1, b"/mnt2"),
    )

    assert [found.id for found in visible(table)] == [1, 3, 4, 5]


def test_in_a_chroot_whose_root_is_no_mount_all_are_reached() -> None:
    assert [found.id for found in visible((mount(7, 3, b"/a"), mount(8, 7, b"/a/b"), mount(9, 3, b"/c")))] == [7, 8, 9]


def test_a_root_that_is_its_own_parent_or_a_ring_of_parents_ends_the_walk() -> None:
    own = mount(1, 1, b"/")
    ring = (mount(5, 6, b"/r"), mount(6, 5, b"/r"))

    assert visible((own, mount(2, 1, b"/a"))) == (own, mount(2, 1, b"/a"))
    assert visible((own, *ring)) == (own,)


def test_the_mounts_of_this_system_are_those_that_paths_lead_to() -> None:
    found = visible(parse_mountinfo(Path("/proc/self/mountinfo").read_bytes()))

    folders = [
        one for one in found if one.fs_type in ("proc", "tmpfs", "ext4") and Path(os.fsdecode(one.point)).is_dir()
    ]
    assert folders
    for one in folders:
        descriptor = os.open(one.point, os.O_PATH)
        try:
            assert f"mnt_id:\t{one.id}\n" in Path(f"/proc/self/fdinfo/{descriptor}").read_text()
        finally:
            os.close(descriptor)
