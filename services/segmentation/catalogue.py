"""The segment set a process evaluates with: read again as soon as its revision has changed."""

from services.segmentation import definitions, store
from services.segmentation.domain.segment_set import SegmentSet, build_set
from zhiyin.rules import Options
from zhiyin.runtime.batch import Connection


class Catalogue:
    """Holds the newest set seen. Asking begins a batch: the set's lock is held until commit, so
    nobody ever decides by a set that is no longer in force."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._newest = SegmentSet()

    async def current(self, tx: Connection) -> SegmentSet:
        revision = await store.begin(tx)
        known = self._newest
        if known.revision != revision:
            known = build_set(revision, await definitions.load(tx), self.options, known)
            self._newest = known
        return known
