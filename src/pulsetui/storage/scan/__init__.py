"""The scanner: what lies in the folders of a root, listed by worker processes or known to be as it was.

- `records`: what is known of one folder.
- `scanner`: brings the records of one root up to date.
- `place`: that root on disk; `bounds` and `mounts`: what below it isn't its own.
- `unchanged`: looks at known folders without listing them; `merging` puts old and new together.
- `crew`: the walkers, on the owner's side; `work` is who lists what, `collecting` makes records of what they report.
- `walker`: one walker's process, with `opening`, `names`, `listing` (counts the files of a folder) and `reporting`.
"""
