"""The profile as others read it: the JSON of the public contract."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from zhiyin.contracts.events import PERSONAL_NAMESPACES
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.money import from_minor
from zhiyin.contracts.profiles import Facts, Snapshot, Tag
from zhiyin.facts.habits import habits
from zhiyin.facts.history import OrderHistory
from zhiyin.facts.life import life
from zhiyin.facts.lifecycle import lifecycle_at
from zhiyin.facts.notes import heeded, standing_notes
from zhiyin.facts.prices import coupon_share, discounted_share, price_sensitivity, share
from zhiyin.facts.reorders import interval_days, reorders
from zhiyin.facts.rfm import rfm_at
from zhiyin.facts.summaries import average_order, browsing, support
from zhiyin.facts.thresholds import DEFAULT_RFM, RfmThresholds

View = dict[str, Any]
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


def profile_view(
    snapshot: Snapshot,
    segments: Iterable[str],
    now: Instant,
    *,
    currency: str = "CNY",
    thresholds: RfmThresholds = DEFAULT_RFM,
    zone: tzinfo = SHANGHAI,
) -> View:
    """The profile at `now`: money as decimal text, times in RFC 3339 UTC, identifiers masked.
    `zone`: the platform's, in which days begin."""
    facts = snapshot.facts
    history = OrderHistory(facts)
    return {
        "profile_id": snapshot.profile_id,
        "version": snapshot.version,
        "created_at": rfc3339(snapshot.created_at),
        "updated_at": rfc3339(snapshot.updated_at),
        "as_of": rfc3339(now),
        "merged_from": list(snapshot.merged_from),
        "not_linking": _not_linking(snapshot),
        "identifiers": {
            namespace: sorted(mask or value for value, mask in values.items())
            for namespace, values in sorted(facts.identifiers.items())
            if values
        },
        "attributes": _attributes(facts),
        "consents": {
            purpose: {"granted": consent.granted, "source": consent.source, "at": _at(consent.at)}
            for purpose, consent in sorted(facts.consents.items())
        },
        "orders": _orders(facts, currency),
        "gifts": _gifts(facts, currency),
        "price": _price(facts, currency),
        "preferred": habits(facts)._asdict(),
        "categories": _categories(facts, currency),
        "skus": _skus(facts),
        "life": _life(facts, now, zone),
        "notes": _notes(facts),
        "browse": _browse(facts),
        "support": _support(facts),
        "rfm": _rfm(history, now, thresholds),
        "lifecycle": _lifecycle(history, snapshot.created_at, now),
        "tags": _tags(snapshot.tags, now),
        "segments": sorted(segments),
        "reorder": [
            {
                "sku": each.sku,
                "due_at": rfc3339(each.due_at),
                "basis": each.basis,
                "days": each.days,
                "sure": each.sure,
                "substituted": each.substituted,
            }
            for each in reorders(facts)
        ],
    }


def _not_linking(snapshot: Snapshot) -> list[View]:
    """Identifiers seen with the person that do not lead here, and why."""
    notes = []
    for name, note in sorted(snapshot.not_linking.items()):
        namespace, _, token = name.partition(":")
        hidden = "****" if namespace in PERSONAL_NAMESPACES else token
        value = note.shown or hidden
        notes.append(
            {
                "namespace": namespace,
                "value": value,
                "reason": note.reason,
                "since": _at(note.at),
            }
        )
    return notes


def _at(at: Instant | None) -> str | None:
    return None if at is None else rfc3339(at)


def _attributes(facts: Facts) -> View:
    return {
        name: {"value": each.value, "source": each.source, "at": _at(each.at)}
        for name, each in sorted(facts.attributes.items())
        if each.value is not None
    }


def _orders(facts: Facts, currency: str) -> View:
    orders = facts.orders
    return {
        "count": orders.count,
        "total": from_minor(orders.total, currency),
        "average": from_minor(average_order(orders), currency),
        "refunded": from_minor(orders.refunded, currency),
        "first_at": _at(orders.first_at),
        "last_at": _at(orders.last_at),
    }


def _categories(facts: Facts, currency: str) -> View:
    return {
        name: {
            "orders": totals.orders,
            "quantity": totals.quantity,
            "total": from_minor(totals.total, currency),
            "last_at": _at(totals.last_at),
            "gifts": totals.gifts,
            "interval_days": interval_days(totals.intervals),
        }
        for name, totals in sorted(facts.categories.items())
    }


def _skus(facts: Facts) -> View:
    """What was bought for own use."""
    return {
        sku: {
            "category": totals.category,
            "orders": totals.orders,
            "quantity": totals.quantity,
            "last_at": _at(totals.last_at),
            "interval_days": interval_days(totals.intervals),
        }
        for sku, totals in sorted(facts.skus.items())
    }


def _gifts(facts: Facts, currency: str) -> View:
    gifts = facts.gifts
    return {
        "orders": gifts.orders,
        "total": from_minor(gifts.total, currency),
        "last_at": _at(gifts.last_at),
    }


def _price(facts: Facts, currency: str) -> View:
    return {
        "sensitivity": price_sensitivity(facts),
        "discounted_share": share(discounted_share(facts)),
        "coupon_share": share(coupon_share(facts)),
        "discounted_orders": facts.prices.discounted,
        "coupon_orders": facts.prices.coupons,
        "discount": from_minor(facts.prices.discount, currency),
    }


def _life(facts: Facts, now: Instant, zone: tzinfo) -> View:
    found = life(facts, now, zone)
    return {**found._asdict(), "due_at": _at(found.due_at)}


def _notes(facts: Facts) -> list[View]:
    """Newest first."""
    return [
        {
            "note_id": name,
            "kind": note.kind,
            "text": note.text,
            "lasting": note.lasting,
            "author": note.author or None,
            "source": note.source,
            "at": _at(note.at),
            "with_next_order": heeded(note, facts),
        }
        for name, note in standing_notes(facts)
    ]


def _browse(facts: Facts) -> View:
    seen = browsing(facts)
    return {"count": seen.events, "last_at": _at(seen.last_at)}


def _support(facts: Facts) -> View:
    summary = support(facts)
    return {
        "open_tickets": summary.open_tickets,
        "complaints": summary.complaints,
        "open_complaints": summary.open_complaints,
        "last_at": _at(summary.last_at),
        "rating": None if summary.rating is None else summary.rating / 100,
    }


def _rfm(history: OrderHistory, now: Instant, thresholds: RfmThresholds) -> View:
    scores = rfm_at(history, now, thresholds)
    return {
        "r": scores.r,
        "f": scores.f,
        "m": scores.m,
        "class": scores.class_,
        "next_flip": _at(scores.next_flip),
    }


def _lifecycle(history: OrderHistory, met_at: Instant, now: Instant) -> View:
    life = lifecycle_at(history, now)
    since = met_at if life.since is None else life.since
    return {"stage": life.stage, "since": _at(since), "next_flip": _at(life.next_flip)}


def _tags(tags: dict[str, Tag], now: Instant) -> list[View]:
    return [tag_view(name, tag) for name, tag in sorted(tags.items()) if tag.holds(now)]


def tag_view(name: str, tag: Tag) -> View:
    """A tag with what it rests on. `rule_version` 0: no rule set it."""
    return {
        "tag": name,
        "since": _at(tag.since),
        "until": _at(tag.until),
        "source": tag.source,
        "rule_version": tag.rule_version,
        "evidence": list(tag.evidence),
        "quote": tag.quote or None,
    }
