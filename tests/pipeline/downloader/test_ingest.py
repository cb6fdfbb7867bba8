from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.errors import FailureClass, SourceError
from pulsetui.pipeline.downloader.ingest import EXTENSIONS, START_BYTES, extension_for, extension_of

STARTS = {
    "mp4": b"\0\0\0\x20ftypisom",
    "mov": b"\0\0\0\x08wide\0\0\0\0mdat",
    "mkv": b"\x1aE\xdf\xa3\x01\0\0\0",
    "opus": b"OggS\0\x02",
    "flac": b"fLaC\0\0\0\x22",
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "avi": b"RIFF\x24\0\0\0AVI LIST",
    "mp3": b"ID3\x04\0\0",
    "mp2": b"\xff\xfd\x80\x04",
    "aac": b"\xff\xf1\x50\x80",
    "ts": (b"\x47" + b"\0" * 187) * 3,
    "m2ts": (b"\0\0\0\0\x47" + b"\0" * 187) * 3,
    "mpg": b"\0\0\x01\xba\x44",
    "flv": b"FLV\x01\x05",
    "wmv": b"0&\xb2u\x8ef\xcf\x11\xa6\xd9",
    "aiff": b"FORM\0\0\0\x20AIFFCOMM",
}


@pytest.mark.parametrize("extension", STARTS)
def test_each_container_is_accepted_under_its_own_name(extension: str) -> None:
    assert extension_for(STARTS[extension], extension) == extension


@pytest.mark.parametrize(
    ("start", "extension"),
    [("mp4", "mp4"), ("mkv", "mkv"), ("opus", "ogg"), ("mp3", "mp3"), ("ts", "ts"), ("aac", "aac"), ("wmv", "wmv")],
)
def test_without_a_declared_type_the_bytes_decide(start: str, extension: str) -> None:
    assert extension_for(STARTS[start], "") == extension


@pytest.mark.parametrize(("start", "declared"), [("mp4", "mkv"), ("wav", "avi"), ("mkv", "mp3"), ("opus", "mp4")])
def test_bytes_that_contradict_the_declared_type_are_refused(start: str, declared: str) -> None:
    with pytest.raises(SourceError, match=f"not {declared}") as caught:
        extension_for(STARTS[start], declared)
    assert caught.value.failure is FailureClass.PERMANENT


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"#!/bin/sh\nrm -rf /",
        b"<!DOCTYPE html><html>",
        b"\x7fELF\x02\x01\x01",
        b"PK\x03\x04",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"\xff\xfe\0\0",
        b"G" * 100,
    ],
)
@pytest.mark.parametrize("declared", ["", "mp4", "mp3"])
def test_what_is_no_media_is_refused_under_any_name(start: bytes, declared: str) -> None:
    with pytest.raises(SourceError) as caught:
        extension_for(start, declared)
    assert caught.value.failure is FailureClass.PERMANENT


def test_a_refusal_shows_the_first_bytes_harmless() -> None:
    with pytest.raises(SourceError) as caught:
        extension_for(b"\x1b[2J\n\r hello", "mp4")
    assert str(caught.value).isprintable()


@given(st.binary(max_size=START_BYTES), st.sampled_from(["", *EXTENSIONS]))
def test_any_bytes_are_judged(start: bytes, declared: str) -> None:
    try:
        extension = extension_for(start, declared)
    except SourceError:
        return
    assert extension in EXTENSIONS
    assert declared in {"", extension}


@pytest.mark.parametrize(
    ("path", "disposition", "content_type", "extension"),
    [
        ("/a/b.MP4", "", "", "mp4"),
        ("/a/b.mp4", 'attachment; filename="talk.webm"', "", "webm"),
        ("/get.php", "attachment; filename*=UTF-8''t%C3%A4lk%2Eogg", "", "ogg"),
        ("/get.php", 'attachment; filename="report.pdf"', "video/mp4; codecs=x", "mp4"),
        ("/get", "", "Audio/MPEG", "mp3"),
        ("/get", "", "application/octet-stream", ""),
        ("/mp4", "", "", ""),
        ("/a.mp4/", "", "", ""),
        ("/talk%2Emp4", "", "", "mp4"),
    ],
)
def test_the_declared_type_is_the_name_then_the_path_then_the_content_type(
    path: str, disposition: str, content_type: str, extension: str
) -> None:
    assert extension_of(path, disposition=disposition, content_type=content_type) == extension


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=30))
def test_no_header_makes_an_unknown_extension(path: str, disposition: str, content_type: str) -> None:
    assert extension_of(path, disposition=disposition, content_type=content_type) in {"", *EXTENSIONS}
