"""Who enters and who does not: pure decisions, no database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from services.engagement.domain.acts import Known
from services.engagement.domain.build import build_campaign
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.channels import Channel
from services.engagement.domain.circumstances import Circumstances
from services.engagement.domain.codes import coupon_code
from services.engagement.domain.coupons import coupon_template
from services.engagement.domain.customer import Customer, Run
from services.engagement.domain.decide import decide
from services.engagement.domain.ids import run_id
from services.engagement.domain.occurrence import Occurrence
from services.engagement.domain.pressure import Contact, default_pressure
from services.engagement.domain.templates import message_template
from tests.builders import a_purchase, a_ticket, an_update
from tests.engagement.harness import NIGHT, NOON, reachable
from tests.people import snapshot_of
from zhiyin.contracts.campaigns import CampaignSpec, CouponTemplateSpec, MessageTemplateSpec
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR, Instant, instant
from zhiyin.rules import Options

SHANGHAI = ZoneInfo("Asia/Shanghai")
ANYTHING = Known(frozenset(), frozenset(), {}, anything=True)
BASE: Mapping[str, Any] = {
    "key": "c",
    "name": "c",
    "trigger": {"on": "segment.entered", "segment": "s"},
    "steps": [{"coupon": "back"}, {"message": {"template": "hello", "channel": "sms"}}],
}


def a_campaign(state: str = "live", **change: Any) -> Campaign:
    spec = msgspec.convert({**BASE, **change}, CampaignSpec)
    return build_campaign(spec, ANYTHING, Options(), version=1, state=state)


def around(now: Instant = NOON, left: int = 10) -> Circumstances:
    coupon = CouponTemplateSpec(key="back", kind="amount", value="30", budget=10, per_person=2)
    names = ("sms", "email", "inbox")
    return Circumstances(
        now=now,
        channels={name: Channel(name, "log") for name in names},
        pressure=default_pressure(SHANGHAI),
        templates={"hello": message_template("hello", MessageTemplateSpec(body="hello"))},
        coupon_templates={"back": coupon_template(coupon, "CNY")},
        code_of=lambda action_id: coupon_code(b"key", action_id),
        remaining={"back": left},
    )


def a_customer(*events: Event, **change: Any) -> Customer:
    customer = Customer("p-1", 0, snapshot_of(events, identifiers=reachable()))
    for name, value in change.items():
        setattr(customer, name, value)
    return customer


def an_occurrence(**change: Any) -> Occurrence:
    return Occurrence(**{"name": "o", "kind": "segment.entered", "at": NOON, "what": "s", **change})


def a_run() -> Run:
    run = run_id("c", "earlier", "p-1")
    return Run(run, "p-1", "p-1", "c", 1, "earlier", NOON - DAY)


def refused_sms(**more: bool) -> Event:
    return an_update(NOON - DAY, consents={"marketing.sms": False, **more})


RICH = {"fact": "orders.total", "op": "gte", "value": "200"}
COMPLAINT = a_ticket(NOON - HOUR, kind="complaint")
CASES: Mapping[str, tuple[Campaign, Customer, Occurrence, Circumstances, str | None]] = {
    "nothing_speaks_against_it": (
        a_campaign(), a_customer(), an_occurrence(), around(), None,
    ),
    "the_campaign_is_paused": (
        a_campaign("paused"), a_customer(), an_occurrence(), around(), "paused",
    ),
    "it_is_history": (
        a_campaign(), a_customer(), an_occurrence(imported=True), around(), "import",
    ),
    "the_event_is_a_day_and_more_old": (
        a_campaign(), a_customer(), an_occurrence(kind="event", at=NOON - 24 * HOUR - 1),
        around(), "stale",
    ),
    "the_event_is_a_day_old_to_the_instant": (
        a_campaign(), a_customer(), an_occurrence(kind="event", at=NOON - 24 * HOUR),
        around(), None,
    ),
    "time_made_it_true_long_ago_while_we_were_away": (
        a_campaign(), a_customer(), an_occurrence(at=NOON - 3 * DAY), around(), None,
    ),
    "nobody_knows_the_person": (
        a_campaign(), a_customer(snapshot=None), an_occurrence(), around(), "unknown_person",
    ),
    "the_condition_does_not_hold": (
        a_campaign(where=RICH), a_customer(), an_occurrence(), around(), "condition",
    ),
    "the_condition_holds": (
        a_campaign(where=RICH), a_customer(a_purchase(NOON - DAY, total="200")), an_occurrence(),
        around(), None,
    ),
    "they_are_inside": (
        a_campaign(), a_customer(runs={a_run().run_id: a_run()}), an_occurrence(), around(),
        "reentry",
    ),
    "they_entered_less_than_the_reentry_time_ago": (
        a_campaign(reentry="P180D"), a_customer(last_entry={"c": NOON - 180 * DAY + 1}),
        an_occurrence(), around(), "reentry",
    ),
    "the_reentry_time_is_over_to_the_instant": (
        a_campaign(reentry="P180D"), a_customer(last_entry={"c": NOON - 180 * DAY}),
        an_occurrence(), around(), None,
    ),
    "a_complaint_is_open": (
        a_campaign(), a_customer(COMPLAINT), an_occurrence(), around(), "open_complaint",
    ),
    "a_complaint_is_open_but_it_is_an_order_notice": (
        a_campaign(purpose="transactional"), a_customer(COMPLAINT), an_occurrence(), around(), None,
    ),
    "they_refused_the_channel": (
        a_campaign(), a_customer(refused_sms()), an_occurrence(), around(), "consent",
    ),
    "they_refused_all_marketing": (
        a_campaign(), a_customer(an_update(NOON, consents={"marketing": False})), an_occurrence(),
        around(), "consent",
    ),
    "they_refused_marketing_but_it_is_an_order_notice": (
        a_campaign(purpose="transactional"), a_customer(refused_sms()), an_occurrence(), around(),
        None,
    ),
    "auto_finds_another_channel_than_the_refused_one": (
        a_campaign(steps=[{"message": {"template": "hello"}}]), a_customer(refused_sms()),
        an_occurrence(), around(), None,
    ),
    "there_is_no_address": (
        a_campaign(steps=[{"message": {"template": "hello", "channel": "email"}}]), a_customer(),
        an_occurrence(), around(), "no_reachable_channel",
    ),
    "everybody_of_this_share_is_held_out": (
        a_campaign(holdout=0.9), a_customer(profile_id="p-2"), an_occurrence(), around(), "holdout",
    ),
    "one_message_a_day_has_been_sent": (
        a_campaign(), a_customer(contacts=[Contact(NOON - DAY + 1, "inbox")]), an_occurrence(),
        around(), "cap",
    ),
    "the_last_message_was_a_day_ago_to_the_instant": (
        a_campaign(), a_customer(contacts=[Contact(NOON - DAY, "inbox")]), an_occurrence(),
        around(), None,
    ),
    "caps_are_asked_in_the_morning_when_it_is_night": (
        a_campaign(), a_customer(contacts=[Contact(NIGHT - HOUR, "sms")]), an_occurrence(),
        around(NIGHT), None,
    ),
    "it_is_night_and_the_campaign_drops_what_cannot_go_out": (
        a_campaign(pressure={"quiet_hours": "drop"}), a_customer(), an_occurrence(), around(NIGHT),
        "quiet_hours",
    ),
    "it_is_night_but_it_is_an_order_notice": (
        a_campaign(pressure={"quiet_hours": "drop"}, purpose="transactional"), a_customer(),
        an_occurrence(), around(NIGHT), None,
    ),
    "a_message_was_sent_but_the_campaign_waits_for_room": (
        a_campaign(pressure={"caps": "defer"}), a_customer(contacts=[Contact(NOON - HOUR, "sms")]),
        an_occurrence(), around(), None,
    ),
    "a_day_was_missed_by_more_than_a_day": (
        a_campaign(), a_customer(), an_occurrence(kind="date", at=NOON - 24 * HOUR - 1), around(),
        "stale",
    ),
    "caps_do_not_hold_for_order_notices": (
        a_campaign(purpose="transactional"), a_customer(contacts=[Contact(NOON - HOUR, "sms")]),
        an_occurrence(), around(), None,
    ),
    "the_budget_is_used_up": (
        a_campaign(), a_customer(), an_occurrence(), around(left=0), "budget",
    ),
    "they_have_had_as_many_coupons_as_one_person_may": (
        a_campaign(), a_customer(coupons={"back": 2}), an_occurrence(), around(), "budget",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_somebody_enters_unless(case: str) -> None:
    campaign, customer, occurrence, circumstances, reason = CASES[case]
    decision = decide(customer, campaign, occurrence, circumstances)
    assert (decision.entered, decision.reason) == (reason is None, reason)
    assert decision.why["trigger"] == occurrence.kind


def test_the_same_person_is_always_on_the_same_side_of_a_holdout() -> None:
    campaign = a_campaign(holdout=0.3)
    people = [f"p-{number}" for number in range(2_000)]

    def held_out(name: str) -> list[str]:
        occurrence = an_occurrence(name=name)
        return [
            each
            for each in people
            if decide(a_customer(profile_id=each), campaign, occurrence, around()).reason
            == "holdout"
        ]

    assert held_out("one") == held_out("two")
    assert 0.26 < len(held_out("one")) / len(people) < 0.34


@pytest.mark.parametrize(
    ("local", "ends"),
    [
        ("2026-03-02T21:29:59+08:00", None),
        ("2026-03-02T21:30:00+08:00", "2026-03-03T09:00:00+08:00"),
        ("2026-03-03T00:00:00+08:00", "2026-03-03T09:00:00+08:00"),
        ("2026-03-03T08:59:59+08:00", "2026-03-03T09:00:00+08:00"),
        ("2026-03-03T09:00:00+08:00", None),
    ],
)
def test_quiet_hours_end_in_the_morning(local: str, ends: str | None) -> None:
    found = default_pressure(SHANGHAI).quiet_until(_at(local), SHANGHAI)
    assert (None if found is None else found.until) == (None if ends is None else _at(ends))


def _at(text: str) -> Instant:
    return instant(datetime.fromisoformat(text))
