"""What an operator decides about how events are read: part of what facts are a function of."""

from typing import Final

from msgspec import Struct

from services.profile.domain.limits import LIMITS, Limits


class Policy(Struct, frozen=True):
    """After a change facts are only as of now once everybody has been folded anew (`rebuild`).

    - `currency`: the platform's, in which money is counted
    - `source_trust`: sources of attributes, most trusted first; those not named come last and are
      equal. Of two statements the more trusted source's holds, then the newer one
    - `gift_categories`: what stands in the names of categories that are bought to be given away
    - `limits`: how much is kept; not the operator's to change
    """

    currency: str = "CNY"
    source_trust: tuple[str, ...] = ()
    gift_categories: frozenset[str] = frozenset({"礼盒", "gift box"})
    limits: Limits = LIMITS

    def is_gift_category(self, category: str | None) -> bool:
        if category is None:
            return False
        name = category.casefold()
        return any(word in name for word in self.gift_categories)

    def trust(self, source: str) -> int:
        """The higher the more trusted; 0 for sources without a place in the order."""
        if source not in self.source_trust:
            return 0
        return len(self.source_trust) - self.source_trust.index(source)


PLAIN: Final = Policy()
