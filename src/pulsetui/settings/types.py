"""The kinds of value that a setting can have, each read whole by `units` or refused with what is accepted.

Pydantic's own parsers take trailing rubbish in sizes, refuse "30s" and read `true` as 1; these don't. In JSON a size is
bytes, a rate bytes a second, and a duration seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from pulsetui import units

_Value = TypeVar("_Value", int, timedelta)


def _parsed_by(parse: Callable[[Any], object]) -> Callable[[object], object]:
    """Parse what comes from outside; let a value that is already a duration through, so that a model can be copied."""
    return lambda given: given if isinstance(given, timedelta) else parse(given)


def _or_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _positive(value: _Value) -> _Value:
    if not value:
        raise ValueError("0 is too small; use more than 0")
    return value


def _a_number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is not a number")  # noqa: TRY004 - pydantic collects ValueError only
    return value


def _names(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _a_path(value: object) -> Path:
    """Return the absolute path with links resolved, once, here: `files` refuses to follow any."""
    if not isinstance(value, str | Path) or not str(value).strip():
        raise ValueError(f"{value!r} is not a path; use a folder's path, where ~ is your home")
    if "\0" in str(value):
        raise ValueError("a path can't hold a NUL character")
    try:
        return Path(value).expanduser().resolve()
    except (RuntimeError, OSError) as error:
        raise ValueError(f"{str(value)!r} leads nowhere ({error}); write the whole path") from error


_seconds = PlainSerializer(lambda value: value.total_seconds(), return_type=float, when_used="json-unless-none")

Size = Annotated[int, BeforeValidator(_parsed_by(units.parse_size))]
PositiveSize = Annotated[Size, AfterValidator(_positive)]
OptionalSize = Annotated[Size | None, BeforeValidator(_or_none)]
Rate = Annotated[int, BeforeValidator(_parsed_by(units.parse_rate))]
OptionalRate = Annotated[Annotated[Rate, AfterValidator(_positive)] | None, BeforeValidator(_or_none)]
Duration = Annotated[timedelta, BeforeValidator(_parsed_by(units.parse_duration)), _seconds]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Count = Annotated[int, BeforeValidator(_a_number), Field(ge=1, le=1_000_000)]
WholeNumber = Annotated[int, BeforeValidator(_a_number), Field(ge=0, le=1_000_000)]
Percent = Annotated[float, BeforeValidator(_a_number), Field(ge=0, le=100, allow_inf_nan=False)]
Fraction = Annotated[float, BeforeValidator(_a_number), Field(ge=0, le=1, allow_inf_nan=False)]
Ratio = Annotated[float, BeforeValidator(_a_number), Field(gt=0, le=1_000, allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
FolderPath = Annotated[Path, BeforeValidator(_a_path)]
OptionalFolderPath = Annotated[FolderPath | None, BeforeValidator(_or_none)]


def contradiction(first: tuple[str, object], relation: str, second: tuple[str, object]) -> PydanticCustomError:
    """Return the refusal of two values of one section, with both numbers and both keys."""
    return PydanticCustomError(
        "contradiction",
        "{first} {first_value} {relation} {second} {second_value}",
        {
            "first": first[0],
            "first_value": _shown(first[1]),
            "relation": relation,
            "second": second[0],
            "second_value": _shown(second[1]),
        },
    )


def _shown(value: object) -> str:
    if isinstance(value, timedelta):
        return units.exact_duration(value)
    return units.exact_size(value) if isinstance(value, int) else str(value)
