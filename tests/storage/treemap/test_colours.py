from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from pulsetui.storage.treemap.colours import (
    NEUTRAL,
    OTHERS_STEP,
    SIXTEEN,
    UNKNOWN,
    Mode,
    contrast,
    palette,
)
from pulsetui.storage.treemap.layout import TreemapLayout
from pulsetui.storage.treemap.scales import HEAT
from pulsetui.storage.views import CATEGORIES, StorageNode
from tests.storage.treemap.trees import NOW, folder, node

LEAST_CONTRAST = 4.5


def steps(mode: Mode, *children: StorageNode) -> dict[str, int]:
    layout = TreemapLayout().lay_out(node("root", 0, children), 120, 40)
    return dict(zip((tile.key for tile in layout.tiles), palette(mode, now=NOW).steps_of(layout.tiles), strict=True))


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("mode", Mode)
def test_text_on_every_step_can_be_read(mode: Mode) -> None:
    scale = palette(mode, now=NOW)
    for step in (*range(len(scale.steps)), OTHERS_STEP):
        for shade in (0, 1):
            look = scale.look(step, shade)
            assert contrast(look.foreground, look.background) >= LEAST_CONTRAST
            assert 1.4 < contrast(look.rule, look.background) < contrast(look.foreground, look.background)
            assert contrast(SIXTEEN[look.named_foreground], SIXTEEN[look.named_background]) >= LEAST_CONTRAST


@pytest.mark.parametrize("mode", Mode)
def test_steps_can_be_told_apart_without_colours(mode: Mode) -> None:
    textures = [step.texture for step in palette(mode, now=NOW).steps]
    assert len(set(textures)) == len(textures)
    assert all(texture.isascii() and len(texture) == 1 for texture in textures)


def test_the_heat_scale_rises_in_lightness_in_any_number_of_colours() -> None:
    for one, other in pairwise(HEAT):
        assert contrast(other[1], "#000000") > 1.15 * contrast(one[1], "#000000")
        assert contrast(SIXTEEN[other[2]], "#000000") >= contrast(SIXTEEN[one[2]], "#000000")


@pytest.mark.parametrize("mode", Mode)
def test_the_legend_names_every_step(mode: Mode) -> None:
    scale = palette(mode, now=NOW)
    assert [entry.step for entry in scale.legend()] == list(range(len(scale.steps)))
    assert len({entry.label for entry in scale.legend()}) == len(scale.steps) <= OTHERS_STEP < NEUTRAL


def test_each_step_of_size_is_half_the_one_above() -> None:
    found = steps(Mode.SIZE, *(node(str(size), size) for size in (1000, 501, 500, 499, 250, 126)))
    assert found == {"1000": 7, "501": 7, "500": 6, "499": 6, "250": 5, "126": 5}


def test_others_have_no_colour_of_their_own() -> None:
    layout = TreemapLayout().lay_out(folder([9000, *[1] * 300]), 80, 24)
    assert palette(Mode.AGE, now=NOW).steps_of(layout.tiles)[-1] == OTHERS_STEP


def test_a_tile_has_the_colour_of_the_category_that_fills_it() -> None:
    found = steps(Mode.CATEGORY, *(node(name, 10, category=index) for index, name in enumerate(CATEGORIES)))
    assert found == {name: index for index, name in enumerate(CATEGORIES)}


def test_age_counts_from_now() -> None:
    ages = {"fresh": 0.5, "today": 5, "week": 100, "month": 500, "quarter": 1500, "year": 5000, "older": 20_000}
    found = steps(Mode.AGE, *(node(name, 10, newest_at=NOW - timedelta(hours=hours)) for name, hours in ages.items()))
    labels = [step.label for step in palette(Mode.AGE, now=NOW).steps]
    assert {name: labels[step] for name, step in found.items()} == {
        "fresh": "< 1 h", "today": "< 1 d", "week": "< 7 d", "month": "< 30 d", "quarter": "< 90 d", "year": "< 1 y",
        "older": "older",
    }  # fmt: skip


def test_growth_is_told_from_shrinking_and_staying() -> None:
    changes = {"gone": -300, "less": -1, "same": 0, "little": 1, "some": 20, "much": 200, "new": 900}
    found = steps(Mode.GROWTH, *(node(name, 1000, growth=change) for name, change in changes.items()))
    assert [found[name] for name in changes] == list(range(7))


def test_the_reclaimable_share_has_steps() -> None:
    shares = {"none": 0, "little": 3, "some": 20, "half": 50, "much": 60, "all": 100}
    found = steps(Mode.RECLAIMABLE, *(node(name, 100, candidates=share) for name, share in shares.items()))
    assert [found[name] for name in shares] == list(range(6))


@pytest.mark.parametrize("mode", [Mode.AGE, Mode.GROWTH])
def test_what_is_not_known_is_said_so(mode: Mode) -> None:
    (step,) = steps(mode, node("a", 10)).values()
    assert palette(mode, now=NOW).steps[step].label == UNKNOWN
