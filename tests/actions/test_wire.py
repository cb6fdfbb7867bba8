from __future__ import annotations

import pytest

from pulsetui import errors
from pulsetui.actions.wire import error_from_plain, error_to_plain, parse_request
from pulsetui.errors import FailureClass, PulseError, SourceError, UsageError, WorkerFailedError


def every_error() -> list[PulseError]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PulseError)]
    special = {SourceError, WorkerFailedError}
    return [
        *(kind("what", hint="do this") for kind in kinds if kind not in special),
        SourceError("what", failure=FailureClass.RATE_LIMITED, retry_after_s=3.5, hint="do this"),
        WorkerFailedError("what", kind="no-audio", hint="do this"),
    ]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.code)
def test_an_error_comes_out_as_the_class_that_went_in(error: PulseError) -> None:
    back = error_from_plain(error_to_plain(error))

    assert type(back) is type(error)
    assert (str(back), back.hint, back.exit_code) == ("what", "do this", error.exit_code)
    assert vars(back) == vars(error)


def test_an_error_of_a_newer_owner_is_still_an_error() -> None:
    back = error_from_plain({"code": "from-the-future", "message": "what"})
    assert (type(back), str(back), back.hint) == (PulseError, "what", "")


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"hello\n",
        b"\xff\xfe\n",
        b"[]\n",
        b"{}\n",
        b'{"ask": "everything"}\n',
        b'{"order": {}}\n',
        b'{"order": null, "ask": null}\n',
        b"[" * 100_000 + b"\n",
        b'{"ask": "live", "uid": 0}\n',
    ],
)
def test_a_line_that_is_no_request_is_a_usage_error(line: bytes) -> None:
    with pytest.raises(UsageError, match="the request can't be read"):
        parse_request(line)
