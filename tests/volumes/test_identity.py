from __future__ import annotations

import hashlib

import pytest

from pulsetui.volumes import identity
from pulsetui.volumes.identity import Host

HERE = Host("machine", "boot")
UUID = "1b7f6a2e-8f0b-4f6c-9d3a-0a4d6b7c8e9f"


def test_a_fingerprint_is_a_hash_of_kind_and_parts_that_never_changes_between_releases() -> None:
    assert identity.disk(UUID, b"").fingerprint == hashlib.sha256(f"disk\0{UUID}".encode()).hexdigest()[:32]
    assert identity.network("nfs4", b"nas:/x").fingerprint == hashlib.sha256(b"network\0nfs\0nas:/x").hexdigest()[:32]
    assert identity.memory(b"/dev/shm", HERE).fingerprint == identity.fingerprint("memory", "boot", "/dev/shm")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("nfs", b"nas:/export"), ("nfs4", b"NAS:/export/")),
        (("cifs", b"//NAS/Share"), ("smb3", b"//nas/share/")),
        (("cifs", b"\\\\nas\\share"), ("cifs", b"//nas/share")),
        (("fuse.sshfs", b"ann@Host:/a"), ("fuse.sshfs", b"ann@host:/a")),
    ],
)
def test_spellings_of_one_place_are_one_identity(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    assert identity.network(*one) == identity.network(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("nfs", b"nas:/Export"), ("nfs", b"nas:/export")),
        (("nfs", b"nas:/export"), ("nfs", b"nas2:/export")),
        (("cifs", b"//nas/share/A"), ("cifs", b"//nas/share/a")),
        (("fuse.sshfs", b"ann@host:/a"), ("fuse.sshfs", b"Ann@host:/a")),
        (("nfs", b"nas:/share"), ("cifs", b"nas:/share")),
    ],
)
def test_different_places_are_different_identities(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    assert identity.network(*one).fingerprint != identity.network(*other).fingerprint


def test_a_disk_without_a_uuid_is_never_taken_for_another_kind_at_its_mount_point() -> None:
    without = identity.unidentified(b"/mnt", HERE)

    assert without.kind == "disk"
    assert without.warnings
    assert without.fingerprint not in {
        identity.overlay(b"/mnt", HERE).fingerprint,
        identity.memory(b"/mnt", HERE).fingerprint,
    }


def test_memory_is_another_volume_after_a_reboot() -> None:
    assert identity.memory(b"/x", HERE).fingerprint != identity.memory(b"/x", Host("machine", "later")).fingerprint
    assert identity.memory(b"/x", HERE).fingerprint == identity.memory(b"/x", Host("other", "boot")).fingerprint


def test_names_that_are_no_utf_8_have_a_fingerprint() -> None:
    assert identity.overlay(b"/caf\xe9", HERE).fingerprint != identity.overlay(b"/caf\xe8", HERE).fingerprint
    assert identity.network("nfs", b"nas:/caf\xe9").words == "nfs nas:/caf\\xe9"
