"""A mount that hangs: a FUSE server, in a process of its own, that takes all requests and answers none.

As of a dead disk, whoever asks it can't even be killed (state D): the kernel waits for the answer that was promised.
With `takes=False` it takes no request either, and who asks can be killed, as of a dead NFS server.
`answer` makes it answer from then on, also what it was asked before; its end makes the kernel give all of that up.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FILES = 77
"""How many inodes it says that it has, once it answers."""
BLOCKS = 1000
BLOCK_BYTES = 4096
_DETACH = 2  # MNT_DETACH of umount2(2), which asks the mount nothing
_LOOKUP, _GETATTR, _STATFS = 1, 3, 17  # opcodes of <linux/fuse.h>
_FORGET, _BATCH_FORGET, _INTERRUPT = 2, 42, 36  # these get no answer
_ENOENT, _ENOSYS = -2, -38


class Hanging:
    """A mount that hangs, and the process behind it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def answer(self) -> None:
        """Have it answer from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write("answer\n")
        self._process.stdin.flush()

    def wait_for_request(self) -> None:
        """Wait until a child of this process asked it something. Others do too: all tests see the same mounts."""
        from tests.living import children  # not for the server, which has no package around it

        assert self._process.stdout is not None
        for line in self._process.stdout:
            if int(line) in children():
                return

    def kill(self) -> None:
        """End the process: whoever waits for an answer gets an error (ENOTCONN)."""
        self._process.kill()
        self._process.wait()


@contextmanager
def hanging(point: Path, *, takes: bool = True) -> Iterator[Hanging]:
    """Mount one on a folder, which is made if it isn't there."""
    point.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-S", __file__, str(point), "takes" if takes else ""]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        mount = Hanging(process)
        try:
            assert process.stdout is not None
            said = process.stdout.readline().strip()
            assert said == "mounted", said
            yield mount
        finally:
            ctypes.CDLL(None).umount2(os.fsencode(point), _DETACH)
            mount.kill()


def _serve(point: str, takes: bool) -> None:
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"hanging", os.fsencode(point), b"fuse.hanging", 0, options.encode()):
        sys.exit(os.strerror(ctypes.get_errno()))
    _reply(device, os.read(device, 1 << 20), struct.pack("=IIII", 7, 31, 0, 0).ljust(64, b"\0"))
    os.write(1, b"mounted\n")
    asked: list[bytes] = []
    answers = False
    while True:
        ready = select.select([device, 0] if takes or answers else [0], [], [])[0]
        if 0 in ready:
            if not os.read(0, 100):
                return
            answers = True
        if device in ready:
            asked.append(os.read(device, 1 << 20))
            os.write(1, b"%d\n" % struct.unpack_from("=IIQQIII", asked[-1])[6])
        while answers and asked:
            _answer(device, asked.pop(0))


def _answer(device: int, request: bytes) -> None:
    opcode = struct.unpack_from("=II", request)[1]
    if opcode == _STATFS:
        counts = struct.pack("=5Q4I", BLOCKS, BLOCKS, BLOCKS, FILES, FILES, BLOCK_BYTES, 255, BLOCK_BYTES, 0)
        _reply(device, request, counts.ljust(80, b"\0"))
    elif opcode == _GETATTR:
        attributes = struct.pack("=6Q7I", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, os.getuid(), os.getgid())
        _reply(device, request, struct.pack("=QII", 0, 0, 0) + attributes.ljust(88, b"\0"))
    elif opcode not in (_FORGET, _BATCH_FORGET, _INTERRUPT):
        _reply(device, request, b"", _ENOENT if opcode == _LOOKUP else _ENOSYS)


def _reply(device: int, request: bytes, body: bytes, error: int = 0) -> None:
    unique = struct.unpack_from("=IIQ", request)[2]
    with suppress(OSError):  # whoever asked is gone, and so is the request
        os.write(device, struct.pack("=IiQ", 16 + len(body), error, unique) + body)


if __name__ == "__main__":
    with suppress(OSError):  # ENODEV: unmounted
        _serve(sys.argv[1], sys.argv[2] == "takes")
