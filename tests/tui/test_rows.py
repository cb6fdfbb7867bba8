from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from rich.cells import cell_len

import pulsetui.core.assembly  # noqa: F401 - which knows every room, and so every event
from pulsetui.events.base import registered_events
from pulsetui.pipeline.views import EventView
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.disk import disk_lines
from pulsetui.tui.renderables.events import Folded, event_row, fold, history_row
from pulsetui.tui.renderables.gate import header, notice
from pulsetui.tui.renderables.jobs import columns, head_row, job_row, stage_flow
from pulsetui.tui.renderables.tasks import done_row, queued_row, task_row, task_rows
from tests.tui.fakes import (
    CLOSED,
    DISKS,
    DONE,
    EVENTS,
    GATE,
    GB,
    NOW,
    PULSE,
    QUEUED,
    STAGES,
    TASKS,
    USAGE,
    event,
    job,
)


@pytest.mark.parametrize("width", [44, 54, 76, 96, 150])
def test_every_row_of_every_list_fits_its_width(width: int) -> None:
    rows = [
        *(task_row(task, width) for task in TASKS),
        *(row for task in TASKS for row in task_rows(task, width)),
        *(queued_row(one, width) for one in QUEUED),
        *(done_row(one, NOW, width) for one in DONE),
        *(event_row(row, NOW, width) for row in fold(EVENTS)),
    ]

    assert {row.cell_length for row in rows if row.cell_length > width} == set()


def test_a_running_download_shows_bar_percent_rate_and_time_left() -> None:
    row = task_row(TASKS[0], 76).plain

    assert row.startswith("↓ Harbor / Part 12")
    assert row.endswith("62 %  9.41 MB/s      30s")


def test_a_transcription_shows_its_real_time_factor() -> None:
    assert "rtf 0.48" in task_row(TASKS[5], 76).plain


def test_a_download_of_unknown_length_shows_its_bytes_and_no_percentage() -> None:
    row = task_row(TASKS[3], 76).plain

    assert "240 MB" in row
    assert "%" not in row


def test_the_second_line_of_a_task_drops_words_that_do_not_fit_and_keeps_the_time_left() -> None:
    wide, narrow = task_rows(TASKS[0], 96)[1].plain, task_rows(TASKS[0], 44)[1].plain

    assert "by operator" in wide
    assert "by operator" not in narrow
    assert narrow.endswith("ETA 30s")


def test_repeats_fold_into_one_row_with_their_number() -> None:
    rows = fold(EVENTS)
    folded = next(row for row in rows if row.times > 1)

    assert folded.times == 4
    assert event_row(folded, NOW, 80).plain.endswith(" ×4")
    assert sum(row.times for row in rows) == len(EVENTS)


def test_the_header_names_directory_owner_gate_and_budget_at_every_width() -> None:
    for width in (80, 120, 200):
        shown = "\n".join(row.plain for row in header(PULSE, NOW, "14:02:11", width))
        assert all(row.cell_length <= width for row in header(PULSE, NOW, "14:02:11", width))
        for text in ("/data/pulse", "owner · 3d 4h", "gate OPEN", "committed 221 GB of 250 GB", "14:02:11", "▒"):
            assert text in shown


def test_an_attached_screen_names_the_owner_and_its_silence() -> None:
    later = NOW + timedelta(seconds=90)
    attached = replace(PULSE, attached=True)

    assert "attached to operator@box 4242 · 3d 4h" in header(attached, NOW, "", 120)[0].plain
    assert "attached to operator@box 4242 silent 1m" in header(attached, later, "", 120)[0].plain
    assert "no owner" in header(replace(PULSE, owner=None), NOW, "", 120)[0].plain


def test_the_notice_says_the_worst_first() -> None:
    closed = replace(PULSE, gate=CLOSED)
    stale = notice(closed, "", 95.0, NOW, 120)
    failed = notice(closed, "the database is locked", 95.0, NOW, 120)
    reason = notice(closed, "", None, NOW, 120)

    assert stale is not None
    assert "these figures are 1m old" in stale.plain
    assert failed is not None
    assert "the database is locked  these figures are 1m old  ctrl+r" in failed.plain
    assert reason is not None
    assert "closed 4m: committed 232 GB ≥ 230 GB" in reason.plain
    assert "opens at ≤ 200 GB" in reason.plain
    assert notice(PULSE, "", None, NOW, 120) is None


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_long_reason_is_cut_and_never_what_opens_the_gate(width: int) -> None:
    shown = notice(replace(PULSE, gate=replace(CLOSED, reason="very " * 60)), "", None, NOW, width)

    assert shown is not None
    assert shown.cell_length <= width
    assert shown.plain.endswith("opens at ≤ 200 GB")


def test_an_operators_pause_is_told_apart_from_the_budgets() -> None:
    paused = replace(PULSE, gate=replace(GATE, operator_paused=True))
    shown = notice(paused, "", None, NOW, 120)

    assert "gate PAUSED" in header(paused, NOW, "", 120)[0].plain
    assert shown is not None
    assert "paused by the operator" in shown.plain


def test_the_wide_disk_panel_has_a_line_each_and_the_narrow_one_bytes_by_kind() -> None:
    wide = [row.plain for row in disk_lines(GATE, USAGE, DISKS, 76)]
    narrow = [row.plain for row in disk_lines(GATE, USAGE, DISKS, 26)]

    assert len(wide) == 3
    assert wide[1].startswith("/mnt/hdd")
    assert "warn" in wide[1]
    assert all(cell_len(row) <= 26 for row in narrow)
    assert "full in 3h 10m" in narrow
    assert any(row.startswith("videos") and row.endswith("209 GB") for row in narrow)


def test_the_budgets_marks_stand_on_the_disks_bar_above_what_others_keep_there() -> None:
    disk = replace(DISKS[0], used_bytes=GATE.usage_bytes + 50 * GB)
    bar = disk_lines(GATE, (), (disk,), 80)[1].plain

    assert bar.count("┊") == 2
    assert bar.count("│") == 1


def test_a_budget_too_small_to_see_on_a_disk_leaves_its_marks_out() -> None:
    small = replace(
        GATE, usage_bytes=10**6, committed_bytes=2 * 10**6, resume_bytes=1, pause_bytes=2, hard_limit_bytes=20 * 10**6
    )

    assert "┊" not in disk_lines(small, (), DISKS, 80)[1].plain


def test_a_low_disk_panel_gives_up_empty_kinds_first() -> None:
    kinds = (*USAGE, ("tokens", 0))
    low = [row.plain for row in disk_lines(GATE, kinds, DISKS, 26, height_cells=19)]

    assert not any(row.startswith("tokens") for row in low)
    assert any(row.startswith("database") for row in low)


@pytest.mark.parametrize("width", [60, 76, 89, 90, 116, 130, 196])
def test_table_head_and_rows_share_their_columns(width: int) -> None:
    rows = [
        job_row(job(12, stage, error="went wrong " * 9), NOW, width)
        for stage in ("queued", "downloading", "held", "transcribed")
    ]

    assert {row.cell_length for row in rows} == {head_row(width, "queue").cell_length}
    assert rows[0].cell_length <= width


def test_the_head_marks_what_the_table_is_sorted_by() -> None:
    assert "size▾" in head_row(116, "size").plain
    assert "stage▾" not in head_row(116, "size").plain


def test_a_narrow_table_keeps_stage_name_progress_and_size() -> None:
    row = job_row(job(12, "downloading"), NOW, 76).plain

    assert columns(76).note == 0
    for text in ("downloading", "Harbor / Part 12", "63 %", "492 MB"):
        assert text in row


def test_a_name_gets_what_the_longest_takes_and_the_note_the_rest() -> None:
    short, long = columns(116, 22), columns(116, 90)

    assert (short.name, long.note) == (24, 18)
    assert short.name + short.note == long.name + long.note == columns(116).name + columns(116).note
    held = job(12, "held", error="4m 10s of speech without text at 12:40")
    assert "4m 10s of speech without text" in job_row(held, NOW, 116, name_cells=22).plain


def test_the_note_says_when_a_job_is_tried_again() -> None:
    waiting = job(12, "queued", next_attempt_at=NOW + timedelta(seconds=131), error="http 503")

    assert "next try in 2m: http 503" in job_row(waiting, NOW, 150).plain


def test_the_flow_shows_all_stages_at_every_width() -> None:
    for width in (80, 120, 200):
        rows = stage_flow(STAGES, None, width)
        shown = " ".join(row.plain for row in rows)
        assert all(row.cell_length <= width for row in rows)
        for name, number in STAGES:
            assert f"{name} {number:,}" in shown


def test_exact_times_follow_the_zone() -> None:
    from pulsetui.tui.renderables.events import event_foot

    assert event_foot(EVENTS[0], UTC, 80).startswith("2026-11-20 14:01:59 · job.transcribed · Harbor · job 1011")


def queued(number: int, seconds: float) -> EventView:
    return event(9_999 - number, seconds, "job", "info", "job.queued", f"Harbor / Part {number} queued", None, number)


def test_a_burst_of_jobs_folds_into_one_row_that_counts_them() -> None:
    rows = fold([*(queued(number, 10 + number) for number in range(40)), queued(90, 600)])

    assert [row.jobs for row in rows] == [40, 1]
    assert event_row(rows[0], NOW, 60).plain.rstrip().endswith("+ Harbor / Part 0 and 39 more queued")


def test_the_same_trouble_of_one_job_folds_whatever_its_figures() -> None:
    tries = [
        event(number, 60 * number, "job", "warning", "job.attempt_failed", f"Part 1: 503, try {number}", None, 7)
        for number in range(3)
    ]

    (row,) = fold(tries)
    assert event_row(row, NOW, 60).plain.endswith("×3")
    assert len(fold([tries[0], replace(tries[1], job_id=8)])) == 2


@pytest.mark.parametrize("width", [64, 78, 100])
def test_a_long_name_gives_way_to_the_figures(width: int) -> None:
    name = "Evening Stories / Reader / Paper and Machine Parts, the whole and unabridged first season"
    view = replace(EVENTS[0], name=name, text=f"{name} transcribed in 10s, 99% of speech covered")

    row = event_row(Folded(view), NOW, width).plain
    assert row.startswith(" 12s  ✓ Evening")
    assert "10s" in row
    assert row.rstrip().endswith("covered")


def test_the_source_gives_way_to_the_name_of_what_is_queued() -> None:
    name = "Evening Stories / Reader / Paper and Machine Parts"
    view = replace(queued(1, 3), name=name, text=f"{name} queued from https://media.example/episodes/17.mp4")

    assert f"{name} queued from https://m" in event_row(Folded(view), NOW, 84).plain
    assert event_row(Folded(view), NOW, 50).plain.rstrip().endswith("queued")


def test_every_kind_of_event_has_its_look() -> None:
    ours = {kind for kind, event in registered_events().items() if event.__module__.startswith("pulsetui.")}
    assert set(states.EVENTS) == ours


def test_a_kind_of_another_version_looks_as_severe_as_it_is() -> None:
    strange = replace(EVENTS[0], kind="job.from_the_future", severity="error")

    assert states.event(strange) == ("✗", "$bad")
    assert states.event(replace(strange, severity="info")) == ("·", "$quiet")


def test_a_history_does_not_repeat_the_name_of_its_job() -> None:
    assert history_row(EVENTS[0], UTC, 60).plain.rstrip().endswith("✓ transcribed, 487 MB freed")
