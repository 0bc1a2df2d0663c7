"""A profile may be shown as before until the instant at which it says something else."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import START, an_update
from tests.people import snapshot_of
from tests.rules.strategies import instants_that_matter, lives, tags
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.profiles import Snapshot, Tag
from zhiyin.facts import profile_view, stands_until
from zhiyin.facts.view import SHANGHAI, View


def _said(snapshot: Snapshot, at: Instant) -> View:
    return {**profile_view(snapshot, (), at), "as_of": ""}


def _family(random: Random) -> dict[str, str]:
    return random.choice(
        (
            {},
            {"child_birth_date": "2025-11-29"},
            {"pregnancy_due_date": "2026-09-01"},
            {"child_birth_date": "2008-04-03", "pregnancy_week": "12"},
        )
    )


@settings(max_examples=80, deadline=None)
@given(lives, tags, st.integers(0, 10**6).map(Random))
def test_a_profile_says_the_same_until_it_no_longer_stands(
    events: list[Event], held: dict[str, Tag], random: Random
) -> None:
    now = START + random.randrange(400) * DAY + random.choice((0, 1, DAY // 2))
    family = an_update(now - DAY, attributes=_family(random))
    snapshot = snapshot_of([*events, family], tags=held, created_at=START)
    until = stands_until(snapshot, now, zone=SHANGHAI)
    assert until is None or until > now
    end = now + 800 * DAY if until is None else until
    near = (*instants_that_matter(events, held), end - 1, now + 1)
    asked = [random.randrange(now, end) for _ in range(20)]
    for at in (*asked, *[at for at in near if now < at < end][:20]):
        assert _said(snapshot, at) == _said(snapshot, now)


def test_a_tag_that_runs_out_and_a_birthday_end_it() -> None:
    tag = {"fan": Tag(START, START + DAY, "rule:fan")}
    assert stands_until(snapshot_of(tags=tag), START, zone=SHANGHAI) == START + DAY
    child = an_update(START, attributes={"child_birth_date": "2025-12-02"})
    until = stands_until(snapshot_of([child]), START, zone=SHANGHAI)
    assert until is not None
    before, after = _said(snapshot_of([child]), until - 1), _said(snapshot_of([child]), until)
    assert before["life"] != after["life"]
