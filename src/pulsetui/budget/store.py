"""All SQL of the budget: the gate, the operator's pause, the pauses' history, the reservations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pulsetui.budget.gate import Cause, Gate
from pulsetui.budget.ledger import Parts
from pulsetui.clock import from_ms, to_ms
from pulsetui.db.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class GateRow:
    """The gate as stored, with the operator's own pause and the most that was ever committed."""

    gate: Gate
    operator_paused: bool
    peak_committed_bytes: int


@dataclass(frozen=True, slots=True)
class PauseFigures:
    """How often and how long the gate was closed by the budget or the disks, in seconds."""

    count: int
    resumed: int
    total_s: float
    longest_s: float


async def gate(reader: Reader, *, now: datetime) -> GateRow:
    """Return the stored gate; before the first decision it is open."""
    row = await reader.one("SELECT * FROM gate WHERE id = 1")
    if row is None:
        return GateRow(
            Gate(True, Cause.FLOWING, "nothing committed yet", now), operator_paused=False, peak_committed_bytes=0
        )
    stored = Gate(bool(row["is_open"]), Cause(row["cause"]), row["reason"], from_ms(row["since"]))
    return GateRow(stored, bool(row["operator_paused"]), row["peak_committed_bytes"])


async def record_gate(tx: Transaction, gate: Gate, *, peak_committed_bytes: int) -> None:
    """Store the gate and the peak; the operator's pause is left as it is."""
    await tx.execute(
        "INSERT INTO gate (id, is_open, cause, reason, since, peak_committed_bytes) VALUES (1, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET is_open = excluded.is_open, cause = excluded.cause, reason = excluded.reason, "
        "since = excluded.since, peak_committed_bytes = max(peak_committed_bytes, excluded.peak_committed_bytes)",
        (gate.is_open, gate.cause, gate.reason, to_ms(gate.since), peak_committed_bytes),
    )


async def record_operator_pause(tx: Transaction, *, paused: bool, now: datetime) -> bool:
    """Store the operator's pause; say whether it changed."""
    await tx.execute(
        "INSERT OR IGNORE INTO gate (id, is_open, cause, reason, since) VALUES (1, 1, ?, 'nothing committed yet', ?)",
        (Cause.FLOWING, to_ms(now)),
    )
    return (
        await tx.execute("UPDATE gate SET operator_paused = ? WHERE id = 1 AND operator_paused <> ?", (paused, paused))
        > 0
    )


async def begin_pause(tx: Transaction, gate: Gate, committed_bytes: int | None) -> None:
    """Open a pause in the history."""
    await tx.execute(
        "INSERT INTO pauses (closed_at, cause, committed_bytes) VALUES (?, ?, ?)",
        (to_ms(gate.since), gate.cause, committed_bytes),
    )


async def end_pause(tx: Transaction, now: datetime) -> None:
    """Close the running pause in the history."""
    await tx.execute("UPDATE pauses SET opened_at = ? WHERE opened_at IS NULL", (to_ms(now),))


async def pause_figures(reader: Reader, *, now: datetime) -> PauseFigures:
    """Return count, total and longest of the pauses, a running one up to `now`."""
    row = await reader.one(
        "SELECT count(*) AS n, count(opened_at) AS resumed, "
        "coalesce(sum(coalesce(opened_at, :now) - closed_at), 0) AS total, "
        "coalesce(max(coalesce(opened_at, :now) - closed_at), 0) AS longest FROM pauses",
        {"now": to_ms(now)},
    )
    if row is None:
        return PauseFigures(0, 0, 0.0, 0.0)
    return PauseFigures(row["n"], row["resumed"], row["total"] / 1000, row["longest"] / 1000)


async def reservations(reader: Reader, *, stage: str | None = None) -> dict[int, Parts]:
    """Return the reservations by job id: all, or those of jobs in one stage."""
    rows = await reader.all(
        "SELECT job_id, video_bytes, audio_bytes, transcript_bytes FROM reservations "
        "WHERE :stage IS NULL OR job_id IN (SELECT id FROM jobs WHERE stage = :stage)",
        {"stage": stage},
    )
    return {row["job_id"]: Parts(row["video_bytes"], row["audio_bytes"], row["transcript_bytes"]) for row in rows}


async def reserve(tx: Transaction, job_id: int, parts: Parts) -> None:
    """Store a job's reservation."""
    await tx.execute(
        "INSERT OR REPLACE INTO reservations (job_id, video_bytes, audio_bytes, transcript_bytes) VALUES (?, ?, ?, ?)",
        (job_id, parts.video, parts.audio, parts.transcript),
    )


async def release(tx: Transaction, job_id: int) -> None:
    """Drop a job's reservation."""
    await tx.execute("DELETE FROM reservations WHERE job_id = ?", (job_id,))


async def keep_reservations(tx: Transaction, stage: str) -> None:
    """Drop the reservations of all jobs that are not in `stage`."""
    await tx.execute("DELETE FROM reservations WHERE job_id NOT IN (SELECT id FROM jobs WHERE stage = ?)", (stage,))
