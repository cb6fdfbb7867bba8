"""Heavy and untrusted work, each job in a process of its own.

- `runner`: starts the process of a job, sends it its order, hands on its events and its answer.
- `session`: the same for a task that is told more while it runs.
- `pipes`: starts a process, and carries the lines to it and back.
- `ending`: brings such a process to its end, and says how it ended.
- `child`: what runs in that process.
- `task`: what a task is, and how it says that it failed.

The invariant: a job's process never outlives the call that started it, nor this program; and whatever kills it fails
that job alone. What the tasks do is left to those who write them; they get plain values and never the database.
"""
