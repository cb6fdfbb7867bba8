"""Which workload reaches which fault point, and at which hits its process is killed.

The table must name every point of pulsetui, so that a new one can't be forgotten. Each tuple is a row of kills on one
place: the first start is killed at the hit of the first number, the start after it at that of the second, and so on,
before one is left alone. Going down keeps the later kills reachable, since less is left to do at every start.
"""

from __future__ import annotations

from tests.faults.scenes import (
    CHANGED,
    EMPTY,
    FETCH,
    LINKS,
    LOCAL,
    OLD,
    OPEN,
    RESUME,
    STOPPED,
    SYSTEMD,
    UNCLEAN,
    Workload,
)

Hits = tuple[int, ...]


def _each(names: str, *rows: Hits) -> dict[str, tuple[Hits, ...]]:
    return dict.fromkeys(names.split(), rows)


OWNER: dict[Workload, dict[str, tuple[Hits, ...]]] = {
    # What is hit often is killed late in the work first, and then during the three starts after that.
    FETCH: {
        **_each("actions.address actions.bind actions.listen db.connect owner.lock owner.locked", (1, 1, 1)),
        **_each("db.open storage.walk storage.folder storage.above", (3, 2, 1)),
        **_each("db.begin db.commit db.committed", (48, 3, 2, 1)),
        **_each("db.read", (50, 3, 2, 1)),
        **_each("download.socket download.request", (2, 1, 1)),
        **_each("download.resolve", (1, 1, 1)),
        **_each("download.read", (3, 2, 1)),
        **_each("processes.spawn processes.send processes.kill processes.reaped", (3, 2, 1)),
        **_each("processes.read", (16, 3, 2, 1)),
        **_each("files.root", (24, 3, 2, 1)),
        **_each("files.enter", (150, 3, 2, 1)),
        **_each("files.folder_open files.folder_sync files.folder_synced", (19, 3, 2, 1)),
        **_each("files.folder_create files.folder_created", (12, 1), (3, 2, 1)),
        **_each("files.create files.created files.sync files.synced files.close", (4, 1), (3, 2, 1)),
        **_each("files.write files.written", (5, 2, 1), (4, 3, 1)),
        **_each("files.unlink", (5, 1), (4, 2, 1)),
        **_each("files.unlinked", (4, 1), (3, 2, 1)),
        **_each("files.rename files.renamed files.replace files.replaced", (2, 1, 1)),
        **_each("files.lock", (3, 1, 1)),
        **_each("files.open", (1, 1, 1)),
        **_each("volumes.ground volumes.footing files.read_start", (12, 3, 2, 1)),
    },
    EMPTY: {
        **_each("db.made db.ballast_restore", (1, 1, 1)),
        **_each("db.migrate db.migrated", (2, 1, 1)),
        **_each("actions.accept actions.read actions.answer actions.answered", (3, 2, 1)),
    },
    LOCAL: {
        **_each("download.local.open files.clone", (2, 1, 1)),
        **_each("download.local.read", (3, 2, 1)),
    },
    RESUME: {**_each("download.partial.read", (3, 2, 1))},
    CHANGED: {**_each("files.truncate files.truncated", (1, 1, 1))},
    UNCLEAN: {**_each("db.quick_check", (1, 1, 1))},
    OPEN: {
        **_each("db.mend_mode", (3, 2, 1)),
        **_each("files.mend_mode", (4, 2, 1)),
        **_each("files.mend_open", (2, 1, 1)),
    },
    OLD: {**_each("db.backup db.backed_up db.migrate", (1, 1, 1)), **_each("db.migrated", (1,))},
    LINKS: {**_each("files.link files.linked", (1, 2, 1), (3, 1))},
    STOPPED: {**_each("processes.terminate", (1, 1, 1))},
    SYSTEMD: {**_each("headless.notify", (2, 1, 1))},
}
"""Rows of kills of the owner itself, by workload and point."""

WORKERS: dict[str, Hits] = {
    "files.close": (1, 1, 1),
    "files.create": (1, 1, 1),
    "files.created": (1, 1, 1),
    "files.open": (1, 1, 1),
    "files.write": (3, 2, 1),
    "files.written": (3, 2, 1),
    "media.open": (1, 1, 1),
    "processes.answer": (6, 3, 1),
    "transcription.detected": (1, 1, 1),
    "transcription.extracted": (1, 1, 1),
    "transcription.heard": (1, 1, 1),
}
"""Kills of the processes of jobs, in `FETCH`; some of these points are reached nowhere else."""

ELSEWHERE: dict[str, str] = {
    "actions.connect": "test_client.py",
    "actions.send": "test_client.py",
    "actions.sent": "test_client.py",
    "db.ballast_dropped": "test_errors.py",
    "demo.server.bind": "test_client.py",
    "demo.video": "test_client.py",
    "files.cloned": "test_reflinks.py",
    "files.fs_uuid": "../files/test_filesystems.py",
    "files.data_sync": "../volumes/test_measuring.py",
    "files.folder_remove": "../volumes/test_measuring.py",
    "files.read_direct": "../volumes/test_grounds.py",
    "files.scratch": "../volumes/test_measuring.py",
    "processes.abandon": "../processes/test_session.py",
    "storage.export": "test_client.py",
    "storage.export_above": "test_client.py",
    "storage.export_folder": "test_client.py",
    "storage.inotify": "test_refresh.py",
    "storage.ncdu_read": "test_client.py",
    "storage.plain_folder": "test_client.py",
    "storage.plain_top": "test_client.py",
    "storage.scan_few": "test_refresh.py",
    "storage.scan_folder": "../storage/scan/test_walkers.py",
    "storage.scan_list": "../storage/scan/test_walkers.py",
    "storage.scan_place": "test_refresh.py",
    "storage.scan_root": "../storage/scan/test_walkers.py",
    "storage.scan_step": "test_refresh.py",
    "storage.watch": "test_refresh.py",
    "terminal.write": "test_screen.py",
    "volumes.probe": "../volumes/test_probing.py",
    "volumes.probe_uuid": "../volumes/test_probing.py",
    "volumes.speed_read": "../volumes/test_measuring.py",
}
"""Points that other tests reach, because a kill there needs more than a workload."""

UNREACHABLE: dict[str, str] = {
    "files.lock_shared": "nothing in pulsetui takes a shared lock yet; tests/files covers the function",
}


def named() -> list[str]:
    """Return all points that the table names."""
    reached = {name for points in OWNER.values() for name in points}
    return sorted(reached | set(WORKERS) | set(ELSEWHERE) | set(UNREACHABLE))
