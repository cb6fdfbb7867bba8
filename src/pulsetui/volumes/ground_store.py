"""All SQL of grounds: on which file system a folder was, from one start to the next."""

from __future__ import annotations

import os
from pathlib import Path

from pulsetui.db.database import Reader, Transaction


async def file_system(reader: Reader, path: Path) -> str:
    """Return what a folder stood on when pulsetui last ran; empty if that is not known."""
    return str(await reader.value("SELECT file_system FROM grounds WHERE path = ?", (os.fsencode(path),)) or "")


async def record(tx: Transaction, path: Path, file_system: str) -> None:
    """Remember what a folder stands on."""
    await tx.execute(
        "INSERT INTO grounds (path, file_system) VALUES (?, ?) "
        "ON CONFLICT (path) DO UPDATE SET file_system = excluded.file_system",
        (os.fsencode(path), file_system),
    )
