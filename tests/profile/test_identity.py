"""Who becomes one person with whom."""

from services.profile.domain.identity import KnownPerson, Link, Resolution, Resolver
from services.profile.domain.person_event import Identifier
from tests.builders import START, a_browse, an_event
from tests.profile.events import read
from zhiyin.contracts.instants import SECOND


def resolve(
    *customers: dict[str, str],
    links: dict[Identifier, Link] | None = None,
    people: tuple[KnownPerson, ...] = (),
) -> Resolution:
    events = [
        read(a_browse(START + n * SECOND, customer=customer, event_id=f"e{n}"))
        for n, customer in enumerate(customers)
    ]
    known = {person.profile_id: person for person in people}
    return Resolver(links or {}, known).resolve(events)


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


def test_a_shared_device_alone_leads_to_whom_it_belongs() -> None:
    found = resolve(
        {"device_id": "d1"},
        links={("device_id", "d1"): Link("A", shared=True)},
        people=(KnownPerson("A", 1, frozenset({"M1"})),),
    )
    [party] = found.parties
    assert [one.profile_id for one in party.stored] == ["A"]


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
