"""Speech engines: audio in, timed text out.

- `base`: what an engine is, and its `Segment`.
- `registry`: finds engines by name through the entry points of group `pulsetui.engines`.
- `pocketsphinx`: the default, offline right after install.

The invariant: an engine runs only in the process of a transcription job (`pulsetui.pipeline.tasks`), so that its death
is that job's failure alone. Whether what it returned is good enough is left to `transcriber.acceptance`.
"""
