"""What kind of file a name stands for: by its last extension, case folded. Pure.

The built-in table is also in the database (`file_type_categories`, a test keeps the two equal), where files are named
without any database it is taken from here. The categories themselves and their order are in `views`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pulsetui.storage.views import CATEGORIES, OTHER

_EXTENSIONS = {
    "video": "mp4 mov webm avi mkv m4v",
    "image": "png jpg jpeg webp bmp avif gif",
    "intermediate": "tmp cache partial",
    "metadata": "json yaml yml toml xml",
    "model": "safetensors ckpt pt bin onnx gguf",
    "audio": "wav mp3 m4a flac opus ogg aac",
    "text": "srt vtt txt zst jsonl",
}

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {extension: category for category, extensions in _EXTENSIONS.items() for extension in extensions.split()}
)
"""Category by extension; what isn't here is `other`."""


def category_table(*layers: Mapping[str, str]) -> dict[str, int]:
    """Return the index of the category by extension (lower case, without the dot); later layers win.

    `category_table(BUILT_IN, settings.file_types)`; a category that this version doesn't know counts as `other`.
    """
    table: dict[str, int] = {}
    for layer in layers:
        for extension, category in layer.items():
            table[extension] = CATEGORIES.index(category) if category in CATEGORIES else OTHER
    return table


def category_of(name: bytes, table: Mapping[str, int]) -> int:
    """Return the index of the category of a file name.

    A name that begins with its only dot (`.mp4`) has no extension, nor has one that ends in a dot.
    """
    stem, dot, extension = name.rpartition(b".")
    if not dot or not stem or not extension:
        return OTHER
    return table.get(extension.decode(errors="replace").casefold(), OTHER)
