"""Whose 90 days end while we watch: real households, their history moved by a few days more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhiyin.contracts.instants import DAY, SECOND, Duration, Instant
from zhiyin.contracts.money import Minor
from zhiyin.demo.datasets.clicks import SOURCE as CLICKS
from zhiyin.demo.datasets.draft import Draft
from zhiyin.demo.datasets.households import Household, agreed, household
from zhiyin.demo.plan import Plan
from zhiyin.demo.story import Story

NINETY_DAYS: Final[Duration] = 90 * DAY
HOW_MANY: Final = 3  # one may be in a campaign's holdout; three hardly ever are
APART: Final[Duration] = 2 * SECOND
_WORTH_WINNING_BACK: Final[Minor] = 20_000


@dataclass(frozen=True, slots=True)
class Hero:
    """`last_order` is on the datasets' clock."""

    who: Household
    last_order: Instant
    drafts: Sequence[Draft]

    def due(self, plan: Plan) -> Instant:
        """When their 90 days end."""
        return plan.when(self.last_order, self.who.number) + NINETY_DAYS


def choose(story: Story, how_many: int = HOW_MANY) -> Sequence[Hero]:
    """Those nearest to 90 days anyway who spent enough, can be reached and agreed to be; others
    only if there are too few. People who also clicked stay as they are: a click moved with them
    could come to lie in the future."""
    last: dict[int, Instant] = {}
    spent: dict[int, Minor] = {}
    for basket in story.baskets:
        last[basket.household] = basket.at
        spent[basket.household] = spent.get(basket.household, 0) + basket.total
    clicked = {draft.household for draft in story.drafts if draft.source == CLICKS}

    def preference(number: int) -> tuple[bool, Duration]:
        who = household(number)
        worth = spent[number] >= _WORTH_WINNING_BACK and who.phone is not None and agreed(number)
        return not worth, abs(story.ends - last[number] - NINETY_DAYS)

    chosen = sorted((number for number in last if number not in clicked), key=preference)
    return [hero(story, number) for number in chosen[:how_many]]


def hero(story: Story, number: int) -> Hero:
    """A household of the story with all that is told of it."""
    last = max(basket.at for basket in story.baskets if basket.household == number)
    return Hero(household(number), last, story.of(number))


def moved(plan: Plan, heroes: Sequence[Hero], first_due: Instant) -> Plan:
    """The plan under which the heroes' 90 days end at `first_due` and shortly after."""
    own = {
        str(one.who.number): first_due + place * APART - NINETY_DAYS - one.last_order - plan.shift
        for place, one in enumerate(heroes)
    }
    return Plan(shift=plan.shift, live_from=plan.live_from, own_shift={**plan.own_shift, **own})
