from __future__ import annotations

from pulsetui.settings.volumes import IGNORED_TYPES
from pulsetui.volumes.detection import FileSystem, file_systems
from pulsetui.volumes.detector import identify
from pulsetui.volumes.identity import Host, Identity
from pulsetui.volumes.mountinfo import parse_mountinfo
from tests.volumes.test_mountinfo import recorded

HERE = Host("machine", "boot")


def volumes(name: str) -> dict[bytes, FileSystem]:
    """Return the file systems of a recorded table by their main mount point."""
    return {found.main.point: found for found in file_systems(recorded(name), IGNORED_TYPES)}


def points(found: FileSystem) -> list[bytes]:
    return [mount.point for mount in found.mounts]


def known(found: FileSystem, uuid: str = "") -> Identity:
    return identify(found, uuid, HERE)


def test_exports_are_known_by_type_and_place_however_their_names_are_spelled() -> None:
    found = volumes("nfs.txt")

    assert {point: known(one).words for point, one in found.items() if one.kind == "network"} == {
        b"/mnt/media": "nfs nas.lan:/export/media",
        b"/mnt/old": "nfs nas.lan:/export/old",
        b"/mnt/v6": "nfs [fd00::5]:/export/photos",
        b"/home/ann/remote": "fuse.sshfs ann@backup:/data",
    }
    assert points(found[b"/mnt/media"]) == [b"/mnt/media", b"/srv/podcasts"]
    assert found[b"/mnt/v6"].is_read_only
    assert not found[b"/mnt/media"].is_read_only
    assert {one.kind for one in found.values()} == {"network", "memory", "disk"}


def test_shares_are_known_without_regard_to_case_but_for_the_folders_in_them() -> None:
    found = volumes("smb.txt")

    assert known(found[b"/mnt/share"]).words == "smb //nas/media files"
    assert known(found[b"/mnt/deeper"]).words == "smb //nas/media files/Shows"
    assert known(found[b"/mnt/share"]).fingerprint != known(found[b"/mnt/deeper"]).fingerprint


def test_each_subvolume_is_a_volume_with_its_binds() -> None:
    found = volumes("btrfs.txt")

    assert {point: (one.subvolume, points(one)) for point, one in found.items()} == {
        b"/": (b"/@", [b"/"]),
        b"/home": (b"/@home", [b"/home", b"/srv/media"]),
        b"/mnt/odd": (b"/odd,name", [b"/mnt/odd"]),
        b"/mnt/top": (b"/", [b"/mnt/top"]),
    }
    uuid = "3f2a0000-0000-0000-0000-000000000001"
    assert known(found[b"/home"], uuid).words == f"UUID {uuid}, subvolume /@home"
    assert len({known(one, uuid).fingerprint for one in found.values()}) == len(found)


def test_of_a_container_there_are_its_root_its_volumes_and_its_memory() -> None:
    found = volumes("container.txt")

    assert {point: one.kind for point, one in found.items() if point != b"/dev"} == {
        b"/": "overlay",
        b"/dev/shm": "memory",
        b"/media": "disk",
    }
    root = known(found[b"/"])
    assert root.words == "this machine, mounted at /"
    assert root.warnings
    assert points(found[b"/media"])[0] == b"/media"


def test_an_overlay_is_known_by_machine_and_mount_point() -> None:
    found = volumes("overlay.txt")[b"/mnt/merged"]

    assert known(found).kind == "overlay"
    assert known(found, "a uuid of its own").fingerprint == known(found).fingerprint
    assert identify(found, "", Host("another machine", "boot")).fingerprint != known(found).fingerprint
    assert identify(found, "", Host("machine", "another boot")).fingerprint == known(found).fingerprint


def test_logical_volumes_are_disks_with_their_own_uuid() -> None:
    found = volumes("lvm.txt")

    assert {point: (one.kind, one.main.device) for point, one in found.items()} == {
        b"/": ("disk", "253:0"),
        b"/boot": ("disk", "8:1"),
        b"/srv/media": ("disk", "253:2"),
    }
    assert known(found[b"/srv/media"], "a").fingerprint != known(found[b"/"], "b").fingerprint


def test_automount_triggers_are_no_volumes_whatever_the_settings_say() -> None:
    found = {one.main.point: one for one in file_systems(recorded("autofs.txt"), ())}

    assert sorted(found) == [b"/", b"/archive", b"/net/tank"]
    assert known(found[b"/archive"]).words == "nfs files:/export/archive"
    assert known(found[b"/net/tank"]).words == "nfs tank:/"


def test_all_mount_points_of_a_disk_are_one_volume_the_one_that_shows_and_lets_do_most_first() -> None:
    disk = next(one for one in file_systems(recorded("binds.txt"), ()) if one.main.device == "7:0")

    assert points(disk) == [b"/mnt/disk", b"/mnt/whole", b"/mnt/w", b"/mnt/a", b"/mnt/b"]
    assert not disk.is_read_only


def test_what_is_covered_is_not_mounted() -> None:
    found = volumes("shadowed.txt")

    assert {point: one.main.device for point, one in found.items()} == {
        b"/": "254:0",
        b"/mnt/disk": "7:1",
        b"/mnt/stack": "0:41",
    }


def test_names_reach_the_identity_whole_and_harmless() -> None:
    found = volumes("names.txt")

    assert known(found[b"/mnt/tab\tand\nnewline"]).words == "memory of this boot, mounted at /mnt/tab\\tand\\nnewline"
    assert known(found[b"/mnt/caf\xe9 \xc3\xbc"]).words == "memory of this boot, mounted at /mnt/caf\\xe9 ü"
    assert len({known(one).fingerprint for one in found.values()}) == len(found)


def test_ignored_types_are_left_out() -> None:
    assert [one.main.fs_type for one in file_systems(recorded("names.txt"), {"tmpfs"})] == ["ext4", "ext4"]


def test_one_export_that_is_mounted_by_two_versions_of_the_protocol_is_one_volume() -> None:
    table = b"1 0 0:5 / /a rw - nfs4 nas:/x rw,vers=4.2\n2 0 0:6 / /b ro - nfs NAS:/x/ rw,vers=3\n"

    (found,) = file_systems(parse_mountinfo(table), ())

    assert points(found) == [b"/a", b"/b"]
