"""The tree of sizes in one of its three forms, with what is said of it beside.

Pushes one state into all parts; what isn't to be seen gets nothing, so that it doesn't work.
"""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Offset

from pulsetui.tui.renderables.place import Spot
from pulsetui.tui.storage_look import StorageLook
from pulsetui.tui.storage_place import StoragePlace
from pulsetui.tui.widgets.category_chart import CategoryChart
from pulsetui.tui.widgets.children_list import ChildrenList
from pulsetui.tui.widgets.storage_summary import StorageSummary
from pulsetui.tui.widgets.sunburst import Sunburst
from pulsetui.tui.widgets.tree_table import TreeTable
from pulsetui.tui.widgets.treemap import Treemap

Picture = Treemap | Sunburst | TreeTable


class StorageBody(Horizontal):
    """Shows treemap, sunburst or tree table, and the side panel where there is room or it is asked for."""

    DEFAULT_CSS = """
    StorageBody { height: 1fr; }
    StorageBody > #aside { width: 34; }
    StorageBody > #aside > StorageSummary { height: auto; }
    StorageBody > #aside > CategoryChart { height: auto; }
    StorageBody > #aside > ChildrenList { height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the three forms and the side panel."""
        yield Treemap(id="treemap")
        yield Sunburst(id="sunburst")
        yield TreeTable(id="tree")
        with Vertical(id="aside"):
            yield StorageSummary()
            yield CategoryChart()
            yield ChildrenList()

    def picture(self, look: StorageLook) -> Picture:
        """Return the form on display."""
        found = self.get_child_by_id(look.form)
        assert isinstance(found, Treemap | Sunburst | TreeTable)
        return found

    @property
    def treemap(self) -> Treemap:
        """The treemap, on display or not."""
        return self.query_one(Treemap)

    def show(self, place: StoragePlace, look: StorageLook, now: datetime, failure: str) -> None:
        """Push the newest values into what is to be seen."""
        picture = self.picture(look)
        for form in (self.treemap, self.query_one(Sunburst), self.query_one(TreeTable)):
            form.display = form is picture
        self._show_form(picture, place, look, now, failure)
        if not self.get_child_by_id("aside").display:
            return
        summary, chart, children = (
            self.query_one(StorageSummary),
            self.query_one(CategoryChart),
            self.query_one(ChildrenList),
        )
        summary.growth_s, summary.now, summary.failure = look.colouring.growth_s, now, failure
        for panel in (summary, chart, children):
            panel.selected, panel.view = place.selected, place.view
        for part in (chart, children):
            part.hidden, part.apparent = look.hidden, look.apparent

    def tell_time(self, now: datetime, look: StorageLook) -> None:
        """Let the ages grow in what is to be seen."""
        picture = self.picture(look)
        if not isinstance(picture, TreeTable):
            picture.now = _to_the_minute(now)
        if self.get_child_by_id("aside").display:
            self.query_one(StorageSummary).now = now

    def _show_form(self, form: Picture, place: StoragePlace, look: StorageLook, now: datetime, failure: str) -> None:
        form.failure = failure
        if isinstance(form, TreeTable):
            form.branches = place.branches
        else:
            form.mode, form.growth_s = look.colouring.mode, look.colouring.growth_s
            form.now = _to_the_minute(now)
        if isinstance(form, Treemap):
            form.marked = look.marked
        form.hidden, form.apparent = look.hidden, look.apparent
        form.selected, form.view = place.selected, place.view

    def picked(self, place: StoragePlace, look: StorageLook) -> str | None:
        """Return the key of what is under the cursor: the selected node, or what that shows in."""
        form = self.picture(look)
        return (None if isinstance(form, TreeTable) else form.shown_key) or place.selected

    def spot(self, key: str | None, place: StoragePlace, look: StorageLook) -> Spot | None:
        """Return what is said of a node of the tree, or of a tile that stands for many."""
        found, view, form = place.find(key), place.view, self.picture(look)
        if found is not None and view is not None:
            as_of = view.history_at or view.snapshot_at
            return Spot(*found, view.whole, look.colouring.growth_s, as_of, look.apparent)
        return form.spot(key) if key is not None and not isinstance(form, TreeTable) else None

    def middle_of(self, key: str, look: StorageLook) -> Offset:
        """Return the cell of the screen to speak of a node at."""
        form = self.picture(look)
        if isinstance(form, TreeTable):
            return form.content_region.offset + Offset(4, form.cursor - form.scroll_offset.y + 1)
        return form.middle_of(key)


def _to_the_minute(now: datetime) -> datetime:
    """Return the time for pictures: colours by age move by the minute at most, and each move is a picture to draw."""
    return now.replace(second=0, microsecond=0)
