"""Lives and rules for property tests: few values, so that they often meet on a boundary."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.builders import START, a_browse, a_cancellation, a_purchase, a_refund, an_item
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, Instant, instant
from zhiyin.contracts.profiles import Tag


class Situation(NamedTuple):
    events: list[Event]
    tags: dict[str, Tag]
    rule: dict[str, Any]
    now: Instant


CATEGORIES = ("坚果", "健身", "护肤")
DURATIONS = ("1d", "3d", "30d", "90d", "365d")
_DAYS = (0, 1, 2, 3, 4, 29, 30, 31, 60, 89, 90, 91, 120, 275, 360, 365, 366)

ats = st.builds(
    lambda day, edge: START + day * DAY + edge,
    st.one_of(st.sampled_from(_DAYS), st.integers(0, 380)),
    st.sampled_from((0, 0, 0, 1, -1, DAY // 2)),
)
order_ids = st.sampled_from(["O-1", "O-2", "O-3", "O-4", "O-5", "O-6"])


@st.composite
def purchases(draw: st.DrawFn) -> Event:
    at = draw(ats)
    items = [
        an_item(f"S-{index}", category=draw(st.sampled_from(CATEGORIES)))
        for index in range(draw(st.integers(0, 2)))
    ]
    total = draw(st.sampled_from(["0", "0.10", "99.99", "100", "500.00", "2000", "9900.5"]))
    order = draw(st.one_of(order_ids, st.just(f"O-{at}")))
    event_id = None if order.startswith("O-1") else f"{order}-done"
    return a_purchase(at, total=total, order_id=order, items=items, event_id=event_id)


browses = st.builds(
    a_browse,
    ats,
    category=st.sampled_from((*CATEGORIES, None)),
    dwell_seconds=st.sampled_from((None, 0.5, 3, 10)),
)
refunds = st.builds(a_refund, ats, order_id=order_ids, amount=st.sampled_from(["0.10", "50", "1"]))
cancellations = st.builds(a_cancellation, ats, order_id=order_ids)


def _once(events: list[Event]) -> list[Event]:
    """An order is completed once: two events about one order are a mistake of its own."""
    seen: set[str] = set()
    kept = []
    for event in events:
        body = bytes(event.properties).decode()
        order = body.split('"order_id":"')[1].split('"')[0] if "order_id" in body else ""
        name = f"{event.type}:{order}" if event.type == "purchase.completed" else event.event_id
        if name not in seen:
            seen.add(name)
            kept.append(event)
    return kept


_random = st.lists(
    st.one_of(purchases(), purchases(), browses, refunds, cancellations), max_size=14
).map(_once)


@st.composite
def _regulars(draw: st.DrawFn) -> list[Event]:
    """Somebody who buys and looks at the same things at a steady pace."""
    every = draw(st.sampled_from((1, 3, 29, 30, 36, 91)))
    total = draw(st.sampled_from(("0", "99.99", "500.00", "1000")))
    bought = [
        a_purchase(START + turn * every * DAY, total=total)
        for turn in range(draw(st.integers(1, 13)))
    ]
    looked = [a_browse(START + turn * every * DAY) for turn in range(draw(st.integers(0, 5)))]
    return bought + looked


lives = st.one_of(_random, _regulars())
tags = st.dictionaries(
    st.sampled_from(("vip", "fan")),
    st.builds(lambda until: Tag(START, until, "test"), st.one_of(st.none(), ats)),
)
_numeric_ops = st.sampled_from(("eq", "ne", "gt", "gte", "lt", "lte"))
_where = st.one_of(
    st.none(),
    st.builds(lambda c: {"category": c}, st.sampled_from(CATEGORIES)),
    st.builds(lambda c: {"category": {"ne": c}}, st.sampled_from(CATEGORIES)),
    st.just({"category": ["坚果", "护肤"]}),
    st.builds(lambda v: {"total": {"gte": v}}, st.sampled_from((0.1, 100, "500"))),
)


@st.composite
def selectors(draw: st.DrawFn) -> dict[str, Any]:
    event = draw(st.sampled_from(("purchase.completed", "purchase.completed", "browse.viewed")))
    where = draw(_where)
    return {"event": event} if where is None else {"event": event, "where": where}


@st.composite
def aggregates(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(("count", "count", "sum", "max", "min")))
    body = draw(selectors())
    if draw(st.booleans()):
        body["within"] = draw(st.sampled_from(DURATIONS))
    value: float = draw(st.integers(0, 4))
    if name != "count":
        browsing = body["event"] == "browse.viewed"
        body["property"] = "dwell_seconds" if browsing else "total"
        value = draw(st.sampled_from((0, 0.1, 3, 100, 599.99, 2000)))
    if draw(st.booleans()):
        return {name: body, "op": draw(_numeric_ops), "value": value}
    if draw(st.booleans()):
        return {name: body, "op": "between", "value": [value, value + 1]}
    return {name: body, "op": "in", "value": [value, value + 2]}


recencies = st.builds(
    lambda which, selector, bounds: {which: selector} | bounds,
    st.sampled_from(("last", "first")),
    selectors(),
    st.dictionaries(
        st.sampled_from(("older_than", "newer_than")), st.sampled_from(DURATIONS), min_size=1
    ),
)
streaks = st.builds(
    lambda selector, op, value: {"streak": selector, "op": op, "value": value},
    selectors(),
    _numeric_ops,
    st.integers(0, 3),
)
windows = st.builds(
    lambda selector, within, op, value: {
        "count": selector | {"within": within},
        "op": op,
        "value": value,
    },
    selectors(),
    st.sampled_from(DURATIONS),
    st.sampled_from(("gte", "gt")),
    st.integers(0, 3),
)
facts = st.one_of(
    st.builds(
        lambda path, op, value: {"fact": path, "op": op, "value": value},
        st.sampled_from(("rfm.r", "rfm.f", "rfm.m", "orders.count")),
        _numeric_ops,
        st.integers(0, 5),
    ),
    st.builds(
        lambda op, value: {"fact": "orders.total", "op": op, "value": value},
        _numeric_ops,
        st.sampled_from(("0.10", 100, "599.99", 2000)),
    ),
    st.builds(
        lambda op, value: {"fact": "rfm.class", "op": op, "value": value},
        st.sampled_from(("eq", "ne")),
        st.sampled_from(("high_value_loyal", "churn_warning", "dormant", "new_or_small", "none")),
    ),
    st.builds(
        lambda op, value: {"fact": "lifecycle.stage", "op": op, "value": value},
        st.sampled_from(("in", "not_in")),
        st.lists(
            st.sampled_from(("new", "one_time", "active", "repeat", "loyal", "dormant", "lost")),
            min_size=1,
            max_size=3,
            unique=True,
        ),
    ),
)
leaves = st.one_of(
    aggregates(),
    windows,
    recencies,
    streaks,
    facts,
    st.sampled_from(({"tag": "vip"}, {"tag": "fan"}, {"segment": "vips"})),
)
rules = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda clauses: {"all": clauses}),
        st.lists(inner, min_size=1, max_size=3).map(lambda clauses: {"any": clauses}),
        inner.map(lambda clause: {"not": clause}),
    ),
    max_leaves=5,
)


# Rules over the whole language, odd names and values included: to be read, written, compiled and
# evaluated, but too wide for the plain implementation that answers are held against.
_names = st.one_of(
    st.sampled_from(
        ("city", "health.diet", "and", "my name", 'a"b', "a.b", "比率", "x(1)", "within")
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8),
)
_scalars = st.one_of(
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(-1e15, 1e15),
    st.sampled_from(("杭州", "true", "3", "90d", "and", "a b", "", "2026-01-01", 'say "x"', "\n")),
).filter(lambda each: each != "")
_lists = st.lists(_scalars, min_size=1, max_size=3)
_ages = st.sampled_from(("30s", "15m", "36h", "90d", "P7D", "P1W", "PT15M"))


def _loose(ops: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """An op and its value for what may hold anything."""
    numbers = st.one_of(
        st.integers(-5, 5), st.floats(-5, 5), st.sampled_from(("1.5", "2026-01-01"))
    )
    values: dict[str, st.SearchStrategy[Any]] = {
        "eq": _scalars, "ne": _scalars, "contains": _scalars,
        "gte": numbers, "lt": numbers,
        "between": st.tuples(st.integers(-5, 0), st.integers(1, 5)).map(list),
        "in": _lists, "none_of": _lists, "all_of": _lists,
        "starts_with": st.just("杭"), "older_than": _ages, "newer_than": _ages,
    }  # fmt: skip
    named = st.one_of(
        *(st.builds(lambda v, op=op: {"op": op, "value": v}, values[op]) for op in ops)
    )
    return st.one_of(named, st.sampled_from(({"op": "exists"}, {"op": "missing"})))


_ANY = ("eq", "ne", "contains", "gte", "lt", "between", "in", "none_of", "all_of", "starts_with")
_wheres = st.dictionaries(
    _names,
    _loose(_ANY).map(lambda test: {test["op"]: test.get("value", True)}),
    min_size=1,
    max_size=2,
)
_odd_selectors = st.builds(
    lambda name, where: {"event": f"custom.{name}"} | ({"where": where} if where else {}),
    _names,
    st.one_of(st.none(), _wheres),
)
odd_leaves = st.one_of(
    st.builds(lambda name, test: {"fact": f"attributes.{name}"} | test, _names,
              _loose((*_ANY, "older_than", "newer_than"))),
    st.builds(lambda name, yes: {"fact": f"consents.{name}", "op": "eq", "value": yes},
              _names, st.booleans()),
    st.builds(lambda name: {"fact": f"categories.{name}.total", "op": "gte", "value": "1.5"},
              _names),
    st.builds(lambda path, op, age: {"fact": path, "op": op, "value": age},
              st.sampled_from(("orders.first_at", "orders.last_at", "lifecycle.since",
                               "browse.last_at", "support.last_at", "created_at")),
              st.sampled_from(("older_than", "newer_than")), _ages),
    st.builds(lambda op, value: {"fact": "as_of", "op": op, "value": value},
              st.sampled_from(("gte", "lt")), st.sampled_from(("2026-05-01", "2027-01-01"))),
    st.builds(lambda name: {"tag": name}, _names),
    st.builds(lambda name: {"segment": name}, _names),
    st.builds(lambda ops, names: {"fact": "tags", "op": ops, "value": names},
              st.sampled_from(("any_of", "all_of", "none_of")),
              st.lists(_names, min_size=1, max_size=2)),
    st.builds(lambda within: {"anniversary": "attributes.birthday", "within": within}, _ages),
    st.builds(lambda selector, of: {"max": selector | {"property": of}, "op": "gte", "value": 1},
              _odd_selectors, _names),
    st.builds(lambda selector, age: {"last": selector, "older_than": age}, _odd_selectors, _ages),
    st.builds(lambda selector: {"streak": selector, "op": "in", "value": [1, 2]}, _odd_selectors),
)  # fmt: skip
any_rules = st.recursive(
    st.one_of(leaves, odd_leaves),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda clauses: {"all": clauses}),
        st.lists(inner, min_size=1, max_size=3).map(lambda clauses: {"any": clauses}),
        inner.map(lambda clause: {"not": clause}),
    ),
    max_leaves=6,
)


@st.composite
def situations(draw: st.DrawFn, rules: st.SearchStrategy[dict[str, Any]]) -> Situation:
    """A life, a rule, and an instant at which the one may just be changing for the other."""
    events, held = draw(lives), draw(tags)
    starts = sorted({instant(event.occurred_at) for event in events}) or [START]
    start = draw(st.sampled_from(starts[-3:] + starts[:1]))
    later = draw(st.sampled_from((0, 0, 1, 2, 3, 10, 30, 60, 90, 180, 365)))
    edge = draw(st.sampled_from((0, 1, 2, -1, DAY // 3)))
    return Situation(events, held, draw(rules), start + later * DAY + edge)


def instants_that_matter(events: list[Event], tags: dict[str, Tag]) -> list[Instant]:
    """Every instant at which an answer to any of these rules can change, ascending."""
    days = (0, 1, 3, 30, 60, 90, 180, 365)
    starts = [instant(event.occurred_at) for event in events]
    found = {at + day * DAY + edge for at in starts for day in days for edge in (0, 1)}
    return sorted(found | {tag.until for tag in tags.values() if tag.until is not None})
