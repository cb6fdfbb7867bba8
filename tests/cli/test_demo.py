"""What the demo refuses, and how it ends early; the whole of it is run elsewhere."""

from __future__ import annotations

import shutil
import signal

import pytest

from tests.cli.box import Box, until


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_demo_that_is_ended_leaves_nothing_behind(box: Box, number: signal.Signals, code: int) -> None:
    temporary = box.home / "tmp"
    temporary.mkdir()
    process = box.start("demo", "--no-ui", "--episodes", "9", env={"TMPDIR": str(temporary)})
    until(lambda: any(temporary.glob("pulsetui-demo-*/videos/*")))
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, b"Traceback" in err) == (code, False), err.decode()
    assert list(temporary.iterdir()) == []


def test_a_folder_that_does_not_fit_is_refused(box: Box, copied: Box) -> None:
    (box.home / "file").touch()
    (box.home / "kept").mkdir()
    shutil.copytree(copied.data_dir, box.home / "kept" / "data")
    for folder, code, message in (
        ("file", 6, f"{box.home / 'file'} is a symbolic link or a file, not a folder"),
        ("/proc/none", 2, "the folder /proc/none/videos can't be made"),
        ("kept", 6, "holds jobs of an earlier demo"),
        ("", 2, "a path is empty"),
    ):
        done = box.run("demo", "--no-ui", "--episodes", "1", "--json", "--keep", folder)
        assert (done.code, done.out) == (code, "")
        assert message in done.error["message"]
        assert done.error["hint"]


def test_a_demo_of_nothing_is_refused(box: Box) -> None:
    done = box.run("demo", "--no-ui", "--episodes", "0")
    assert (done.code, done.err.splitlines()[0]) == (2, "pulsetui: --episodes is 0")
