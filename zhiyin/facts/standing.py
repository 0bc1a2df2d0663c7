"""How long a profile stays as it is shown, if no event arrives."""

from datetime import tzinfo

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts.history import OrderHistory
from zhiyin.facts.life import life_flips, lives
from zhiyin.facts.lifecycle import stage_at
from zhiyin.facts.rfm import rfm_at
from zhiyin.facts.thresholds import DEFAULT_RFM, RfmThresholds


def stands_until(
    snapshot: Snapshot, now: Instant, *, thresholds: RfmThresholds = DEFAULT_RFM, zone: tzinfo
) -> Instant | None:
    """The first instant after `now` at which `profile_view` may say something else than at `now`
    (but for `as_of`); None: never. Whatever in a view moves with time has to be asked here."""
    history = OrderHistory(snapshot.facts)
    flips = [
        rfm_at(history, now, thresholds).next_flip,
        stage_at(history, now).next_flip,
        *(tag.until for tag in snapshot.tags.values() if tag.holds(now)),
    ]
    if lives(snapshot.facts):
        flips += life_flips(snapshot.facts, now, zone)[:1]
    return min((flip for flip in flips if flip is not None), default=None)
