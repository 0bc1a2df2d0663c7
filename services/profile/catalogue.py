"""The tag rules a process decides by: read again as soon as their revision has changed."""

from services.profile import store, tag_rules
from services.profile.domain.tag_set import TagSet, build_tag_set
from zhiyin.rules import Options
from zhiyin.runtime.batch import Connection


class Catalogue:
    """Asking begins a batch: the lock on the rules is held until commit, so nobody ever decides
    by rules that are no longer in force."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._newest = TagSet()

    async def current(self, tx: Connection) -> TagSet:
        revision = await store.begin(tx)
        known = self._newest
        if known.revision != revision:
            known = build_tag_set(revision, await tag_rules.load(tx), self._options)
            self._newest = known
        return known
