"""Text as the model and the lexicon see it."""

import re
import unicodedata
from typing import Final

_SPACE: Final = re.compile(r"\s+")
_DIGITS: Final = re.compile(r"\d+")
_LONGEST: Final = 500
_WIDEST: Final = 3


def normalised(text: str) -> str:
    """One width, one case, no spaces; of a long text the beginning."""
    folded = unicodedata.normalize("NFKC", text[: _LONGEST * 2]).casefold()
    return _SPACE.sub("", folded)[:_LONGEST]


def grams(text: str) -> set[str]:
    """The one, two and three characters long pieces of a normalised text; numbers are all alike."""
    plain = _DIGITS.sub("0", text)
    return {
        plain[start : start + width]
        for width in range(1, _WIDEST + 1)
        for start in range(len(plain) - width + 1)
    }
