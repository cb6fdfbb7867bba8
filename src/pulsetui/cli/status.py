"""`pulsetui status`: owner, gate, usage, work, rates; `pause` and `resume` beside it."""

from __future__ import annotations

from typing import Any

from pulsetui.actions.client import ask_live
from pulsetui.cli.context import Context
from pulsetui.cli.output import print_json, print_line
from pulsetui.core.status import resting_status, status_json
from pulsetui.db.database import DATABASE_NAME
from pulsetui.errors import NotFoundError
from pulsetui.pipeline.actions import PausePipeline, ResumePipeline
from pulsetui.units import format_duration, format_rate, format_size


def add_parser(commands: Any) -> None:
    """Add the commands to the parser."""
    for name, run, text in (
        ("status", status, "owner, gate, usage, workers, rates, ETA"),
        ("pause", pause, "start no more downloads (running ones finish)"),
        ("resume", resume, "let downloads start again"),
    ):
        parser = commands.add_parser(name, help=text)
        parser.add_argument("--json", action="store_true")
        parser.set_defaults(run=run)


async def status(context: Context) -> int:
    """Print the state of the pipeline."""
    figures = await ask_live(context.data_dir)
    if figures is None:
        if not (context.data_dir / DATABASE_NAME).exists():
            raise NotFoundError(f"there is no pulsetui data in {context.data_dir}", hint="`pulsetui add URL` makes it")
        figures = status_json(await resting_status(context.loaded))
    if context.as_json:
        print_json(figures)
    else:
        for label, text in _lines(figures):
            print_line(f"{label:<12} {text}")
    return 0


def _lines(figures: dict[str, Any]) -> list[tuple[str, str]]:
    owner, gate, rates = figures["owner"], figures["gate"], figures["rates"]
    lines = [("data", figures["data_dir"])]
    if owner is None:
        lines.append(("owner", "none: nothing runs"))
    else:
        lines.append(("owner", f"{owner['front_end']} of {owner['user']}, pid {owner['pid']} on {owner['host']}"))
    state = "open" if gate["open"] else "PAUSED"
    lines.append(("gate", f"{state}: {'paused by the operator' if gate['operator_paused'] else gate['reason']}"))
    committed = f"{format_size(gate['committed_bytes'])} of {format_size(gate['hard_limit_bytes'])}"
    on_disk, in_flight = format_size(gate["usage_bytes"]), format_size(gate["reserved_bytes"])
    lines.append(("committed", f"{committed}: {on_disk} on disk, {in_flight} in flight"))
    lines += [(f"  {kind}", format_size(size)) for kind, size in figures["usage"].items() if size]
    lines += [
        ("disk", f"{disk['path']}: {format_size(disk['free_bytes'])} free of {format_size(disk['total_bytes'])}")
        for disk in figures["disks"]
    ]
    lines.append(
        ("jobs", ", ".join(f"{count} {stage}" for stage, count in figures["stages"].items() if count) or "none")
    )
    for task in figures["workers"]["running"]:
        share = f"{task['done'] / task['total']:.0%}" if task["total"] else "?"
        lines.append((task["worker"], f"{task['phase']} {share} {task['name']}"))
    lines.append(("in", format_rate(rates["bytes_in_per_s"])))
    lines.append(("transcribed", f"{rates['transcriptions_per_hour']:.1f} an hour"))
    if figures["eta_s"]:
        lines.append(("ready in", format_duration(figures["eta_s"])))
    pauses = figures["pauses"]
    lines.append(("pauses", f"{pauses['count']}, {format_duration(pauses['total_s'])} in all"))
    recovery = figures["recovery"] or {}
    lines += [("attention", text) for text in recovery.get("needs_attention", ())]
    if recovery.get("orphans"):
        lines.append(("orphans", f"{recovery['orphans']} files of no job, {format_size(recovery['orphan_bytes'])}"))
    return lines


async def pause(context: Context) -> int:
    """Start no more downloads."""
    return _told(context, await context.order(PausePipeline()))


async def resume(context: Context) -> int:
    """Let downloads start again."""
    return _told(context, await context.order(ResumePipeline()))


def _told(context: Context, outcome: dict[str, Any]) -> int:
    if context.as_json:
        print_json(outcome)
    else:
        state = "paused; running work goes on" if outcome["paused"] else "running"
        print_line(f"downloads are {state}{'' if outcome['changed'] else ' (as before)'}")
    return 0
