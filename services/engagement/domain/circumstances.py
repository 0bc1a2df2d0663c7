"""What a decision depends on besides the person: the instant, the settings, what is left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.engagement.domain.channels import Channel
from services.engagement.domain.coupons import CouponTemplate
from services.engagement.domain.customer import Customer
from services.engagement.domain.experiments import AS_DELIVERED, Experiments
from services.engagement.domain.links import Issuer
from services.engagement.domain.pressure import Pressure
from services.engagement.domain.templates import MessageTemplate
from zhiyin.contracts.instants import Instant


@dataclass(slots=True)
class Circumstances:
    """`remaining` counts down as a batch issues coupons; templates without budget are not in it.
    `top_priority`: the highest of the live campaigns that send marketing messages; `links`: None
    where the platform has no public address."""

    now: Instant
    channels: Mapping[str, Channel]
    pressure: Pressure
    templates: Mapping[str, MessageTemplate]
    coupon_templates: Mapping[str, CouponTemplate]
    code_of: Callable[[UUID], str]
    currency: str = "CNY"
    links: Issuer | None = None
    remaining: dict[str, int] = field(default_factory=dict)
    experiments: Experiments = AS_DELIVERED
    top_priority: int = 0

    def lacking(self, customer: Customer, template: str) -> str | None:
        """Why one more coupon of this template cannot be issued to this person; None if it can."""
        wanted = self.coupon_templates.get(template)
        if wanted is None:
            return "no such coupon template"
        if wanted.budget is not None and self.remaining.get(template, 0) < 1:
            return f"budget of {wanted.budget} used up"
        had = customer.coupons.get(template, 0)
        if wanted.per_person is not None and had >= wanted.per_person:
            return f"has had {had} of at most {wanted.per_person}"
        return None

    def take(self, customer: Customer, template: str) -> None:
        """Count one coupon as issued."""
        if template in self.remaining:
            self.remaining[template] -= 1
        customer.coupons[template] = customer.coupons.get(template, 0) + 1
