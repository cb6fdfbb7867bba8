from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from textual.pilot import Pilot

from pulsetui.errors import DatabaseError
from pulsetui.storage.views import RefreshView
from pulsetui.tui.screens.storage import StorageScreen
from pulsetui.tui.source import QuitChoice
from pulsetui.tui.storage_look import COLOURINGS
from pulsetui.tui.widgets.category_chart import CategoryChart
from pulsetui.tui.widgets.sunburst import Sunburst
from pulsetui.tui.widgets.tree_table import TreeTable
from pulsetui.tui.widgets.treemap import Treemap
from tests.tui.fakes import HOSTILE, NOW, FakeSource, FixedClock
from tests.tui.looking import gone, opened, press, seen, text_of, until
from tests.tui.storage_fakes import EMPTY_LIBRARY, LIBRARY, TIMES, FakeStorage, changed, scaled


@asynccontextmanager
async def storage(
    source: FakeSource | None = None, size: tuple[int, int] = (120, 40), *, shows: str = "1.58 TB · 43 %"
) -> AsyncIterator[Pilot[QuitChoice]]:
    async with opened(source, size) as pilot:
        await press(pilot, "2")
        await seen(pilot, shows)
        yield pilot


def screen_of(pilot: Pilot[QuitChoice]) -> StorageScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, StorageScreen)
    return screen


def crumbs(pilot: Pilot[QuitChoice]) -> str:
    return text_of(pilot).splitlines()[1]


async def test_enter_opens_tiles_down_to_the_files_and_backspace_leads_back() -> None:
    source = FakeSource()
    async with storage(source) as pilot:
        await press(pilot, "enter")
        await until(pilot, lambda: "Storage ▸ Harbor " in crumbs(pilot))
        await press(pilot, "enter")
        await until(pilot, lambda: "Storage ▸ Harbor ▸ Cast " in crumbs(pilot))
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: "▸ Scene 6 ▸ Part 2 " in crumbs(pilot))
        await seen(pilot, "Part 2.mp4")
        await seen(pilot, "/mnt/hdd/videos/Harbor/Cast/Scene 6/Part 2/Part 2.mp4")
        await press(pilot, "backspace", "u")
        await until(pilot, lambda: "Storage ▸ Harbor ▸ Cast " in crumbs(pilot))
        assert screen_of(pilot).place.selected is not None
        assert screen_of(pilot).place.node.name == "Scene 6"  # type: ignore[union-attr]
        await press(pilot, "home")
        await until(pilot, lambda: "Harbor" not in crumbs(pilot))

    assert any(key is not None and key.startswith("segment:") for key, *_ in source.storage_fake.asked)


async def test_a_breadcrumb_can_be_clicked() -> None:
    async with storage() as pilot:
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: "Harbor ▸ Cast " in crumbs(pilot))
        await pilot.click(offset=(crumbs(pilot).index("Harbor") + 1, 1))
        await until(pilot, lambda: "Cast" not in crumbs(pilot))
        await pilot.click(offset=(crumbs(pilot).index("Storage") + 1, 1))
        await until(pilot, lambda: "Harbor" not in crumbs(pilot))


async def test_the_lines_below_say_what_is_under_the_cursor() -> None:
    async with storage() as pilot:
        await press(pilot, "enter")
        await seen(pilot, "68 % of Harbor · 30 % of all")
        shown = text_of(pilot).splitlines()

    assert "Harbor / Cast" in shown[-4]
    for figure in ("212 files", "video 90 %", "apparent 1.09 TB", "+ 17.2 GB in 1h", "reclaimable 112 GB"):
        assert figure in shown[-3]


async def test_finding_a_name_goes_where_it_is() -> None:
    source = FakeSource()
    async with storage(source) as pilot:
        await press(pilot, "slash", *"ener")
        await seen(pilot, "Nothing has such a name.")
        await press(pilot, *["backspace"] * 4, *"part 12")
        await seen(pilot, "Harbor / Cast / Scene")
        await press(pilot, "down", "up", "enter")
        await until(pilot, lambda: "▸ Scene" in crumbs(pilot))
        assert screen_of(pilot).place.node.name.startswith("Part 12")  # type: ignore[union-attr]


async def test_the_selection_and_the_place_survive_refreshes_and_leaving_the_screen() -> None:
    source = FakeSource()
    async with storage(source) as pilot:
        await press(pilot, "enter")
        await until(pilot, lambda: "▸ Harbor" in crumbs(pilot))
        await press(pilot, "j")
        held = screen_of(pilot).place.selected
        source.storage_fake.library = changed(LIBRARY, lambda node: scaled(node, 1.5))
        source.changed()
        await seen(pilot, "2.38 TB")
        await press(pilot, "1")
        await seen(pilot, "Active tasks")
        await press(pilot, "2")
        await until(pilot, lambda: "▸ Harbor" in crumbs(pilot))

        assert screen_of(pilot).place.selected == held


async def test_what_is_open_and_goes_away_leads_up() -> None:
    source = FakeSource()
    async with storage(source) as pilot:
        await press(pilot, "enter")
        await until(pilot, lambda: "▸ Harbor" in crumbs(pilot))
        kept = tuple(child for child in LIBRARY.children if child.name != "Harbor")
        source.storage_fake.library = replace(LIBRARY, children=kept)
        source.changed()
        await until(pilot, lambda: "▸ Harbor" not in crumbs(pilot))


async def test_the_menu_copies_the_path_marks_and_opens_the_jobs() -> None:
    async with storage() as pilot:
        await press(pilot, "slash", *"part 10.mp4", "enter")
        await until(pilot, lambda: "▸ Part 10" in crumbs(pilot))
        await press(pilot, "enter")
        await seen(pilot, "copy path")
        assert "clean" not in text_of(pilot)
        await press(pilot, "j", "enter")
        await seen(pilot, "The path is in the clipboard.")
        assert pilot.app.clipboard.startswith("'/mnt/hdd/videos/Winter lights/")
        await press(pilot, "m")
        await seen(pilot, "open the jobs")
        await press(pilot, "space")
        assert len(screen_of(pilot).look.marked) == 1
        await press(pilot, "m", "enter")
        await seen(pilot, "“Part 10”")


async def test_the_menu_opens_at_the_mouse_and_leads_to_the_details() -> None:
    async with storage() as pilot:
        await pilot.click(Treemap, offset=(5, 5), button=3)
        await seen(pilot, "open the jobs")
        await press(pilot, "d")
        await seen(pilot, "History")
        await press(pilot, "escape")
        await seen(pilot, "r refresh")


async def test_the_mouse_over_a_tile_says_all_of_it() -> None:
    async with storage() as pilot:
        await pilot.hover(Treemap, offset=(5, 5))
        await until(pilot, lambda: pilot.app.screen.query_one(Treemap).tooltip is not None)
        said = str(pilot.app.screen.query_one(Treemap).tooltip)

    for part in ("Cast", "Harbor / Cast", "68 % of Harbor", "212 files", "candidates 45.1 GB", "as of 4m ago"):
        assert part in said


async def test_v_changes_the_form_and_keeps_the_selection() -> None:
    async with storage() as pilot:
        await press(pilot, "l")
        held = screen_of(pilot).place.selected
        for kind in (Sunburst, TreeTable, Treemap):
            await press(pilot, "v")
            await until(pilot, lambda kind=kind: isinstance(pilot.app.focused, kind))  # type: ignore[misc]
            assert screen_of(pilot).place.selected == held


async def test_rows_of_the_tree_table_open_with_what_is_read_for_them() -> None:
    source = FakeSource()
    async with storage(source) as pilot:
        await press(pilot, "v", "v")
        await until(pilot, lambda: isinstance(pilot.app.focused, TreeTable))
        await press(pilot, *["l", "j"] * 4)
        await until(pilot, lambda: bool(screen_of(pilot).place.branches))
        await seen(pilot, ".mp4")


async def test_categories_that_are_left_out_leave_the_picture() -> None:
    async with storage() as pilot:
        await press(pilot, "t")
        await until(pilot, lambda: isinstance(pilot.app.focused, CategoryChart))
        await press(pilot, "space")
        await seen(pilot, "t types (1 off)")
        await gone(pilot, "Harbor · 1.58 TB")
        await press(pilot, "0", "t")
        await seen(pilot, "Harbor · 1.58 TB")
        assert isinstance(pilot.app.focused, Treemap)


async def test_on_a_narrow_screen_the_types_come_beside_the_map_and_leave_again() -> None:
    async with storage(size=(80, 24)) as pilot:
        assert "Types" not in text_of(pilot)
        await press(pilot, "t")
        await seen(pilot, "Types")
        await until(pilot, lambda: isinstance(pilot.app.focused, CategoryChart))
        await press(pilot, "escape")
        await gone(pilot, "Types")


async def test_colours_and_sizes_step_through_what_they_mean() -> None:
    source = FakeSource()
    async with storage(source) as pilot:
        for colouring in (*COLOURINGS[1:], COLOURINGS[0]):
            await press(pilot, "o")
            await seen(pilot, f"by {colouring.label}")
        await press(pilot, "a", "equals_sign")
        await seen(pilot, "a apparent")

    assert {growth_s for _, _, growth_s, _ in source.storage_fake.asked} == {3_600.0, 86_400.0, 604_800.0}


async def test_history_goes_back_names_what_happened_and_comes_forth_again() -> None:
    source = FakeSource()
    async with storage(source) as pilot:
        await press(pilot, "left_square_bracket", "left_square_bracket")
        await seen(pilot, "as it was 2h ago")
        await seen(pilot, "Part 12 downloaded")
        await seen(pilot, "by change since the time before")
        assert TIMES[-2] in {at for *_, at in source.storage_fake.asked}
        await press(pilot, "right_square_bracket")
        await seen(pilot, "as it was 1h ago")
        await press(pilot, "escape")
        await seen(pilot, "as of 4m ago")
        await seen(pilot, "by size")


async def test_r_orders_a_refresh_and_its_progress_shows() -> None:
    source = FakeSource()
    async with storage(source) as pilot:
        source.storage_fake.state = {"refreshing": RefreshView(12_104, 10**12, 940, 3_400.0, 3.5)}
        await press(pilot, "r")
        await seen(pilot, "storage.refresh done")
        await seen(pilot, "12,104 files read, 3,400/s")
        source.storage_fake.state = {"failure": "the disk went away"}
        source.changed()
        await seen(pilot, "✗ refresh failed as of 4m ago")

    assert source.orders == [("storage.refresh", {})]


async def test_before_the_first_refresh_it_says_what_starts_it() -> None:
    source = FakeSource(storage_fake=FakeStorage(EMPTY_LIBRARY, None))
    async with storage(source, shows="r reads all sizes for the first time") as pilot:
        assert "never read" in text_of(pilot)
        source.storage_fake.library, source.storage_fake.at = LIBRARY, NOW
        source.changed()
        await seen(pilot, "1.58 TB · 43 %")


async def test_a_failed_read_keeps_the_map_and_says_so() -> None:
    source = FakeSource()
    async with storage(source) as pilot:
        source.error = DatabaseError("the database is locked")
        await press(pilot, "ctrl+r")
        await seen(pilot, "the database is locked")
        assert "1.58 TB · 43 %" in text_of(pilot)


async def test_sizes_that_are_old_are_marked() -> None:
    source, clock = FakeSource(), FixedClock()
    source.storage_fake.at = NOW - timedelta(hours=3)
    async with opened(source, clock=clock) as pilot:
        await press(pilot, "2")
        await seen(pilot, "as of 3h ago")


async def test_all_ages_grow_with_the_clock_alone() -> None:
    clock = FixedClock()
    source = FakeSource()
    source.storage_fake.at = NOW - timedelta(seconds=200)
    async with opened(source, (200, 50), clock=clock) as pilot:
        await press(pilot, "2")
        await until(pilot, lambda: text_of(pilot).count("as of 3m ago") == 3)
        clock.advance(39)
        screen_of(pilot).tell_time(clock.now())
        await pilot.pause()
        assert text_of(pilot).count("as of 3m ago") == 3
        clock.advance(1)
        screen_of(pilot).tell_time(clock.now())
        await until(pilot, lambda: text_of(pilot).count("as of 4m ago") == 3)


async def test_escape_takes_back_the_marks_and_then_goes_to_pulse() -> None:
    async with storage() as pilot:
        await press(pilot, "space", "escape")
        assert not screen_of(pilot).look.marked
        await press(pilot, "escape")
        await seen(pilot, "Active tasks")


async def test_hostile_names_keep_the_whole_screen_whole() -> None:
    named = changed(LIBRARY, lambda node: replace(node, name=HOSTILE, path=b"/mnt/\xff\x1b[31m\n"))
    library = replace(named, children=tuple(replace(child, name=HOSTILE) for child in named.children))
    source = FakeSource(storage_fake=FakeStorage(library))
    async with storage(source, shows="as of 4m ago") as pilot:
        await seen(pilot, "\\x1b[31mred")
        screens = [text_of(pilot)]
        for keys in (["enter"], ["m"], ["escape", "slash", *"red"], ["escape", "v"], ["v"]):
            await press(pilot, *keys)
            await pilot.pause()
            screens.append(text_of(pilot))
        widths = {strip.cell_length for strip in pilot.app.screen._compositor.render_strips()}

    assert widths == {120}
    assert all(character.isprintable() for shown in screens for row in shown.splitlines() for character in row)


async def test_the_small_map_on_pulse_leads_to_the_storage_screen() -> None:
    async with opened(size=(200, 50)) as pilot:
        await seen(pilot, "3.62 TB · as of 4m ago")
        await pilot.click(Treemap, offset=(10, 10), times=2)
        await until(pilot, lambda: isinstance(pilot.app.screen, StorageScreen))
        await until(pilot, lambda: "Storage ▸ Harbor" in crumbs(pilot))


async def test_sizes_that_cannot_be_read_leave_the_rest_of_pulse_alone() -> None:
    source = FakeSource()
    source.storage_fake.error = DatabaseError("no sizes today")
    async with opened(source, (200, 50)) as pilot:
        await seen(pilot, "✗ no sizes today")
        assert "can't read the pipeline" not in text_of(pilot)


async def test_pulse_reads_no_sizes_where_the_map_has_no_room() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        source.changed()
        await pilot.pause()

    assert "storage" not in source.reads
