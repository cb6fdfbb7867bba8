from __future__ import annotations

from tests.db.conftest import database

__all__ = ["database"]
