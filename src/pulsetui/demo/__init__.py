"""The demo: the whole pipeline on real speech videos, from a real server, under a budget small enough to pause.

- `clips/`: the committed speech, and what is said in it; `tools/make_clips.py` makes it.
- `videos`: which episodes there are, and the making of their files.
- `server`, `web`, `ranges`: the server on loopback.
- `watch`: another process that checks the budget from outside.
- `companion`: how server and watcher run beside the demo.
- `wer`, `summary`: how well it went.
"""
