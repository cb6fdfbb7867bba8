"""From media to an accepted transcript.

- `voice`: where somebody speaks, found by a detector that is not the engine; runs in the job's process.
- `acceptance`: whether a transcript may take the place of its media.
- `transcript`: the transcript itself, as JSON, SRT, VTT and text.
"""
