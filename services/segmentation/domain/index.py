"""From the names of changed facts to the segments whose rules read them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# Version and dates of a profile change with every message, whatever else does.
ALWAYS_CHANGED = "profile"


def _prefixes(name: str) -> Iterator[str]:
    """`a.b.c` → `a.b`, `a`."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


@dataclass(frozen=True, slots=True)
class Index:
    """`exact`: dependency name → positions of the segments reading it; `under`: a path → those
    reading something below it."""

    exact: dict[str, frozenset[int]]
    under: dict[str, frozenset[int]]

    def reading(self, changed: Iterable[str]) -> set[int]:
        """Positions of the segments that read any of the changed names, what stands above them
        or what stands below them."""
        found: set[int] = set(self.exact.get(ALWAYS_CHANGED, ()))
        for name in changed:
            found |= self.exact.get(name, frozenset())
            found |= self.under.get(name, frozenset())
            for above in _prefixes(name):
                found |= self.exact.get(above, frozenset())
        return found


def build_index(reads: Sequence[frozenset[str]]) -> Index:
    """`reads[i]`: dependency names of the segment at position i."""
    exact: defaultdict[str, set[int]] = defaultdict(set)
    under: defaultdict[str, set[int]] = defaultdict(set)
    for position, names in enumerate(reads):
        for name in names:
            exact[name].add(position)
            for above in _prefixes(name):
                under[above].add(position)
    return Index(
        {name: frozenset(positions) for name, positions in exact.items()},
        {name: frozenset(positions) for name, positions in under.items()},
    )
