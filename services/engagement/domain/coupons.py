"""What a coupon is, what it takes off, and whether it can still be used."""

import uuid
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from services.engagement.domain.faults import Faults
from zhiyin.contracts.coupons import CouponTemplateSpec
from zhiyin.contracts.instants import Duration, Instant
from zhiyin.contracts.money import Minor, to_minor

MOST_MONEY = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class CouponTemplate:
    """`value` in minor units for `amount`, basis points for `percent`, 0 otherwise."""

    key: str
    kind: str
    text: str
    value: int
    minimum: Minor
    budget: int | None
    per_person: int | None
    valid: Duration
    name: str = ""
    claimable: bool = False
    remind: Duration | None = None


@dataclass(frozen=True, slots=True)
class Coupon:
    """`remind_at`: when it is to be said that it expires, if it has not been used by then."""

    code: str
    template: str
    profile_id: str
    campaign: str
    action_id: uuid.UUID
    kind: str
    text: str
    value: int
    minimum: Minor
    issued_at: Instant
    expires_at: Instant
    remind_at: Instant | None = None


def coupon_template(spec: CouponTemplateSpec, currency: str) -> CouponTemplate:
    """The checked template. Raises Faulty with everything that is wrong with it."""
    faults = Faults()
    value = _value(spec, currency, faults)
    minimum = _money("/minimum", spec.minimum, faults)
    _money("/cost", spec.cost, faults)
    valid = faults.duration("/valid", spec.valid)
    remind = None if spec.remind is None else faults.duration("/remind", spec.remind)
    faults.raise_if_any()
    return CouponTemplate(
        key=spec.key,
        kind=spec.kind,
        text=str(spec.value),
        value=value,
        minimum=to_minor(minimum, currency),
        budget=spec.budget,
        per_person=spec.per_person,
        valid=valid,
        name=spec.name,
        claimable=spec.claimable,
        remind=remind,
    )


def issue(
    template: CouponTemplate, code: str, profile_id: str, campaign: str, id_: uuid.UUID, at: Instant
) -> Coupon:
    """`campaign` is empty for one the customer took. What expires sooner than it would be reminded
    of is reminded of half-way."""
    remind_at = None
    if template.remind is not None:
        remind_at = at + max(template.valid - template.remind, template.valid // 2)
    return Coupon(
        code=code,
        template=template.key,
        profile_id=profile_id,
        campaign=campaign,
        action_id=id_,
        kind=template.kind,
        text=template.text,
        value=template.value,
        minimum=template.minimum,
        issued_at=at,
        expires_at=at + template.valid,
        remind_at=remind_at,
    )


def discount(kind: str, value: int, amount: Minor) -> Minor:
    """Money off an order of `amount`; never more than the order, halves rounded down."""
    match kind:
        case "amount":
            return min(value, amount)
        case "percent":
            return amount * value // 10_000
        case _:
            return 0


def _money(pointer: str, given: Decimal | None, faults: Faults) -> Decimal:
    amount = Decimal(0) if given is None else given
    if amount.is_finite() and 0 <= amount <= MOST_MONEY:
        return amount
    faults.add(pointer, "bad_amount", "must be between 0 and 10^12")
    return Decimal(0)


def _value(spec: CouponTemplateSpec, currency: str, faults: Faults) -> int:
    if spec.kind in ("trial", "gift"):
        if not isinstance(spec.value, str) or not 1 <= len(spec.value) <= 128:
            faults.add("/value", "bad_value", "must name what is given (a SKU)")
        return 0
    try:
        number = Decimal(str(spec.value))
    except InvalidOperation:
        number = Decimal("NaN")
    most = Decimal(100) if spec.kind == "percent" else MOST_MONEY
    if not (number.is_finite() and 0 < number <= most):
        faults.add("/value", "bad_value", f"must be a number above 0, at most {most}")
        return 0
    return int(number * 100) if spec.kind == "percent" else to_minor(number, currency)
