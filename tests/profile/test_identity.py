"""Who becomes one person with whom."""

import pytest

from services.profile.domain.identity import Resolver
from services.profile.domain.identity_limits import DEFAULT_LIMITS, Limits, LimitsError, limits_in
from services.profile.domain.party import NO_TIES, KnownPerson, Link, Resolution, Ties
from services.profile.domain.person_event import Identifier
from services.profile.domain.uses import use_by
from tests.builders import START, a_browse, an_event
from tests.profile.events import read
from zhiyin.contracts.instants import SECOND
from zhiyin.contracts.not_linking import LIMIT, PARTED, SHARED, TAKEN


def resolve(
    *customers: dict[str, str],
    links: dict[Identifier, Link] | None = None,
    people: tuple[KnownPerson, ...] = (),
    limits: Limits = DEFAULT_LIMITS,
    ties: Ties = NO_TIES,
) -> Resolution:
    events = [
        read(a_browse(START + n * SECOND, customer=customer, event_id=f"e{n}"))
        for n, customer in enumerate(customers)
    ]
    known = {person.profile_id: person for person in people}
    return Resolver(links or {}, known, limits, ties).resolve(events)


def test_identifiers_seen_together_are_one_person() -> None:
    found = resolve(
        {"member_id": "M1", "phone": "p1"}, {"phone": "p1", "device_id": "d1"}, {"device_id": "d1"}
    )
    [party] = found.parties
    assert len(party.events) == 3
    assert set(party.gained) == {("member_id", "M1"), ("phone", "p1"), ("device_id", "d1")}


def test_an_anonymous_visitor_becomes_the_member_who_logs_in() -> None:
    anonymous = KnownPerson("A", 5, frozenset())
    member = KnownPerson("B", 9, frozenset({"M1"}))
    found = resolve(
        {"member_id": "M1", "device_id": "d1"},
        links={("device_id", "d1"): Link("A"), ("member_id", "M1"): Link("B")},
        people=(anonymous, member),
    )
    [party] = found.parties
    assert [one.profile_id for one in party.kept_first()] == ["A", "B"], "the older id is kept"


def test_two_member_ids_never_become_one_person() -> None:
    found = resolve(
        {"member_id": "M1", "phone": "p1"},
        {"member_id": "M2", "phone": "p1"},
        {"phone": "p1"},
    )
    first, second = found.parties
    assert len(first.events) == 2, "the phone stays with whom it was first"
    assert len(second.events) == 1
    assert found.newly_shared == [("phone", "p1")]


def test_a_shared_device_links_nobody_any_more() -> None:
    found = resolve(
        {"member_id": "M1", "device_id": "d1"},
        {"member_id": "M2", "device_id": "d1"},
        {"device_id": "d1", "email": "e9"},
    )
    assert len(found.parties) == 3


def test_a_shared_phone_alone_leads_to_whom_it_belongs() -> None:
    found = resolve(
        {"phone": "p1"},
        links={("phone", "p1"): Link("A", shared=True)},
        people=(KnownPerson("A", 1, frozenset({"M1"})),),
    )
    [party] = found.parties
    assert [one.profile_id for one in party.stored] == ["A"]


def test_what_a_shared_tablet_does_alone_is_no_members_doing() -> None:
    people = (KnownPerson("A", 1, frozenset({"M1"})),)
    stored = resolve(
        {"device_id": "d1"}, links={("device_id", "d1"): Link("A", shared=True)}, people=people
    )
    assert [(party.stored, party.taken) for party in stored.parties] == [
        ([], [("device_id", "d1")])
    ]
    at_once = resolve(
        {"member_id": "M1", "device_id": "d1"},
        {"member_id": "M2", "device_id": "d1"},
        {"device_id": "d1"},
    )
    assert [party.gained for party in at_once.parties] == [
        [("member_id", "M1")],
        [("member_id", "M2")],
        [("device_id", "d1")],
    ]


def test_an_identifier_is_shared_once_more_members_use_it_than_are_allowed() -> None:
    limits = limits_in("device_id=50/3")
    links = {
        ("device_id", "d1"): Link("A", others=frozenset({use_by("M2")})),
        ("member_id", "M1"): Link("A"),
    }
    people = (KnownPerson("A", 1, frozenset({"M1"})),)
    third = {"member_id": "M3", "device_id": "d1"}
    found = resolve(third, third, links=links, people=people, limits=limits)
    assert found.newly_shared == []
    assert found.seen_with == {("device_id", "d1"): {use_by("M3")}}
    [party] = found.parties
    assert party.notes == {("device_id", "d1"): TAKEN}
    fourth = {"member_id": "M4", "device_id": "d1"}
    found = resolve(third, fourth, links=links, people=people, limits=limits)
    assert found.newly_shared == [("device_id", "d1")]
    told = {tuple(sorted(party.members)): party.notes for party in found.parties}
    assert told[("M1",)] == {("device_id", "d1"): SHARED}, "the owner is told, too"
    assert told[("M4",)] == {("device_id", "d1"): SHARED}


def test_an_identifier_too_many_is_not_linked() -> None:
    limits = limits_in("device_id=2")
    found = resolve(
        *({"member_id": "M1", "device_id": f"d{n}"} for n in range(4)),
        {"device_id": "d3"},
        limits=limits,
    )
    member, other = found.parties
    assert member.gained == [("member_id", "M1"), ("device_id", "d0"), ("device_id", "d1")]
    assert member.notes == {("device_id", "d2"): LIMIT, ("device_id", "d3"): LIMIT}
    assert other.gained == [("device_id", "d3")]


def test_people_who_would_have_too_many_identifiers_together_are_not_joined() -> None:
    links = {("member_id", "M1"): Link("A"), ("email", "e1"): Link("B")}
    people = (KnownPerson("A", 1, frozenset({"M1"})), KnownPerson("B", 2, frozenset()))
    bridge = {"member_id": "M1", "email": "e1"}
    limits = limits_in("phone=3")
    free = resolve(bridge, links=links, people=people, limits=limits)
    assert len(free.parties[0].stored) == 2
    assert free.tying == {"A", "B"}
    full = Ties({"A": {"phone": 2}, "B": {"phone": 2}})
    assert not free.allowed(full, limits)
    found = resolve(bridge, links=links, people=people, limits=limits, ties=full)
    [party] = found.parties
    assert len(party.stored) == 1
    assert party.notes == {("email", "e1"): LIMIT}


def test_whom_an_operator_parted_events_do_not_join() -> None:
    links = {("member_id", "M1"): Link("A"), ("email", "e1"): Link("B")}
    people = (KnownPerson("A", 1, frozenset({"M1"})), KnownPerson("B", 2, frozenset()))
    ties = Ties(parted=frozenset({("B", "A")}))
    found = resolve(
        {"member_id": "M1", "email": "e1"}, {"email": "e1", "device_id": "d1"},
        links=links, people=people, ties=ties,
    )  # fmt: skip
    first, second = found.parties
    assert first.notes == {("email", "e1"): PARTED}
    assert second.gained == [("device_id", "d1")], "it still links what is its own"


def test_an_event_lies_with_whom_its_identifier_came_from() -> None:
    links = {("member_id", "M1"): Link("A"), ("email", "e1"): Link("A", former="B")}
    found = resolve(
        {"email": "e1"}, {"member_id": "M1", "email": "e1"},
        links=links, people=(KnownPerson("A", 1, frozenset({"M1"})),),
    )  # fmt: skip
    [party] = found.parties
    assert found.homes == {party.events[0].uid: "B"}


@pytest.mark.parametrize("text", ["shoe=3", "member_id=2", "phone", "phone=0", "phone=3/x"])
def test_limits_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(LimitsError):
        limits_in(text)


def test_a_phone_and_a_device_of_two_members_do_not_join_them() -> None:
    found = resolve(
        {"member_id": "M1", "phone": "p1"},
        {"member_id": "M2", "device_id": "d2"},
        {"phone": "p1", "device_id": "d2"},
    )
    first, second = found.parties
    assert [len(first.events), len(second.events)] == [2, 1]


def test_an_operator_joins_two_members_and_chooses_who_is_kept() -> None:
    people = (KnownPerson("A", 1, frozenset({"M1"})), KnownPerson("B", 2, frozenset({"M2"})))
    link = read(an_event("customer.linked", customer={"profile_id": "B"}, keep="B", absorb="A"))
    found = Resolver({}, {one.profile_id: one for one in people}).resolve([link])
    [party] = found.parties
    assert [one.profile_id for one in party.kept_first()] == ["B", "A"]


def test_an_event_for_nobody_is_told_apart() -> None:
    found = resolve({"profile_id": "gone"})
    assert len(found.strangers) == 1
    assert found.parties == []
