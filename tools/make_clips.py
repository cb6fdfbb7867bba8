"""Makes the demo's speech clips: reads each `NN.txt` in the clips folder aloud with flite, into `NN.opus` beside it.

Run by hand when a text changes, never by pulsetui itself: `python tools/make_clips.py [NN…]`. Needs `flite` (Debian's
package of that name) and PyAV. The voice is `rms`: through Opus at this rate the offline recogniser gets about one word
in twenty of it wrong, and of `awb` three times as many.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import av
from av.audio.resampler import AudioResampler

CLIPS = Path(__file__).resolve().parent.parent / "src" / "pulsetui" / "demo" / "clips"
VOICE = "rms"
SAMPLE_RATE_HZ = 16_000
BITS_PER_S = 16_000


def speak(text: str, wav: Path) -> None:
    """Write `text`, read aloud, to a WAV file."""
    subprocess.run(["flite", "-voice", VOICE, "-t", text, "-o", str(wav)], check=True)


def encode(wav: Path, opus: Path) -> float:
    """Encode a WAV file as mono Opus for speech and return its length in seconds."""
    samples = 0
    with av.open(str(wav)) as source, av.open(str(opus), "w", format="ogg") as target:
        stream = target.add_stream("libopus", rate=SAMPLE_RATE_HZ, options={"application": "voip"})
        stream.layout = "mono"
        stream.bit_rate = BITS_PER_S
        resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        for frame in source.decode(audio=0):
            for resampled in resampler.resample(frame):
                samples += resampled.samples
                target.mux(stream.encode(resampled))
        target.mux(stream.encode(None))
    return samples / SAMPLE_RATE_HZ


def main(names: list[str]) -> None:
    """Make the named clips, or all of them."""
    texts = sorted(CLIPS.glob("*.txt"))
    with tempfile.TemporaryDirectory() as folder:
        for text in texts:
            if names and text.stem not in names:
                continue
            wav, opus = Path(folder, "speech.wav"), text.with_suffix(".opus")
            speak(" ".join(text.read_text(encoding="utf-8").split()), wav)
            seconds = encode(wav, opus)
            sys.stdout.write(f"{opus.name}  {seconds:5.1f} s  {opus.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
