"""Word error rate: how far a transcript is from what was said.

The rate is the least number of words to put in, take out or exchange, divided by the words of the reference (the usual
definition, as in NIST's sclite). Words are compared without case, punctuation and apostrophes; numbers are not spelled
out, so references should have no digits.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from rapidfuzz.distance import Levenshtein

_APOSTROPHES = str.maketrans("", "", "'’ʼ")


def words(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    return "".join(letter if letter.isalnum() else " " for letter in folded).split()


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Return the word errors per word of the reference: 0 is perfect, and more than 1 is possible.

    Of an empty reference it is 0 if the hypothesis is empty too, else 1.
    """
    return overall_word_error_rate([(reference, hypothesis)])


def overall_word_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Return the rate over several (reference, hypothesis) pairs: all errors by all words, so long texts weigh more."""
    errors = said = 0
    for reference, hypothesis in pairs:
        expected = words(reference)
        errors += Levenshtein.distance(expected, words(hypothesis))
        said += len(expected)
    return errors / said if said else float(errors > 0)
