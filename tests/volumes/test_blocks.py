from __future__ import annotations

import os
from pathlib import Path

import pytest

from pulsetui.volumes.blocks import is_removable, numbers_of, udev_uuids
from pulsetui.volumes.records import Mount

DEVICES = "devices/pci0000:00"


def system(root: Path, number: str, device: str, *, removable: str = "0", slaves: tuple[str, ...] = ()) -> Path:
    """Make a device as in /sys, and return the folder of device numbers."""
    folder = root / device
    folder.mkdir(parents=True, exist_ok=True)
    if removable:
        (folder / "removable").write_text(f"{removable}\n")
    (folder / "slaves").mkdir(exist_ok=True)
    for slave in slaves:
        (folder / "slaves" / Path(slave).name).symlink_to(root / slave)
    numbers = root / "dev" / "block"
    numbers.mkdir(parents=True, exist_ok=True)
    (numbers / number).symlink_to(folder)
    return numbers


@pytest.mark.parametrize(
    ("device", "removable", "expected"),
    [
        (f"{DEVICES}/ata1/block/sda", "0", False),
        (f"{DEVICES}/ata1/block/sr0", "1", True),
        (f"{DEVICES}/usb2/2-1/host3/block/sdb", "0", True),
        (f"{DEVICES}/usb2/2-1/host3/block/sdb/sdb1", "", True),
    ],
)
def test_a_disk_is_removable_by_its_medium_or_by_its_bus(
    tmp_path: Path, device: str, removable: str, expected: bool
) -> None:
    assert is_removable("8:16", system(tmp_path, "8:16", device, removable=removable)) is expected


def test_a_partition_is_as_removable_as_its_disk(tmp_path: Path) -> None:
    system(tmp_path, "179:0", f"{DEVICES}/mmc/block/mmcblk0", removable="1")

    numbers = system(tmp_path, "179:1", f"{DEVICES}/mmc/block/mmcblk0/mmcblk0p1", removable="")

    assert is_removable("179:1", numbers)


def test_a_logical_volume_is_as_removable_as_what_it_is_made_of(tmp_path: Path) -> None:
    usb = f"{DEVICES}/usb1/1-1/block/sdc/sdc2"
    system(tmp_path, "8:34", usb, removable="")
    system(tmp_path, "253:0", "devices/virtual/block/dm-0", slaves=(usb,))

    numbers = system(tmp_path, "253:1", "devices/virtual/block/dm-1", slaves=("devices/virtual/block/dm-0",))

    assert is_removable("253:1", numbers)


def test_devices_that_stand_on_each_other_or_are_not_there_are_not_removable(tmp_path: Path) -> None:
    ring = "devices/virtual/block/dm-7"

    assert not is_removable("253:7", system(tmp_path, "253:7", ring, slaves=(ring,)))
    assert not is_removable("0:45", tmp_path / "dev" / "block")


def test_uuids_are_found_by_device_number(tmp_path: Path) -> None:
    (tmp_path / "3F2A-99C0").symlink_to("/dev/null")
    (tmp_path / "odd\\x20one").symlink_to("/dev/zero")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")

    assert udev_uuids(tmp_path) == {"1:3": "3f2a-99c0", "1:5": "odd one"}
    assert udev_uuids(tmp_path / "no udev") == {}


def test_a_mount_stands_on_its_number_and_on_the_block_device_it_came_from() -> None:
    def numbers(source: bytes) -> tuple[str, ...]:
        return numbers_of(Mount(1, 0, "0:45", b"/", b"/x", "btrfs", source, frozenset(), frozenset()))

    blocks = [path for path in Path("/dev").iterdir() if path.is_block_device()]
    for device in blocks[:1]:
        found = device.stat().st_rdev
        assert numbers(os.fsencode(device)) == ("0:45", f"{os.major(found)}:{os.minor(found)}")
    assert numbers(b"/dev/null") == ("0:45",)
    assert numbers(b"/dev/gone") == ("0:45",)
    assert numbers(b"nas:/x") == ("0:45",)
