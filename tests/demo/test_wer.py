from __future__ import annotations

import pytest

from pulsetui.demo.wer import overall_word_error_rate, word_error_rate, words


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("the train was late", "the train was late", 0.0),
        ("The train, was LATE!", "the train was late", 0.0),
        ("they don't know", "they dont know", 0.0),
        ("they don’t know", "they don't know", 0.0),
        ("the train was late", "the train late", 0.25),
        ("the train was late", "the rain was late", 0.25),
        ("the train was late", "so the train was late", 0.25),
        ("late", "the train was late again", 4.0),
        ("the train", "", 1.0),
        ("", "", 0.0),
        ("", "noise", 1.0),
    ],
)
def test_the_rate_is_the_least_number_of_word_changes_per_word_said(
    reference: str, hypothesis: str, rate: float
) -> None:
    assert word_error_rate(reference, hypothesis) == pytest.approx(rate)


def test_over_several_texts_long_ones_weigh_more() -> None:
    pairs = [
        ("one two three four five six seven eight nine", "one two three four five six seven eight nine"),
        ("a", "b"),
    ]

    assert overall_word_error_rate(pairs) == pytest.approx(0.1)


def test_no_texts_are_no_errors() -> None:
    assert overall_word_error_rate([]) == 0


def test_dashes_and_line_ends_part_words() -> None:
    assert words("well—known\nwell-known") == ["well", "known", "well", "known"]
