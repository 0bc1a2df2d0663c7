"""What holds for the experiments of all campaigns."""

from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta, Struct

from zhiyin.contracts.segments import Key

Share = Annotated[float, Meta(ge=0, le=0.9)]


class ExperimentsSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How campaigns are measured.

    - `default_holdout`: the share marketing campaigns leave alone unless they say otherwise
    - `global_holdout`: the share all marketing leaves alone
    - `window`: how long after the first decision about somebody outcomes count, in campaigns
      without a goal
    - `margin_rate`: of the list price of goods, what is left after their cost
    - `message_costs`: money per message, by channel
    """

    default_holdout: Share = 0.1
    global_holdout: Share = 0.0
    window: Annotated[str, Meta(min_length=2, max_length=32)] = "14d"
    margin_rate: Annotated[float, Meta(ge=0, le=1)] = 0.5
    message_costs: dict[Key, Decimal] = {}


DEFAULT_EXPERIMENTS: Final = ExperimentsSpec()
