"""The question before jobs are cancelled."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from pulsetui.pipeline.views import JobView
from pulsetui.tui.dialogs.base import QuestionDialog
from pulsetui.tui.renderables.jobs import job_name
from pulsetui.tui.renderables.text import count, line, middle_cut, safe

_NAMED = 5
_NAME_CELLS = 64


class CancelDialog(QuestionDialog[bool]):
    """Asks whether to cancel; the safe answer is no."""

    def __init__(self, jobs: Sequence[JobView], number: int) -> None:
        """Take the jobs that are known by name, and how many it is in all."""
        super().__init__(
            f"Cancel {count(number, 'job')}?",
            _body(jobs, number),
            (("Keep", False), (f"Cancel {count(number, 'job')}", True)),
        )


def _body(jobs: Sequence[JobView], number: int) -> Content:
    """Return which jobs, and what can't be undone."""
    named = [
        line((middle_cut(job_name(job), _NAME_CELLS), "bold"), (f"\n{safe(job.stage)}\n", "$quiet"))
        for job in jobs[:_NAMED]
    ]
    more = number - len(named)
    rest = line((f"and {count(more, 'more', 'more')}\n", "$quiet")) if more > 0 else Content("")
    ends = "\nRunning work stops, and its progress is lost. r queues a cancelled job again, from its start."
    return line(*named, rest, (ends, "$quiet"))
