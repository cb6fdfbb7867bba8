"""`pulsetui status`: owner, gate, usage, work, rates; `pause` and `resume` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulsetui.cli.context import Context
from pulsetui.cli.output import print_fields, print_json, print_line
from pulsetui.units import format_duration, format_percent, format_rate, format_size


async def status(context: Context) -> int:
    """Print the state of the pipeline."""
    figures = await context.live()
    if figures is None:
        context.find_database()
        from pulsetui.core.status import resting_status, status_json

        figures = status_json(await resting_status(context.loaded))
    if context.as_json:
        print_json(figures)
    else:
        print_fields(_fields(figures))
    return 0


def _fields(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is told, from what matters most."""
    yield "data", figures["data_dir"]
    owner = figures["owner"]
    yield (
        "owner",
        f"{owner['front_end']} of {owner['user']}, pid {owner['pid']} on {owner['host']}"
        if owner
        else "none: nothing runs",
    )
    yield from _budget(figures)
    yield from _work(figures)
    pauses = figures["pauses"]
    longest = f", the longest {format_duration(pauses['longest_s'])}" if pauses["count"] else ""
    yield "pauses", f"{pauses['count']}, {format_duration(pauses['total_s'])} in all{longest}"
    down = [f"{service['name']} ({service['restarts']})" for service in figures["services"] if not service["running"]]
    if down:
        yield "down", f"{', '.join(down)}: restarts in brackets"
    yield from _recovery(figures["recovery"] or {})


def _budget(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    gate = figures["gate"]
    yield "gate", f"{'open' if gate['open'] else 'PAUSED'}: {gate['reason']}"
    committed = f"{format_size(gate['committed_bytes'])} of {format_size(gate['hard_limit_bytes'])}"
    yield "committed", f"{committed}, {format_size(gate['reserved_bytes'])} of it still to come"
    yield "limits", f"pause at {format_size(gate['pause_bytes'])}, resume at {format_size(gate['resume_bytes'])}"
    yield "on disk", f"{format_size(gate['usage_bytes'])}, {figures['percent']:.1f} % of the limit"
    for kind, size in figures["usage"].items():
        if size:
            yield f"  {kind}", format_size(size)
    for disk in figures["disks"]:
        free = f"{format_size(disk['free_bytes'])} free of {format_size(disk['total_bytes'])}"
        yield "disk", f"{free}, {disk['percent']:.0f} % used: {disk['path']}"


def _work(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    counts = ", ".join(f"{count:,} {stage}" for stage, count in figures["stages"].items() if count)
    yield "jobs", counts or "none"
    for task in figures["workers"]["running"]:
        share = format_percent(min(1.0, task["done"] / task["total"])) if task["total"] else "…"
        left = f", {format_duration(task['eta_s'])} left" if task["eta_s"] is not None else ""
        yield task["worker"], f"{task['phase']} {share}{left}: {task['name']}"
    rates = figures["rates"]
    yield "in", format_rate(rates["bytes_in_per_s"])
    yield "transcribed", f"{rates['transcriptions_per_hour']:.1f} an hour"
    if figures["eta_s"]:
        yield "done in", format_duration(figures["eta_s"])


def _recovery(recovery: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for text in recovery.get("needs_attention", ()):
        yield "attention", text
    if recovery.get("orphans"):
        yield "orphans", f"{recovery['orphans']} files of no job, {format_size(recovery['orphan_bytes'])}"


async def pause(context: Context) -> int:
    """Start no more downloads."""
    from pulsetui.pipeline.actions import PausePipeline

    return _told(context, await context.order(PausePipeline()))


async def resume(context: Context) -> int:
    """Let downloads start again."""
    from pulsetui.pipeline.actions import ResumePipeline

    return _told(context, await context.order(ResumePipeline()))


def _told(context: Context, outcome: dict[str, Any]) -> int:
    if context.as_json:
        print_json(outcome)
        return 0
    state = "paused: none starts, running work goes on" if outcome["paused"] else "on: they start when there is room"
    print_line(f"downloads are {state}{'' if outcome['changed'] else ' (as before)'}")
    return 0
