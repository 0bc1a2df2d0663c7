"""A tag of the library, and the clauses that many of them are made of."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

Rule = dict[str, Any]
Names = Sequence[str]


class Ready(Struct, frozen=True):
    """Ready to be installed as a tag rule. `group`: the kind of customer or of need it tells of."""

    tag: str
    group: str
    name: str
    name_en: str
    description: str
    description_en: str
    rule: Rule
    ttl: str | None = None


def at_least(number: int, event: str, within: str | None = None, **where: Any) -> Rule:
    """So many events of a type, of that age at most."""
    body: Rule = {"event": event}
    if where:
        body["where"] = where
    if within is not None:
        body["within"] = within
    return {"count": body, "op": "gte", "value": number}


def bought(number: int, categories: Names, within: str | None = None, **where: Any) -> Rule:
    """So many orders of the person's own, gifts left out, with something of these categories."""
    own = {"category": list(categories), "gift": {"ne": True}, **where}
    return at_least(number, "purchase.completed", within, **own)


def viewed(number: int, categories: Names, within: str) -> Rule:
    return at_least(number, "browse.viewed", within, category=list(categories))


def searched(words: Names, within: str) -> Rule:
    """A search with one of these words in it."""
    return {
        "any": [at_least(1, "browse.searched", within, query={"contains": word}) for word in words]
    }


def first_bought(categories: Names, **age: str) -> Rule:
    """When the first own order of these categories was."""
    where = {"category": list(categories), "gift": {"ne": True}}
    return {"first": {"event": "purchase.completed", "where": where}, **age}


def last_bought(categories: Names, **age: str) -> Rule:
    where = {"category": list(categories), "gift": {"ne": True}}
    return {"last": {"event": "purchase.completed", "where": where}, **age}


def said(number: int, within: str, **where: Any) -> Rule:
    """So many times in one kind of place the customer's words were heard to be so."""
    events = ("support.opened", "support.messaged", "community.reviewed", "community.asked")
    heard = {f"heard.{name}": test for name, test in where.items()}
    return {"any": [at_least(number, event, within, **heard) for event in events]}
