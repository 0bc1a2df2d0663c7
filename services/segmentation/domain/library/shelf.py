"""The whole library, in the order in which it is shown."""

from typing import Final

from services.segmentation.domain.library.by_behaviour import CHANNEL, INTENT, RISK
from services.segmentation.domain.library.by_orders import LIFECYCLE, RFM, VALUE
from services.segmentation.domain.library.by_person import HEALTH, PERSONA, SCENARIO
from services.segmentation.domain.library.entry import Ready
from zhiyin.rules.words.language import Words, same

LIBRARY: Final[tuple[Ready, ...]] = (
    *RFM,
    *LIFECYCLE,
    *VALUE,
    *PERSONA,
    *HEALTH,
    *SCENARIO,
    *INTENT,
    *CHANNEL,
    *RISK,
)
BY_KEY: Final = {each.key: each for each in LIBRARY}


def ready(key: str, name: str) -> Ready | None:
    """The library's entry of a segment that still goes by its name there."""
    found = BY_KEY.get(key)
    return found if found is not None and found.name.zh == name else None


def words_of(key: str, name: str) -> Words:
    """A segment's name in both languages; an operator's own name is the same in both."""
    found = ready(key, name)
    return same(name) if found is None else found.name
