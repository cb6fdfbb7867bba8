from __future__ import annotations

import grp
import os
import stat
from pathlib import Path

import pytest

from pulsetui.db.place import secure
from pulsetui.errors import PulseError, SettingsError
from pulsetui.files.modes import Modes


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_missing_data_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    assert secure(tmp_path / "share" / "pulsetui") == Modes(0o700, 0o600, None)
    assert (mode(tmp_path / "share"), mode(tmp_path / "share" / "pulsetui")) == (0o700, 0o700)


def test_loose_modes_are_mended_and_other_files_left_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    (data_dir / "backups").mkdir(parents=True)
    ours = [data_dir / name for name in ("pulse.db", "pulse.db-wal", "pulse.db.ballast", "owner.lock", "backups/p.db")]
    other = data_dir / "notes.txt"
    for path in (*ours, other):
        path.touch()
        path.chmod(0o644)
    data_dir.chmod(0o755)

    secure(data_dir)

    assert (mode(data_dir), mode(data_dir / "backups")) == (0o700, 0o700)
    assert {mode(path) for path in ours} == {0o600}
    assert mode(other) == 0o644


def test_with_a_group_its_members_may_read_and_nobody_else(tmp_path: Path) -> None:
    group = next(entry for entry in grp.getgrall() if entry.gr_gid in {*os.getgroups(), os.getegid()})
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o755)
    (data_dir / "pulse.db").touch(mode=0o600)

    assert secure(data_dir, group.gr_name) == Modes(0o2770, 0o660, group.gr_gid)
    assert (mode(data_dir), mode(data_dir / "pulse.db")) == (0o2770, 0o660)
    assert data_dir.stat().st_gid == (data_dir / "pulse.db").stat().st_gid == group.gr_gid


def test_an_unknown_group_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no group 'no such group'"):
        secure(tmp_path, "no such group")


def test_a_link_with_one_of_our_names_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o644)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pulse.db").symlink_to(outside)

    secure(tmp_path / "data")

    assert mode(outside) == 0o644


@pytest.mark.parametrize("place", ["/proc/pulsetui", "/proc/self/pulsetui/data"])
def test_a_place_that_can_not_be_written_is_named_with_what_to_do(place: str) -> None:
    with pytest.raises(SettingsError, match=place) as raised:
        secure(Path(place))
    assert "data_dir" in raised.value.hint


def test_a_file_in_the_place_of_the_directory_is_an_error_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(PulseError, match="not a folder"):
        secure(tmp_path / "data")
