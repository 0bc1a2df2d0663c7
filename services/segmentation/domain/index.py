"""From the names of changed facts to the segments whose rules read them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.segmentation.domain.mask import Mask

# Version and dates of a profile change with every message, whatever else does.
ALWAYS_CHANGED = "profile"


def _prefixes(name: str) -> Iterator[str]:
    """`a.b.c` → `a.b`, `a`."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


@dataclass(frozen=True, slots=True)
class Index:
    """`exact`: dependency name → the segments reading it; `under`: a path → those reading
    something below it."""

    exact: Mapping[str, Mask]
    under: Mapping[str, Mask]

    def reading(self, changed: Iterable[str]) -> Mask:
        """The segments that read any of the changed names, what stands above them or what stands
        below them."""
        found = self.exact.get(ALWAYS_CHANGED, 0)
        for name in changed:
            found |= self.exact.get(name, 0) | self.under.get(name, 0)
            for above in _prefixes(name):
                found |= self.exact.get(above, 0)
        return found


def build_index(reads: Sequence[frozenset[str]]) -> Index:
    """`reads[i]`: dependency names of the segment at position i."""
    exact: defaultdict[str, Mask] = defaultdict(int)
    under: defaultdict[str, Mask] = defaultdict(int)
    for position, names in enumerate(reads):
        for name in names:
            exact[name] |= 1 << position
            for above in _prefixes(name):
                under[above] |= 1 << position
    return Index(dict(exact), dict(under))
