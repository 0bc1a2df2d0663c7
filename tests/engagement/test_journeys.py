"""The step machine: pure walks through journeys."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.engagement.domain.advance import due, enter, happened
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.circumstances import Circumstances
from services.engagement.domain.customer import Action, Customer, Run
from services.engagement.domain.pressure import Contact
from services.engagement.domain.templates import message_template
from services.engagement.domain.walk import Effect
from tests.builders import an_engagement, an_event, an_update
from tests.engagement.harness import NOON, cause_of
from tests.engagement.test_decisions import a_campaign, a_customer, an_occurrence, around
from zhiyin.contracts.campaigns import MessageTemplateSpec
from zhiyin.contracts.instants import DAY, HOUR, Instant
from zhiyin.contracts.profiles import Tag

HELLO = {"message": {"template": "hello", "channel": "sms"}}
BOUGHT = {"event": "purchase.completed"}


def begin(
    *steps: dict[str, Any], customer: Customer | None = None, **campaign: Any
) -> tuple[Campaign, Customer, list[Effect]]:
    begun = a_campaign(steps=list(steps), **campaign)
    person = customer or a_customer()
    return begun, person, enter(person, begun, an_occurrence(), around())


def run_of(customer: Customer) -> Run:
    [run] = customer.runs.values()
    return run


def done(effects: list[Effect]) -> list[tuple[str, str, str, str | None]]:
    """(step, kind, state, reason) of each action."""
    return [(e.step, e.kind, e.state, e.reason) for e in effects if isinstance(e, Action)]


def later(
    campaign: Campaign, customer: Customer, now: Instant, circumstances: Circumstances | None = None
) -> list[Effect]:
    return due(run_of(customer), campaign, customer, circumstances or around(now))


def test_steps_follow_each_other_until_the_first_wait() -> None:
    campaign, customer, effects = begin({"tag": "a"}, {"wait": "2d"}, {"tag": "b"})
    assert done(effects) == [("0", "tag", "sent", None)]
    assert later(campaign, customer, NOON + 2 * DAY - 1) == []
    assert done(later(campaign, customer, NOON + 2 * DAY)) == [("2", "tag", "sent", None)]
    assert run_of(customer).state == "done"
    assert later(campaign, customer, NOON + 9 * DAY) == []


@pytest.mark.parametrize(("tags", "step"), [({"vip"}, "0.then.0"), (set(), "0.else.0")])
def test_a_branch_follows_the_rule(tags: set[str], step: str) -> None:
    person = a_customer()
    assert person.snapshot is not None
    held = {tag: Tag(0, None, "manual:test") for tag in tags}
    person.snapshot = replace(person.snapshot, tags=held)
    branch = {"if": {"tag": "vip"}, "then": [{"tag": "yes"}], "else": [{"tag": "no"}]}
    _, _, effects = begin(branch, {"tag": "after"}, customer=person)
    assert [each[0] for each in done(effects)] == [step, "1"]


def test_a_split_shares_people_out_by_weight_and_for_good() -> None:
    arms = [{"weight": 1, "steps": [{"tag": "a"}]}, {"weight": 3, "steps": [{"tag": "b"}]}]
    campaign = a_campaign(steps=[{"split": arms}])

    def arm(person: str) -> str:
        customer = a_customer(profile_id=person)
        return done(enter(customer, campaign, an_occurrence(), around()))[0][0]

    taken = [arm(f"p-{number}") for number in range(2_000)]
    assert taken == [arm(f"p-{number}") for number in range(2_000)]
    assert 0.21 < taken.count("0.split.0.0") / len(taken) < 0.29


def test_an_event_that_is_waited_for_leads_on_through_then() -> None:
    wait = {"wait_for": BOUGHT, "timeout": "1d", "then": [{"tag": "t"}], "else": [{"tag": "e"}]}
    campaign, customer, _ = begin(wait, {"tag": "after"})
    other = cause_of(an_event("purchase.cancelled", NOON + HOUR, order_id="O"))
    before = cause_of(an_event("purchase.completed", NOON - 1, order_id="O", total="1"))
    bought = cause_of(an_event("purchase.completed", NOON + HOUR, order_id="O", total="1"))
    for cause in (other, before):
        assert happened(run_of(customer), cause, campaign, customer, around()) == []
    effects = happened(run_of(customer), bought, campaign, customer, around(NOON + HOUR))
    assert [each[0] for each in done(effects)] == ["0.then.0", "1"]


def test_a_timeout_leads_on_through_else() -> None:
    wait = {"wait_for": BOUGHT, "timeout": "1d", "then": [{"tag": "t"}], "else": [{"tag": "e"}]}
    campaign, customer, _ = begin(wait, {"tag": "after"})
    effects = later(campaign, customer, NOON + DAY)
    assert [each[0] for each in done(effects)] == ["0.else.0", "1"]


def test_an_exit_ends_the_journey_wherever_it_stands() -> None:
    campaign, customer, _ = begin({"wait": "9d"}, {"tag": "after"}, exit_on=BOUGHT)
    bought = cause_of(an_event("purchase.completed", NOON + HOUR, order_id="O", total="1"))
    assert happened(run_of(customer), bought, campaign, customer, around(NOON + HOUR)) == []
    assert (run_of(customer).state, run_of(customer).reason) == ("exited", "exit_on")
    assert later(campaign, customer, NOON + 9 * DAY) == []


def test_a_message_that_is_skipped_does_not_end_the_journey() -> None:
    campaign, customer, _ = begin({"wait": "1d"}, HELLO, {"tag": "after"})
    customer.contacts.append(Contact(NOON + DAY - HOUR, "email"))
    effects = later(campaign, customer, NOON + DAY)
    assert done(effects) == [("1", "message", "skipped", "cap"), ("2", "tag", "sent", None)]


def test_a_coupon_there_is_none_of_ends_the_journey_before_it_is_promised() -> None:
    campaign, customer, _ = begin({"wait": "1d"}, {"coupon": "back"}, HELLO)
    effects = later(campaign, customer, NOON + DAY, around(NOON + DAY, left=0))
    assert done(effects) == [("1", "coupon", "skipped", "budget")]
    assert run_of(customer).reason == "budget"


def test_a_template_that_runs_wild_sends_nothing() -> None:
    campaign, customer, _ = begin({"wait": "1d"}, HELLO)
    circumstances = around(NOON + DAY)
    wild = "{% for i in (1..100000000) %}{{ i }}{% endfor %}"
    circumstances.templates = {"hello": message_template("hello", MessageTemplateSpec(body=wild))}
    effects = later(campaign, customer, NOON + DAY, circumstances)
    assert done(effects) == [("1", "message", "skipped", "template_failed")]


@pytest.mark.parametrize(
    "wild",
    [
        "{% assign n = 9 %}{% for i in (1..900) %}{% assign n = n | times: n %}{% endfor %}{{ n }}",
        "{% assign s = 'xx' %}{% for i in (1..900) %}{% assign s = s | append: s %}{% endfor %}",
        "{% for i in (1..900) %}{% for j in (1..900) %}x{% endfor %}{% endfor %}",
        "{{ 'x' | divided_by: 0 }}",
        "{% include 'other' %}",
    ],
)
def test_wild_templates_end_soon_and_say_why(wild: str) -> None:
    rendered = message_template("wild", MessageTemplateSpec(body=wild)).render({})
    assert rendered.error is not None
    assert rendered.text == ""


def test_a_subject_is_one_line() -> None:
    spec = MessageTemplateSpec(body="x", subject="{{ name }}")
    rendered = message_template("x", spec).render({"name": "a\r\nBcc: everybody@example.com"})
    assert rendered.subject == "a Bcc: everybody@example.com"


def test_unsubscribing_is_a_refusal_until_consent_is_given_anew() -> None:
    left = an_engagement("unsubscribed", NOON - DAY, channel="sms")
    back = an_update(NOON - HOUR, consents={"marketing.sms": True})
    activity = {"sms": {"unsubscribed": 1}}
    for events, state in [((left,), "skipped"), ((left, back), "decided")]:
        person = a_customer(*events)
        assert person.snapshot is not None
        person.snapshot = replace(
            person.snapshot, facts=replace(person.snapshot.facts, activity=activity)
        )
        _, _, effects = begin(HELLO, customer=person)
        assert [each[2] for each in done(effects)] == [state]


def test_auto_takes_the_channel_a_person_responds_to() -> None:
    person = a_customer()
    assert person.snapshot is not None
    facts = replace(person.snapshot.facts, activity={"inbox": {"clicked": 2}, "sms": {"opened": 1}})
    person.snapshot = replace(person.snapshot, facts=facts)
    _, _, [message] = begin({"message": {"template": "hello"}}, customer=person)
    assert isinstance(message, Action)
    assert message.channel == "inbox"


def test_the_same_decision_made_twice_has_the_same_ids() -> None:
    ids = {
        effect.action_id
        for _ in range(2)
        for effect in begin({"tag": "a"})[2]
        if isinstance(effect, Action)
    }
    assert len(ids) == 1
