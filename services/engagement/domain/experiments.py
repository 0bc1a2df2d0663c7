"""Who is left alone for comparison, and for how long what people do counts as an outcome.

Assignment is by a stable hash of person and campaign, so it is the same at every occurrence. A
person is a subject of a campaign's experiment from the first decision about them on; whoever a cap
or a used-up budget kept out stays among the treated: those held out could have met them too.
"""

from dataclasses import dataclass
from typing import Final, Literal

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.chance import fraction, held_out
from services.engagement.domain.journey import SplitNode
from zhiyin.contracts.campaigns import DEFAULT_EXPERIMENTS, ExperimentsSpec
from zhiyin.contracts.instants import DAY, Duration, Instant, duration

# The experiment over all campaigns: no campaign's key looks like it.
EVERYTHING: Final = "*"
# Long enough for what marketing as a whole is to bring about.
EVERYTHING_WINDOW: Final[Duration] = 90 * DAY
HOLDOUT: Final = "holdout"
GLOBAL_HOLDOUT: Final = "global_holdout"
# Reasons decided after assignment.
_TREATED: Final = frozenset({None, "cap", "budget", "quiet_hours"})

Group = Literal["treatment", "control"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A person takes part in an experiment, from `at` to `until`."""

    profile_id: str
    campaign: str
    version: int
    group: Group
    at: Instant
    until: Instant


@dataclass(frozen=True, slots=True)
class Experiments:
    """What operators have set for all campaigns."""

    spec: ExperimentsSpec = DEFAULT_EXPERIMENTS

    def share(self, campaign: Campaign) -> float:
        """Of people a campaign leaves alone."""
        if campaign.spec.holdout is not None:
            return campaign.spec.holdout
        return self.spec.default_holdout if campaign.purpose == "marketing" else 0.0

    def window(self, campaign: Campaign) -> Duration:
        """How long after the first decision about somebody their doings are outcomes."""
        return duration(self.spec.window) if campaign.goal is None else campaign.goal.within

    def leaves_alone(self, campaign: Campaign, profile_id: str) -> bool:
        return held_out(campaign.key, profile_id, self.share(campaign))

    def leaves_alone_altogether(self, campaign: Campaign, profile_id: str) -> bool:
        share = self.spec.global_holdout
        return campaign.purpose == "marketing" and fraction(HOLDOUT, EVERYTHING, profile_id) < share

    def trials(
        self, campaign: Campaign, profile_id: str, reason: str | None, now: Instant
    ) -> tuple[Trial, ...]:
        """What a decision (its reason, None: entered) makes somebody a subject of."""
        if reason not in _TREATED and reason not in (HOLDOUT, GLOBAL_HOLDOUT):
            return ()
        found: list[Trial] = []
        if self.spec.global_holdout > 0 and campaign.purpose == "marketing":
            group: Group = "control" if reason == GLOBAL_HOLDOUT else "treatment"
            until = now + EVERYTHING_WINDOW
            found.append(Trial(profile_id, EVERYTHING, 0, group, now, until))
        if reason != GLOBAL_HOLDOUT and (self.share(campaign) > 0 or splits(campaign)):
            group = "control" if reason == HOLDOUT else "treatment"
            until = now + self.window(campaign)
            found.append(Trial(profile_id, campaign.key, campaign.version, group, now, until))
        return tuple(found)


AS_DELIVERED: Final = Experiments()


def splits(campaign: Campaign) -> tuple[SplitNode, ...]:
    return tuple(node for node in campaign.journey.nodes.values() if isinstance(node, SplitNode))
