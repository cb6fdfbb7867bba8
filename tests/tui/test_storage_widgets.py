from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.storage.treemap.colours import Mode, palette
from pulsetui.storage.views import CATEGORIES, HistoryPoint, RefreshView
from pulsetui.tui.renderables.category_chart import Part, exact_lines, part_row, pie, stacked_bar
from pulsetui.tui.renderables.paint import Paint
from pulsetui.tui.renderables.sparkline import columns, sparkline
from pulsetui.tui.renderables.storage import Measure, percent, signed
from pulsetui.tui.renderables.storage_rows import Course, growth_figures, history_lines, next_time
from pulsetui.tui.widgets.category_chart import CategoryChart
from pulsetui.tui.widgets.children_list import ChildrenList
from pulsetui.tui.widgets.history_bar import HistoryBar
from pulsetui.tui.widgets.storage_summary import StorageSummary
from tests.tui.fakes import HOSTILE, NOW
from tests.tui.looking import press, seen, text_of, until
from tests.tui.showing import heard, make_view, shown
from tests.tui.storage_fakes import AT, EMPTY_LIBRARY, LIBRARY, TIMES, FakeStorage, amount, branch, leaf

PAINT = Paint(palette(Mode.CATEGORY, now=NOW))
PLAIN = Paint(palette(Mode.CATEGORY, now=NOW), none=True)
SIZES = st.lists(st.integers(0, 10**13), min_size=1, max_size=8)


def parts_of(sizes: list[int], hidden: tuple[int, ...] = ()) -> list[Part]:
    """Return categories of these sizes."""
    return [Part(at, CATEGORIES[at], size, size % 97, at in hidden) for at, size in enumerate(sizes)]


# The bar and the pie


@settings(max_examples=50, deadline=None)
@given(SIZES, st.integers(1, 120))
def test_the_stacked_bar_is_exactly_as_wide_as_asked(sizes: list[int], width: int) -> None:
    for paint in (PAINT, PLAIN):
        assert stacked_bar(parts_of(sizes, (0,)), width, paint).cell_length == width


def test_the_bar_shares_its_cells_by_size_and_names_what_has_room() -> None:
    bar = stacked_bar(parts_of([600, 300, 100]), 40, PAINT)

    assert bar.plain.index("image") == 24 + 2
    assert bar.plain.startswith(" video ")
    assert "inte" not in bar.plain


def test_what_is_hidden_is_hatched_where_it_lies_and_moves_nothing() -> None:
    shown_bar = stacked_bar(parts_of([500, 500]), 40, PAINT).plain
    bar = stacked_bar(parts_of([500, 500], (0,)), 40, PAINT).plain

    assert bar[:20] == "░" * 20
    assert bar[20:] == shown_bar[20:]


def test_without_colour_bar_and_pie_tell_parts_apart_by_texture() -> None:
    parts = parts_of([500, 500])
    drawn = "".join(line.plain for line in pie(parts, 8, PLAIN))

    assert abs(drawn.count("v") - drawn.count("i")) <= 8
    assert drawn.count("v") > 30
    assert "iiii" in stacked_bar(parts, 40, PLAIN).plain


def test_the_pie_is_round_and_begins_at_the_top() -> None:
    lines = [line.plain for line in pie(parts_of([250, 750]), 10, PLAIN)]

    assert [len(line) for line in lines] == [20] * 10
    assert {line.count(" ") % 2 for line in lines} == {0}
    assert set(lines[2][10:]) <= {"v", " "}
    assert set(lines[2][:10]) <= {"i", " "}
    assert set(lines[7]) <= {"i", " "}


@pytest.mark.parametrize("width", [24, 32, 36, 56])
def test_rows_keep_their_width_and_say_percent_and_files(width: int) -> None:
    part = Part(2, "intermediate", 123_456_789, 1_204, hidden=False)
    row = part_row(part, 1_000_000_000, width, PAINT)

    assert row.cell_length == width
    assert "123 MB" in row.plain
    assert "12 %" in row.plain
    assert ("1,204" in row.plain) == (width >= 36)


def test_exact_figures_are_exact() -> None:
    lines = exact_lines(Part(0, "video", 123_456_789, 1, hidden=False), 1_000_000_000, 40)

    assert [line.plain for line in lines] == ["123,456,789 B", "12.35 % in 1 file"]


def test_what_is_less_than_a_percent_is_not_told_as_nothing() -> None:
    assert (percent(1, 1_000), percent(0, 1_000), percent(1_000, 1_000), percent(5, 0)) == (
        "<1 %",
        "0 %",
        "100 %",
        "0 %",
    )


def test_hidden_categories_leave_a_nodes_size() -> None:
    scene = leaf("scene:1", "Scene", {"video": amount(9_000, 2), "image": amount(500)})

    assert Measure(apparent=True)(scene) == 9_500
    assert Measure(apparent=True, hidden=frozenset({"video"}))(scene) == 500
    assert Measure(hidden=frozenset({"image"})).amount(scene).file_count == 2


def make_chart(**values: object) -> CategoryChart:
    chart = CategoryChart()
    for name, value in {"view": make_view(), **values}.items():
        setattr(chart, name, value)
    return chart


def toggles(told: list[object]) -> list[frozenset[str]]:
    """Return what each message wants hidden."""
    return [one.hidden for one in told if isinstance(one, CategoryChart.Toggled)]


async def test_space_alt_number_and_a_click_toggle_categories() -> None:
    chart = make_chart()
    async with shown(chart, size=(44, 20), kinds=(CategoryChart.Toggled,)) as pilot:
        await seen(pilot, "intermediate")
        await press(pilot, "j", "space", "alt+1")
        row = next(y for y, text in enumerate(text_of(pilot).splitlines()) if "■ audio" in text)
        await pilot.click(offset=(10, row))
        await until(pilot, lambda: len(heard(pilot)) == 3)
        told = toggles(list(heard(pilot)))

    assert told == [frozenset({"image"}), frozenset({"video"}), frozenset({"audio"})]


async def test_toggling_adds_to_what_is_hidden_and_takes_it_back() -> None:
    chart = make_chart(hidden=frozenset({"video"}))
    async with shown(chart, size=(44, 20), kinds=(CategoryChart.Toggled,)) as pilot:
        await seen(pilot, "□ video")
        await press(pilot, "space", "j", "space", "0")
        await until(pilot, lambda: len(heard(pilot)) == 3)
        told = toggles(list(heard(pilot)))

    assert told == [frozenset(), frozenset({"video", "image"}), frozenset()]


async def test_the_focused_row_shows_exact_figures_and_the_others_keep_their_places() -> None:
    chart = make_chart(selected="project:1")
    video = next(node for node in LIBRARY.children if node.key == "project:1").categories[0]
    async with shown(chart, size=(44, 20)) as pilot:
        await seen(pilot, f"{video.allocated_bytes:,} B")
        before = text_of(pilot).splitlines()
        chart.selected = "unassigned:1"
        await seen(pilot, "100.00 % in 31 files")
        after = text_of(pilot).splitlines()

    assert [line[2:16] for line in before[3:10]] == [line[2:16] for line in after[3:10]]


async def test_b_changes_to_the_pie_and_the_rows_stand_beside_it_where_there_is_room() -> None:
    chart = make_chart()
    async with shown(chart, size=(60, 20)) as pilot:
        await seen(pilot, "video")
        await press(pilot, "b")
        await until(pilot, lambda: "■ video" in text_of(pilot).splitlines()[1])
        await pilot.resize_terminal(34, 24)
        await until(pilot, lambda: "■ video" in text_of(pilot).splitlines()[10])


async def test_a_time_without_categories_says_so() -> None:
    bare = leaf("library:1", "Library", {"video": amount(5)}, categories=())
    async with shown(make_chart(view=make_view(tree=bare)), size=(40, 12)) as pilot:
        await seen(pilot, "aren't known of that time")


# The summary


def make_summary(**values: object) -> StorageSummary:
    summary = StorageSummary()
    for name, value in {"view": make_view(), "now": NOW, **values}.items():
        setattr(summary, name, value)
    return summary


async def test_the_summary_says_all_that_there_is_to_say_of_a_node() -> None:
    async with shown(make_summary(selected="character:10"), size=(40, 16)) as pilot:
        await seen(pilot, "Cast")
        text = text_of(pilot)

    for said in ("303 GB in", "files", "apparent", "68 % of Northern, 8 % of all", "reclaimable", "candidates"):
        assert said in text
    for said in ("in 1h", "newest file", "as of 4m ago", "r refresh"):
        assert said in text


async def test_a_running_refresh_shows_progress_and_rate() -> None:
    running = RefreshView(12_204, 98 * 10**9, 402, 4_100.0, 3.2)
    async with shown(make_summary(view=make_view(refreshing=running)), size=(40, 16)) as pilot:
        await seen(pilot, "↻ refreshing")
        await seen(pilot, "12,204 files · 98.0 GB")
        await seen(pilot, "4,100 files/s · 30.6 GB/s")


async def test_a_failed_refresh_says_why_beside_the_age_of_what_is_shown() -> None:
    view = make_view(failure="the root videos is not there")
    async with shown(make_summary(view=view), size=(40, 18)) as pilot:
        await seen(pilot, "✗ the root videos is not there")
        await seen(pilot, "as of 4m ago")


async def test_before_the_first_refresh_it_says_how_to_start_one_and_a_click_does() -> None:
    view = make_view(tree=EMPTY_LIBRARY, snapshot_at=None)
    async with shown(make_summary(view=view), size=(40, 12), kinds=(StorageSummary.RefreshWanted,)) as pilot:
        await seen(pilot, "never read yet")
        row = next(y for y, text in enumerate(text_of(pilot).splitlines()) if "refresh" in text)
        await pilot.click(offset=(30, row))
        await until(pilot, lambda: len(heard(pilot)) == 1)


async def test_old_figures_and_unread_parts_are_told() -> None:
    later = NOW + timedelta(hours=3)
    async with shown(make_summary(now=later, selected="unassigned:1"), size=(34, 16)) as pilot:
        await seen(pilot, "as of 3h ago")
        await seen(pilot, "! 2 folders unread")


@pytest.mark.parametrize("width", [28, 60])
async def test_hostile_names_stay_text_beside_the_map(width: int) -> None:
    parts = [leaf("project:0", HOSTILE, {"video": amount(10**9)}, error=HOSTILE)]
    tree = branch("library:1", HOSTILE, parts)
    view = make_view(tree=tree)
    children = ChildrenList()
    children.view, children.now = view, NOW
    summary = make_summary(view=view, selected="project:0")
    summary.styles.height = 14
    async with shown(summary, children, size=(width, 24)) as pilot:
        await seen(pilot, "\\x1b")
        strips = pilot.app.screen._compositor.render_strips()

    assert {strip.cell_length for strip in strips} == {width}
    assert all(character.isprintable() for strip in strips for character in strip.text)


# The children


def make_children(**values: object) -> ChildrenList:
    children = ChildrenList()
    for name, value in {"view": make_view(), "selected": "project:1", **values}.items():
        setattr(children, name, value)
    return children


async def test_children_stand_by_size_and_enter_asks_for_one() -> None:
    async with shown(make_children(), size=(50, 10), kinds=(ChildrenList.EntityWanted,)) as pilot:
        await seen(pilot, "Narration")
        names = [text.split()[0] for text in (line.strip("│▸ ") for line in text_of(pilot).splitlines()[1:4])]
        await press(pilot, "j", "enter")
        await until(pilot, lambda: len(heard(pilot)) == 1)
        told = heard(pilot)[0]

    assert names == ["Cast", "Crew", "Narration"]
    assert isinstance(told, ChildrenList.EntityWanted)
    assert told.key == "character:11"


async def test_another_nodes_children_start_at_the_top_and_a_refresh_keeps_the_cursor() -> None:
    children = make_children()
    async with shown(children, size=(50, 10)) as pilot:
        await press(pilot, "j", "j")
        assert children.pointed is not None
        assert children.pointed.name == "Narration"
        children.view = make_view(tree=branch("library:1", "Library", LIBRARY.children))
        await pilot.pause()
        assert children.pointed.name == "Narration"
        children.selected = "project:2"
        await pilot.pause()
        assert children.cursor == 0


async def test_what_has_nothing_in_it_says_so() -> None:
    children = make_children(selected="unassigned:1")
    async with shown(children, size=(50, 8)) as pilot:
        await seen(pilot, "There is nothing in it.")
        children.view = make_view(depth=1)
        children.selected = "project:1"
        await seen(pilot, "comes when it is opened")


# History


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=60), st.integers(1, 6))
def test_a_course_rises_where_its_values_rise(values: list[int], rows: int) -> None:
    lines = sparkline(values, rows)
    heights = [sum(_dots(line[at // 2], at % 2) for line in lines) for at in range(len(values))]

    assert {len(line) for line in lines} == {(len(values) + 1) // 2}
    assert all(1 <= height <= rows * 4 for height in heights)
    for (one, low), (other, high) in zip(
        sorted(zip(values, heights, strict=True)), sorted(zip(values, heights, strict=True))[1:], strict=False
    ):
        assert low <= high or one == other


def _dots(sign: str, column: int) -> int:
    """Return how many dots a column of a Braille sign has."""
    mask = 0xB8 if column else 0x47
    return ((ord(sign) - 0x2800) & mask).bit_count() if sign != " " else 0


def test_a_pause_in_the_record_keeps_its_length() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    points = [(start, 1), (start + timedelta(hours=1), 2), (start + timedelta(hours=10), 3)]

    assert columns(points, 11) == [1, *[2] * 9, 3]


def test_steps_in_time_go_to_the_ends_and_no_further() -> None:
    assert next_time(TIMES, None, -1) == TIMES[-1]
    assert next_time(TIMES, TIMES[0], -1) == TIMES[0]
    assert next_time(TIMES, TIMES[-1], 1) is None
    assert next_time(TIMES, TIMES[2] + timedelta(seconds=1), -1) == TIMES[2]
    assert next_time((), None, -1) is None


def test_growth_is_reckoned_from_the_last_size_known_before_the_window() -> None:
    points = [
        HistoryPoint(NOW - timedelta(hours=hours), amount(1000 * size)) for hours, size in ((30, 1), (25, 2), (2, 7))
    ]
    said = [figure.plain for figure in growth_figures(points, 10_000, NOW, Measure(apparent=True))]

    assert said == ["1h + 3.00 kB", "24h + 8.00 kB", "7d –"]


@pytest.mark.parametrize("width", [30, 60, 100, 200])
def test_the_line_of_history_is_no_wider_than_its_place(width: int) -> None:
    points = FakeStorage().history("project:4")
    for at in (None, TIMES[0], TIMES[4]):
        course = Course(points, TIMES, at, (HOSTILE, HOSTILE), Measure())
        for rows in (1, 2):
            lines = history_lines(course, NOW, UTC, width, rows)
            assert all(line.cell_length <= width for line in lines)
            assert all(character.isprintable() for line in lines for character in line.plain)


async def test_history_names_the_time_the_change_since_and_what_happened() -> None:
    storage = FakeStorage()
    bar = HistoryBar(rows=2)
    bar.times, bar.points, bar.now, bar.zone = TIMES, storage.history("project:4"), NOW, UTC
    async with shown(bar, size=(120, 4), kinds=(HistoryBar.Scrubbed,)) as pilot:
        await seen(pilot, "now · 8 earlier times")
        bar.step(-1)
        await until(pilot, lambda: len(heard(pilot)) == 1)
        bar.at, bar.view = TIMES[-1], storage.view(None, 2, 3600.0, TIMES[-1])
        await seen(pilot, "2026-11-20 12:58 · 1h ago · 8 of 8")
        text = text_of(pilot)
        bar.step(1)
        await until(pilot, lambda: len(heard(pilot)) == 2)
        told = [one.at for one in heard(pilot) if isinstance(one, HistoryBar.Scrubbed)]

    now, then = (point.size.allocated_bytes for point in (bar.points[-1], bar.points[-2]))
    assert f"{signed(now - then)} since" in text
    assert "Harbor / Part 12 downloaded" in text
    assert told == [TIMES[-1], None]


async def test_a_click_in_the_course_goes_to_that_time() -> None:
    bar = HistoryBar()
    bar.times, bar.points, bar.now, bar.zone = TIMES, FakeStorage().history("project:4"), NOW, UTC
    async with shown(bar, size=(120, 3), kinds=(HistoryBar.Scrubbed,)) as pilot:
        await seen(pilot, "now")
        await pilot.click(offset=(1, 0))
        await until(pilot, lambda: len(heard(pilot)) == 1)
        told = heard(pilot)[0]

    assert isinstance(told, HistoryBar.Scrubbed)
    assert told.at == TIMES[0]
    assert told.at < AT


async def test_all_panels_are_ascii_on_an_ascii_terminal() -> None:
    bar = HistoryBar()
    bar.times, bar.points, bar.now, bar.zone = TIMES, FakeStorage().history("project:4"), NOW, UTC
    chart, children = make_chart(form="pie"), make_children()
    async with shown(chart, make_summary(), children, bar, size=(60, 50), ascii_only=True) as pilot:
        await seen(pilot, "Narration")
        text = text_of(pilot)
        pie_lines = text.splitlines()
        chart.form = "bar"
        await until(pilot, lambda: text_of(pilot).splitlines()[1:4] != pie_lines[1:4])
        text += text_of(pilot)

    assert text.isascii()
    assert "?" not in text
    assert "_" in text
