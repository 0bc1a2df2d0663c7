"""Everything operators have set up, ready for decisions, as of one revision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.channels import Channel
from services.engagement.domain.coupons import CouponTemplate
from services.engagement.domain.experiments import AS_DELIVERED, Experiments
from services.engagement.domain.pressure import Pressure
from services.engagement.domain.templates import MessageTemplate
from zhiyin.contracts.instants import Duration

# Paused ones are asked too, so that what they would have done is recorded as refused.
_ASKED = frozenset({"live", "paused"})


@dataclass(frozen=True, slots=True)
class Catalog:
    """`campaigns` holds the newest version of each; `by_trigger` those that are live or paused, by
    kind of trigger and what it is about, highest priority first; `goals` by the event's type;
    `surveys`: how long the link to each holds."""

    revision: int
    campaigns: Mapping[str, Campaign]
    channels: Mapping[str, Channel]
    templates: Mapping[str, MessageTemplate]
    coupon_templates: Mapping[str, CouponTemplate]
    pressure: Pressure
    by_trigger: Mapping[tuple[str, str], tuple[Campaign, ...]] = field(default_factory=dict)
    goals: Mapping[str, tuple[Campaign, ...]] = field(default_factory=dict)
    experiments: Experiments = AS_DELIVERED
    surveys: Mapping[str, Duration] = field(default_factory=dict)

    @property
    def top_priority(self) -> int:
        """The highest of the live campaigns that send marketing messages."""
        return max(
            (
                each.spec.priority
                for each in self.campaigns.values()
                if each.state == "live" and each.purpose == "marketing" and each.journey.messages
            ),
            default=0,
        )

    def asked(self, kind: str, about: str = "") -> tuple[Campaign, ...]:
        """The campaigns to ask when this happens."""
        return self.by_trigger.get((kind, about), ())

    def asks(self, campaign: Campaign) -> bool:
        """Whether it is still among those to ask."""
        return campaign in self.asked(campaign.trigger_kind, campaign.about)


def catalog(
    revision: int,
    campaigns: Iterable[Campaign],
    channels: Iterable[Channel],
    templates: Iterable[MessageTemplate],
    coupon_templates: Iterable[CouponTemplate],
    pressure: Pressure,
    experiments: Experiments = AS_DELIVERED,
    surveys: Mapping[str, Duration] | None = None,
) -> Catalog:
    known = {campaign.key: campaign for campaign in campaigns}
    ranked = sorted(known.values(), key=lambda each: (-each.spec.priority, each.key))
    by_trigger: dict[tuple[str, str], tuple[Campaign, ...]] = {}
    for campaign in (each for each in ranked if each.state in _ASKED):
        about = (campaign.trigger_kind, campaign.about)
        by_trigger[about] = (*by_trigger.get(about, ()), campaign)
    goals: dict[str, tuple[Campaign, ...]] = {}
    for campaign in ranked:
        if campaign.goal is not None:
            event = campaign.goal.match.event
            goals[event] = (*goals.get(event, ()), campaign)
    return Catalog(
        revision=revision,
        campaigns=known,
        channels={channel.name: channel for channel in channels},
        templates={template.key: template for template in templates},
        coupon_templates={template.key: template for template in coupon_templates},
        pressure=pressure,
        by_trigger=by_trigger,
        goals=goals,
        experiments=experiments,
        surveys=surveys or {},
    )
