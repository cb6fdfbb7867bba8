"""The limits made from the settings and the disks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pulsetui.budget.limits import LEAST_HARD_LIMIT_BYTES, Limits, resolve_limits
from pulsetui.errors import SettingsError
from pulsetui.settings.models import DiskManagement

MB, GB = 10**6, 10**9


def limits(*, disks: int = 1000 * GB, **given_by_user: object) -> Limits:
    return resolve_limits(
        DiskManagement.model_validate(given_by_user), disks_bytes=disks, explicit=frozenset(given_by_user)
    )


def in_order(found: Limits) -> bool:
    return (
        0 < found.resume_bytes < found.pause_bytes <= found.ceiling_bytes < found.hard_bytes
        and found.pause_bytes < found.suspend_bytes <= found.hard_bytes
    )


def test_the_defaults_are_those_of_the_product() -> None:
    found = limits()
    assert (found.hard_bytes, found.pause_bytes, found.resume_bytes) == (250 * GB, 230 * GB, 200 * GB)
    assert found.suspend_bytes == 248 * GB
    assert found.floor_bytes == 5 * GB
    assert found.aside_bytes == 2_500 * MB


def test_marks_follow_the_hard_limit_in_proportion() -> None:
    found = limits(hard_limit="100 GB")
    assert (found.pause_bytes, found.resume_bytes) == (92 * GB, 80 * GB)


def test_a_hard_limit_of_20_mb_works() -> None:
    found = limits(hard_limit="20 MB")
    assert found.hard_bytes == 20 * MB
    assert found.aside_bytes == 2 << 20
    assert in_order(found)


def test_the_built_in_default_is_clamped_to_the_disks() -> None:
    found = limits(disks=100 * GB)
    assert found.hard_bytes == 95 * GB
    assert in_order(found)


def test_the_built_in_floor_is_clamped_to_a_small_disk() -> None:
    assert limits(disks=10 * GB).floor_bytes == 500 * MB


def test_a_limit_that_was_set_is_refused_rather_than_clamped() -> None:
    with pytest.raises(SettingsError, match="hard_limit") as refused:
        limits(disks=100 * GB, hard_limit="120 GB")
    assert "120000000000" in str(refused.value)
    assert "100000000000" in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("key", "given_by_user", "one", "other"),
    [
        ("hard_limit", {"hard_limit": "8 MB"}, 8 * MB, LEAST_HARD_LIMIT_BYTES),
        ("pause_threshold", {"pause_threshold": "248 GB"}, 248 * GB, 247_500 * MB),
        ("resume_threshold", {"hard_limit": "100 GB", "resume_threshold": "95 GB"}, 95 * GB, 92 * GB),
        ("safety_margin", {"hard_limit": "100 GB", "safety_margin": "9 GB"}, 9 * GB, 8 * GB),
        ("suspend_margin", {"hard_limit": "100 GB", "suspend_margin": "8 GB"}, 8 * GB, 8 * GB),
    ],
)
def test_values_that_contradict_derived_ones_are_refused_with_both_numbers(
    key: str, given_by_user: dict[str, Any], one: int, other: int
) -> None:
    with pytest.raises(SettingsError, match=f"disk_management.{key}") as refused:
        limits(**given_by_user)
    assert f"{one} bytes" in str(refused.value)
    assert f"{other} bytes" in str(refused.value)


@pytest.mark.parametrize(
    ("given_by_user", "numbers"),
    [
        ({"hard_limit": "100 GB", "pause_threshold": "110 GB"}, ("110 GB", "100 GB")),
        ({"hard_limit": "100 GB", "resume_threshold": "100 GB"}, ("100 GB", "100 GB")),
        ({"pause_threshold": "90 GB", "resume_threshold": "91 GB"}, ("91 GB", "90 GB")),
    ],
)
def test_values_that_contradict_each_other_are_refused_with_both_numbers(
    given_by_user: dict[str, object], numbers: tuple[str, str]
) -> None:
    with pytest.raises(ValidationError) as refused:
        DiskManagement.model_validate(given_by_user)
    assert all(number in str(refused.value) for number in numbers)


def test_margins_that_just_fit_are_taken() -> None:
    assert limits(hard_limit="100 GB", safety_margin="8 GB").pause_bytes == 92 * GB
    assert limits(hard_limit="100 GB", suspend_margin="7999 MB").suspend_bytes == 92_001 * MB
    assert limits(pause_threshold="247.5 GB").pause_bytes == 247_500 * MB


@given(
    hard=st.none() | st.integers(LEAST_HARD_LIMIT_BYTES - MB, 400 * GB),
    pause=st.none() | st.integers(1, 300 * GB),
    resume=st.none() | st.integers(1, 300 * GB),
    safety=st.none() | st.integers(0, 30 * GB),
    suspend=st.none() | st.integers(0, 30 * GB),
    disks=st.integers(10 * MB, 400 * GB),
)
def test_limits_are_in_order_or_refused(
    hard: int | None, pause: int | None, resume: int | None, safety: int | None, suspend: int | None, disks: int
) -> None:
    wanted = {
        "hard_limit": hard,
        "pause_threshold": pause,
        "resume_threshold": resume,
        "safety_margin": safety,
        "suspend_margin": suspend,
    }
    try:
        found = limits(disks=disks, **{name: value for name, value in wanted.items() if value is not None})
    except (SettingsError, ValidationError):
        return
    assert in_order(found)
    assert found.hard_bytes <= disks
    assert pause in (None, found.pause_bytes)
    assert resume in (None, found.resume_bytes)
    assert safety is None or found.hard_bytes - found.pause_bytes >= safety


@given(disks=st.integers(10 * MB, 10**15), hard=st.none() | st.integers(20 * MB, 10**15))
def test_a_hard_limit_alone_is_enough(disks: int, hard: int | None) -> None:
    if hard is not None and hard > disks:
        return
    found = limits(disks=disks) if hard is None else limits(disks=disks, hard_limit=hard)
    assert in_order(found)
