from __future__ import annotations

from collections.abc import Iterator

import pytest

from pulsetui import faults


@pytest.fixture(autouse=True)
def no_faults_are_left() -> Iterator[None]:
    yield
    faults.disarm()
