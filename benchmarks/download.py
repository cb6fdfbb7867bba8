"""Downloads from a server on loopback with pulsetui's downloader and with aria2c, and prints the ratio.

    python benchmarks/download.py [--files 5] [--megabytes 200] [--rounds 5] [--folder FOLDER]

The server is nginx if it is installed (one worker, sendfile), else a Python process. In each round both clients fetch
the same files at once, in turn, into the same folder, each after a `sync`. aria2c runs with `-x1` and
`--file-allocation=none`, and neither hashes nor syncs; pulsetui does both, in its whole durable order, with the media
check left out (it is another process's work). Without aria2c the figure to compare with is what `cat` of the same files
into the same folder takes, a limit that no download can pass.

Columns: throughput in MB/s, processor seconds per GB of the client alone, and for pulsetui the lag of its event loop at
the 99th percentile, by a probe every 5 ms. Timings are reported, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pulsetui.pipeline.downloader.ingest import Media
from pulsetui.pipeline.downloader.transfer import Downloader, Head, Request
from pulsetui.settings.models import Downloads

MB = 1_000_000
PROBE_S = 0.005

_NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; tcp_nopush on; types {{ video/mp4 mp4; }}
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; root {served}; }}
}}
"""


class Unlimited:
    """An observer with room for everything."""

    reserved_bytes = 1 << 62

    async def headers(self, head: Head) -> None:
        """Take note of nothing."""

    async def extend(self, total_bytes: int) -> None:
        """Never needed."""

    def progress(self, written_bytes: int, allocated_bytes: int) -> None:
        """Take note of nothing."""


async def unchecked(_path: Path, extension: str) -> Media:
    """Take everything for media."""
    return Media(extension, "none", 0.0)


async def fetch_all(urls: list[str], folder: Path) -> dict[str, float]:
    """Fetch all URLs at once with one downloader, and measure."""
    downloader = Downloader(
        Downloads(allow_http=True, allow_private_addresses=True, requests_per_second_per_host=1_000), check=unchecked
    )
    lags: list[float] = []
    probe = asyncio.create_task(probe_loop(lags))
    cpu_s, began = cpu_seconds(resource.RUSAGE_SELF), time.perf_counter()
    await asyncio.gather(
        *(downloader.fetch(Request(str(number), url, folder, folder), Unlimited()) for number, url in enumerate(urls))
    )
    seconds = time.perf_counter() - began
    cpu_s = cpu_seconds(resource.RUSAGE_SELF) - cpu_s
    probe.cancel()
    await downloader.close()
    return {"seconds": seconds, "cpu_s": cpu_s, "lag_p99_ms": 1_000 * statistics.quantiles(lags, n=100)[98]}


async def probe_loop(lags: list[float]) -> None:
    """Note by how much each short sleep was late, in seconds."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(PROBE_S)
        lags.append(time.perf_counter() - began - PROBE_S)


def run_pulsetui(urls: list[str], folder: Path) -> dict[str, float]:
    """Fetch in a fresh process, so that its figures are its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--fetch-into", str(folder), *urls], check=True, capture_output=True, text=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def run_other(urls: list[str], folder: Path, served: Path) -> dict[str, float]:
    """Fetch with aria2c, or copy with `cat` where there is none."""
    if shutil.which("aria2c"):
        parts = ["aria2c", "-q", "-x1", f"-j{len(urls)}", "-Z", "--file-allocation=none", "-d", str(folder), *urls]
    else:
        parts = ["sh", "-c", 'for f in "$1"/*; do cat "$f" > "$2/${f##*/}" & done; wait', "-", str(served), str(folder)]
    cpu_s, began = cpu_seconds(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(parts, check=True, stdout=subprocess.DEVNULL)
    return {"seconds": time.perf_counter() - began, "cpu_s": cpu_seconds(resource.RUSAGE_CHILDREN) - cpu_s}


def cpu_seconds(who: int) -> float:
    """Return user and system time."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def server(served: Path, folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of loopback and give its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    if shutil.which("nginx"):
        settings = folder / "nginx.conf"
        settings.write_text(_NGINX.format(folder=folder, port=port, served=served))
        parts = ["nginx", "-c", str(settings), "-e", str(folder / "error.log")]
    else:
        parts = [sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", str(served), str(port)]
    process = subprocess.Popen(parts, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    """Wait until the server takes connections."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def write_sources(served: Path, files: int, size: int) -> None:
    """Write files that start like an MP4."""
    served.mkdir()
    served.chmod(0o755)
    for number in range(files):
        (served / f"{number}.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + os.urandom(size - 12))


def compare(folder: Path, *, files: int, size: int, rounds: int) -> None:
    """Run both in turn and print each round and the medians."""
    served = folder / "served"
    write_sources(served, files, size)
    other = "aria2c -x1" if shutil.which("aria2c") else "cat (a limit)"
    figures: dict[str, list[dict[str, float]]] = {other: [], "pulsetui": []}
    kind = "nginx" if shutil.which("nginx") else "python"
    print(f"{files} x {size / MB:.0f} MB at once, {rounds} rounds, server {kind}")
    with server(served, folder) as base:
        urls = [f"{base}/{number}.mp4" for number in range(files)]
        for _ in range(rounds):
            for name, runs in figures.items():
                with tempfile.TemporaryDirectory(dir=folder) as target:
                    os.sync()
                    into = Path(target)
                    runs.append(run_pulsetui(urls, into) if name == "pulsetui" else run_other(urls, into, served))
                show(name, runs[-1], files * size)
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in figures.items()
    }
    print("medians")
    for name, median in medians.items():
        show(name, median, files * size)
    ratios = [theirs["seconds"] / ours["seconds"] for theirs, ours in zip(*figures.values(), strict=True)]
    print(f"throughput ratio pulsetui / {other}: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


def show(name: str, figures: dict[str, float], total: int) -> None:
    """Print one line."""
    lag = f"{figures['lag_p99_ms']:7.1f} ms lag p99" if "lag_p99_ms" in figures else ""
    rate, cpu_s = total / figures["seconds"] / MB, figures["cpu_s"] / total * 1e9
    print(f"  {name:14} {rate:7.0f} MB/s {cpu_s:6.2f} CPU s/GB {lag}".rstrip(), flush=True)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description="Compare download throughput with aria2c.")
    parser.add_argument("--files", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where to download to (default: the temporary folder)"
    )
    parser.add_argument("--fetch-into", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("urls", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fetch_into:
        print(json.dumps(asyncio.run(fetch_all(given.urls, given.fetch_into))))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        Path(folder).chmod(0o755)  # nginx's worker is another user
        compare(Path(folder), files=given.files, size=given.megabytes * MB, rounds=given.rounds)


if __name__ == "__main__":
    main()
