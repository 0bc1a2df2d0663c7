"""Coupons a customer takes without a campaign, such as from a page of the mini-program."""

import uuid
from collections.abc import Callable
from typing import Final

from services.engagement.domain.coupons import CouponTemplate, coupon_template, issue
from services.engagement.expiring import reminder
from services.engagement.refusals import no_such
from services.engagement.store import coupons, people, reports, settings
from services.engagement.store.coupons import StoredCoupon
from zhiyin.contracts.coupons import ClaimSpec
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem
from zhiyin.runtime.timers import set_timers

_NAMES: Final = uuid.UUID("b0d2b7a4-6f0a-5c55-8a35-2d1f3e6a9c10")


class Claims:
    """`code_of` derives a coupon's code from the id of what issues it."""

    def __init__(
        self, db: Database, code_of: Callable[[uuid.UUID], str], currency: str, clock: Clock
    ) -> None:
        self._db = db
        self._code_of = code_of
        self._currency = currency
        self._clock = clock

    async def claim(self, key: str, spec: ClaimSpec) -> tuple[StoredCoupon, bool]:
        """The coupon, and whether it is new: a claim sent again gets what it got. Raises Problem:
        404 of template or person, 409 not claimable, used up, or the person has had theirs."""
        now = self._clock()
        async with self._db.transaction() as tx:
            template = await self._template(tx, key)
            present = await reports.present_id(tx, spec.profile_id)
            id_ = uuid.uuid5(_NAMES, f"{key}\0{present}\0{spec.claim_id}")
            code = self._code_of(id_)
            if (known := await coupons.find(tx, code)) is not None:
                return known, False
            if await coupons.used_up(tx, key):  # for good: nobody need wait in line to hear it
                raise _used_up(template)
            row = await _person(tx, present)
            if (known := await coupons.find(tx, code)) is not None:
                return known, False
            await _check(tx, template, row.profile_id)
            coupon = issue(template, code, row.profile_id, "", id_, now)
            await coupons.issue(tx, [coupon])
            await set_timers(tx, reminder(coupon, row.partition))
            made = await coupons.find(tx, code)
        if made is None:
            raise AssertionError("a coupon just issued is not there")
        return made, True

    async def _template(self, tx: Connection, key: str) -> CouponTemplate:
        found = await settings.coupon_template(tx, key)
        if found is None:
            raise no_such("coupon template", key)
        if not found.claimable:
            raise Problem(409, "not_claimable", f"{key} is given by campaigns only")
        return coupon_template(found, self._currency)


async def _person(tx: Connection, present: str) -> people.Row:
    """Locked."""
    known = await people.known(tx, present)
    row = None if known is None else (await people.lock(tx, [present], 1)).get(present)
    if row is None or not row.stands:
        raise no_such("profile", present)
    return row


async def _check(tx: Connection, template: CouponTemplate, profile_id: str) -> None:
    if template.per_person is not None:
        counted = await coupons.counts(tx, [profile_id], [template.key])
        had = sum(count for _, _, count in counted)
        if had >= template.per_person:
            message = f"has had {had} of at most {template.per_person}"
            raise Problem(409, "per_person", message)
    left = (await coupons.remaining(tx, [template.key])).get(template.key)
    if left is not None and left < 1:
        raise _used_up(template)


def _used_up(template: CouponTemplate) -> Problem:
    return Problem(409, "budget", f"all {template.budget} have been issued")
