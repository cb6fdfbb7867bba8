"""Looks at what pulsetui left on disk, from outside: own SQL on a copy, own walk, own digests.

Nothing here imports pulsetui: what checks a promise must not share the code that keeps it.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """What the database says, read from a copy."""

    jobs: list[Row]
    events: list[Row]
    reservations: list[Row]
    integrity: list[str]

    def kinds(self, job_id: int) -> list[str]:
        """Return the kinds of a job's events, in order."""
        return [event["kind"] for event in self.events if event["job_id"] == job_id]


def read(data_dir: Path) -> Left | None:
    """Read the database of a data directory that nobody uses; None if it wasn't made yet."""
    if not (data_dir / "pulse.db").exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        for name in ("pulse.db", "pulse.db-wal"):
            if (data_dir / name).exists():
                shutil.copy(data_dir / name, folder)
        with closing(sqlite3.connect(Path(folder, "pulse.db"))) as connection:
            connection.execute("PRAGMA query_only=ON")
            connection.row_factory = sqlite3.Row
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            return Left(
                jobs=_rows(connection, tables, "jobs"),
                events=_rows(connection, tables, "events"),
                reservations=_rows(connection, tables, "reservations"),
                integrity=[row[0] for row in connection.execute("PRAGMA integrity_check")],
            )


def live_jobs(data_dir: Path) -> list[Row]:
    """Return the jobs as the database has them while its owner runs."""
    return _live(data_dir, "jobs")


def live_events(data_dir: Path) -> list[Row]:
    """Return the events as the database has them while its owner runs."""
    return _live(data_dir, "events")


def broken_promises(data_dir: Path, storage_dir: Path, sources: Mapping[str, Path]) -> list[str]:
    """Return what a killed pulsetui must never leave; `sources` are the served files by source URL.

    No media is gone without an accepted transcript that is on disk with the recorded digest; what has its final name
    is whole; what is unfinished is the beginning of its source; the database is sound.
    """
    left = read(data_dir)
    if left is None:
        return [f"{path} without a database" for path in _files(storage_dir)]
    broken = [] if left.integrity == ["ok"] else [f"integrity_check: {left.integrity}"]
    by_uuid = {job["uuid"]: job for job in left.jobs}
    for job in left.jobs:
        broken += _deleted_without_proof(job)
        broken += _stage_without_proof(job, left)
    for path in _files(storage_dir / "videos"):
        uuid, _, rest = path.name.partition(".")
        source = sources[by_uuid[uuid]["source_url"]].read_bytes() if uuid in by_uuid else b""
        data = path.read_bytes()
        if rest == "partial" and not source.startswith(data):
            broken.append(f"{path} is not the beginning of its source")
        if rest != "partial" and data != source:
            broken.append(f"{path} has its final name and is not its source")
    for path in _files(data_dir / "transcripts"):
        if not _is_temporary(path) and not _is_json(path):
            broken.append(f"{path} has its final name and is not whole")
    return broken


def unfinished_business(data_dir: Path, storage_dir: Path, sources: Mapping[str, Path]) -> list[str]:
    """Return what is still wrong after everything should be done."""
    left = read(data_dir)
    if left is None:
        return ["there is no database"]
    wrong = [f"reservation {row}" for row in left.reservations]
    if sorted(job["source_url"] for job in left.jobs) != sorted(sources):
        wrong.append(f"the jobs are not the sources: {[job['source_url'] for job in left.jobs]}")
    wrong += [f"integrity_check: {left.integrity}"] if left.integrity != ["ok"] else []
    for job in left.jobs:
        kinds = left.kinds(job["id"])
        done = {kind: kinds.count(kind) for kind in ("job.queued", "job.transcribed")}
        if job["stage"] != "transcribed" or done != {"job.queued": 1, "job.transcribed": 1}:
            wrong.append(f"job {job['id']} is {job['stage']} with {done}")
        elif not (job["video_deleted"] and job["audio_deleted"]) or "job.dead" in kinds or "job.held" in kinds:
            wrong.append(f"job {job['id']}: its media was not deleted, or it was dead or held: {kinds}")
        else:
            wrong += _deleted_without_proof(job)
    known = {os.fsdecode(job["transcript_path"]) for job in left.jobs if job["transcript_path"]}
    wrong += [f"left over: {path}" for path in _files(storage_dir) if Path(path).name != ".pulsetui-storage"]
    wrong += [f"left over: {path}" for path in _files(data_dir) if not _belongs(path, data_dir, known)]
    return wrong


def allocated_bytes(folders: Iterable[Path]) -> int:
    """Return what `du -B1` says: 512 bytes a block, folders too, each inode once."""
    seen: dict[tuple[int, int], int] = {}
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue
            seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())


def log_bytes(data_dir: Path) -> int:
    """Return what the database's write-ahead log takes, and at least one checkpoint's pages."""
    path = data_dir / "pulse.db-wal"
    return max(256 * 4096, path.stat().st_blocks * 512 if path.exists() else 0)


def watch(folders: list[str]) -> None:
    """Walk folders until standard input ends; then print the most bytes that were seen, and the number of walks."""
    peak_bytes, walks = 0, 0
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        peak_bytes = max(peak_bytes, allocated_bytes(map(Path, folders)))
        walks += 1
    sys.stdout.write(f"{peak_bytes} {walks}\n")


def workers_of(pid: int) -> list[int]:
    """Return the living worker processes that were started by `pid`, which may be dead."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"pulsetui.processes.child" in words and str(pid).encode() in words:
            found.append(int(folder.name))
    return found


def spoken(data_dir: Path) -> dict[str, str]:
    """Return the text of every job's transcript by source URL, if its receipt and the transcript say it is accepted."""
    left = read(data_dir)
    texts = {}
    for job in left.jobs if left else []:
        transcript = json.loads(Path(os.fsdecode(job["transcript_path"])).read_bytes())
        assert json.loads(job["receipt"])["accepted"]
        texts[job["source_url"]] = " ".join(segment["text"] for segment in transcript["segments"])
    return texts


def _deleted_without_proof(job: Row) -> list[str]:
    if job["video_path"] is None or Path(os.fsdecode(job["video_path"])).exists():
        return []
    who = f"the media of job {job['id']} ({job['stage']}) is gone"
    if job["stage"] != "transcribed" or not job["receipt"] or not json.loads(job["receipt"])["accepted"]:
        return [f"{who} without an accepted transcript"]
    if not (job["video_delete_pending"] or job["video_deleted"]):
        return [f"{who}, and no commit marked it"]
    transcript = Path(os.fsdecode(job["transcript_path"]))
    if not transcript.exists() or hashlib.sha256(transcript.read_bytes()).hexdigest() != job["transcript_sha256"]:
        return [f"{who}, and its transcript is not on disk as it was accepted"]
    return []


def _stage_without_proof(job: Row, left: Left) -> list[str]:
    """A stage is only reached by its event, and a job that was downloaded keeps its media or its transcript."""
    kinds = left.kinds(job["id"])
    wrong = []
    if kinds.count("job.transcribed") != (job["stage"] == "transcribed"):
        wrong.append(f"job {job['id']} is {job['stage']} after {kinds}")
    if "job.downloaded" in kinds and job["video_path"] is None:
        wrong.append(f"job {job['id']} was downloaded and has lost its media: {kinds}")
    return wrong


def _live(data_dir: Path, table: str) -> list[Row]:
    try:
        with closing(sqlite3.connect(f"file:{data_dir}/pulse.db?mode=ro", uri=True, timeout=5)) as connection:
            connection.row_factory = sqlite3.Row
            return _rows(connection, {table}, table)
    except sqlite3.OperationalError:  # not made yet
        return []


def _rows(connection: sqlite3.Connection, tables: set[str], table: str) -> list[Row]:
    if table not in tables:
        return []
    return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608 - our own names


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _belongs(path: Path, data_dir: Path, transcripts: set[str]) -> bool:
    """Say whether a file may stay in the data directory: the database, the lock, backups and known transcripts."""
    room = path.relative_to(data_dir).parts[0]
    if room in {"transcripts", "backups"}:
        return str(path) in transcripts if room == "transcripts" else path.suffix == ".db"
    return path.name in {"owner.lock", *(f"pulse.db{suffix}" for suffix in ("", "-wal", "-shm", ".ballast"))}


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".pulsetui-") and path.name.endswith(".tmp")


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
