from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pulsetui.errors import FailureClass, SourceError
from pulsetui.pipeline.downloader.sources import by_scheme, load_sources, scheme_of
from pulsetui.settings.models import Downloads
from tests.pipeline.downloader.conftest import Ledger, Make, Place

PLUGIN = """
from pulsetui.pipeline.downloader.sources import Body

class Tape:
    schemes = frozenset({"tape"})
    def __init__(self, settings):
        self.body = Body(0, None, extension="mp4")
    async def open(self, url, recorded):
        if "stuck" in url:
            raise KeyError("stuck\\x1b[2J")
        return self
    async def chunks(self):
        yield b"\\0\\0\\0\\x18ftypmp42" + b"x" * 2_000_000
        raise ZeroDivisionError("torn")
    async def close(self):
        raise RuntimeError("jammed")

class Thief(Tape):
    schemes = frozenset({"https"})

def broken(settings):
    raise OSError("no drive")
"""


def install(folder: Path, entry_point: str) -> None:
    (folder / "tape_plugin.py").write_text(PLUGIN)
    metadata = folder / "tape_plugin-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tape-plugin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[pulsetui.sources]\ntape = tape_plugin:{entry_point}\n")


def test_the_built_in_sources_take_urls_and_paths() -> None:
    assert set(by_scheme(load_sources(Downloads()))) >= {"http", "https", "file"}


@pytest.mark.parametrize(
    ("url", "scheme"),
    [("HTTPS://h/x", "https"), ("/a/b", "file"), ("file:///a", "file"), ("a/b.mp4", ""), ("", ""), ("x y: z", "")],
)
def test_the_scheme_of_a_url_is_found(url: str, scheme: str) -> None:
    assert scheme_of(url) == scheme


async def test_an_installed_plug_in_takes_its_scheme(
    make: Make, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "Tape")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SourceError, match="plug-in tape failed: ZeroDivisionError: torn") as caught:
        await make().fetch(place.request("tape:1"), Ledger())

    assert caught.value.failure is FailureClass.TRANSIENT
    assert place.partial.stat().st_size == 2_000_012, "what came before it failed is kept"


async def test_an_error_of_a_plug_in_is_a_transient_one_and_harmless(
    make: Make, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "Tape")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SourceError, match="KeyError") as caught:
        await make().fetch(place.request("tape:stuck"), Ledger())

    assert caught.value.failure is FailureClass.TRANSIENT
    assert "\x1b" not in str(caught.value)
    assert place.names() == []


@pytest.mark.parametrize("entry_point", ["broken", "Missing"])
def test_a_plug_in_that_cannot_be_loaded_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, entry_point: str
) -> None:
    install(tmp_path, entry_point)
    monkeypatch.syspath_prepend(tmp_path)

    with caplog.at_level(logging.WARNING):
        schemes = set(by_scheme(load_sources(Downloads())))

    assert schemes == {"http", "https", "file"}
    assert "tape can't be loaded" in caplog.text


def test_a_plug_in_cannot_take_a_built_in_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    install(tmp_path, "Thief")
    monkeypatch.syspath_prepend(tmp_path)

    with caplog.at_level(logging.WARNING):
        sources = load_sources(Downloads())

    assert type(by_scheme(sources)["https"]).__name__ == "HttpSource"
    assert "https is built in" in caplog.text
