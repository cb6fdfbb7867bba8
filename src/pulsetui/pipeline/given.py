"""What people name as a source, at a prompt or in a list: a URL, or a path as they would write it for a shell.

It becomes what the queue takes: a URL, or an absolute path. Blocks, since it looks at the disk.
"""

from __future__ import annotations

from pathlib import Path

NO_FILE = "there is no such file; a URL begins with https://"


def source_of(given: str) -> str:
    """Return a path as an absolute one, and a URL as it is. A path that is no UTF-8 becomes a file:// URL."""
    if not given or ":" in given.split("/", 1)[0]:
        return given
    try:
        path = Path(given).expanduser().absolute()
    except RuntimeError:  # ~ of a user that isn't there: then that is the file's name
        path = Path(given).absolute()
    text = str(path)
    return path.as_uri() if text.encode(errors="replace").decode() != text else text


def is_missing(source: str) -> bool:
    """Say whether a source is a path with surely nothing there; what this user may not see, the owner may."""
    if not source.startswith("/"):
        return False
    try:
        Path(source).stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:
        return False
    return False
