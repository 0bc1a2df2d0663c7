"""Keywords: which topic a phrase is about, and how it leans."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from msgspec import Struct

from zhiyin.contracts.heard import Topic
from zhiyin.wording.features import normalised
from zhiyin.wording.seed_lexicon import SEED_LEXICON

LEANINGS: Final = {"+": 1, "-": -1}


class Entry(Struct, frozen=True):
    """`topic` None: the phrase tells of mood only. `lean`: −1 bad, 0 neither, 1 good. `weight`: how
    much it counts, 1 as the built-in ones do; 0 for a phrase that says nothing."""

    phrase: str
    topic: Topic | None
    lean: int = 0
    weight: float = 1.0


class Hit(NamedTuple):
    """An entry found in a text, and where it begins."""

    entry: Entry
    start: int


class Lexicon:
    """`revision`: of what operators have made of it. Where phrases overlap the longest one counts:
    `不贵` is not `贵`."""

    def __init__(self, entries: Iterable[Entry], revision: int = 0) -> None:
        self.revision = revision
        self._by_first: dict[str, list[tuple[str, Entry]]] = {}
        for entry in entries:
            phrase = normalised(entry.phrase)
            if phrase:
                self._by_first.setdefault(phrase[0], []).append((phrase, entry))
        for listed in self._by_first.values():
            listed.sort(key=lambda each: (-len(each[0]), each[0]))

    def hits(self, text: str) -> Iterator[Hit]:
        """Entries found in a normalised text, from left to right."""
        start = 0
        while start < len(text):
            found = self._at(text, start)
            if found is None:
                start += 1
                continue
            phrase, entry = found
            if entry.weight:
                yield Hit(entry, start)
            start += len(phrase)

    def _at(self, text: str, start: int) -> tuple[str, Entry] | None:
        for each in self._by_first.get(text[start], ()):
            if text.startswith(each[0], start):
                return each
        return None


def seed_entries() -> list[Entry]:
    """Those the platform comes with."""
    return [
        Entry(marked.rstrip("+-"), topic, LEANINGS.get(marked[-1], 0))
        for topic, phrases in SEED_LEXICON.items()
        for marked in phrases.split()
    ]
