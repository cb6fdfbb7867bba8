"""The disks under the data, and the limits that hold on them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pulsetui.core.disks import disk_views, limits_on
from pulsetui.errors import SettingsError
from pulsetui.settings.models import Dashboard
from pulsetui.storage.disks import disks, existing
from tests.core.conftest import Configure
from tests.db.tools import small_disk

MB = 10**6


def test_a_disk_is_what_df_says(tmp_path: Path) -> None:
    said = subprocess.run(
        ["df", "-B1", "--output=size,used,avail", tmp_path], capture_output=True, text=True, check=True
    )
    size, used, free = map(int, said.stdout.splitlines()[1].split())
    (disk,) = disks([tmp_path])
    assert disk.total_bytes == size
    assert abs(disk.used_bytes - used) < 200 * MB
    assert abs(disk.free_bytes - free) < 200 * MB
    assert disk.percent == pytest.approx(100 * used / (used + free), abs=0.5)


def test_a_folder_that_is_not_there_yet_lies_on_the_disk_of_the_nearest_that_is(tmp_path: Path) -> None:
    assert existing(tmp_path / "a" / "b") == tmp_path
    (disk,) = disks([tmp_path / "a" / "b", tmp_path])
    assert disk.path == tmp_path / "a" / "b"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_limits_are_held_against_all_disks_together_each_once(tmp_path: Path, configure: Configure) -> None:
    with small_disk(tmp_path / "one", 60 * MB) as one, small_disk(tmp_path / "other", 40 * MB) as other:
        assert [disk.path for disk in disks([one, other, one / "below"])] == [one, other]
        total = sum(disk.total_bytes for disk in disks([one, other]))
        loaded = configure(disk_management__hard_limit=str(total))
        assert limits_on(loaded, one, other).hard_bytes == total
        with pytest.raises(SettingsError, match="hard_limit"):
            limits_on(configure(disk_management__hard_limit=str(total + 1)), one, other)
        with pytest.raises(SettingsError, match="hard_limit"):
            limits_on(loaded, one, one)


@pytest.mark.parametrize(
    ("warn", "critical", "level"), [(0.001, 100, "warning"), (0.0005, 0.001, "critical"), (99.9, 100, "ok")]
)
def test_a_disk_is_amber_and_red_where_the_settings_say(
    tmp_path: Path, warn: float, critical: float, level: str
) -> None:
    (view,) = disk_views([tmp_path], Dashboard(warn_percent=warn, critical_percent=critical))
    assert view.level == level
    assert view.path == str(tmp_path)
