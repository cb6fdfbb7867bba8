from __future__ import annotations

from tests.pipeline.conftest import house, unarmed

__all__ = ["house", "unarmed"]
