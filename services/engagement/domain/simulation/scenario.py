"""What is tried, with all it is tried among, and when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any, Final

from services.engagement.domain.campaign import Campaign, ScheduleStart
from services.engagement.domain.catalog import Catalog, catalog
from services.engagement.domain.journey import IfNode
from services.engagement.domain.simulation.memberships import SegmentRules, segment_rules
from zhiyin.contracts.campaigns import SegmentEnteredTrigger, SegmentLeftTrigger
from zhiyin.contracts.instants import Instant
from zhiyin.rules import Options, segments_read

_MOST_TICKS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """`catalog`: what is live in it; `campaign` None where a segment alone is tried; `ticks`: the
    instants of schedules, by campaign."""

    catalog: Catalog
    campaign: Campaign | None
    segment: str | None
    segments: SegmentRules
    since: Instant
    until: Instant
    zone: tzinfo
    currency: str
    ticks: Mapping[str, Sequence[Instant]]


def of_campaign(
    current: Catalog,
    tried: Campaign,
    segments: Mapping[str, Any],
    since: Instant,
    until: Instant,
    options: Options,
    *,
    alongside: bool,
) -> Scenario:
    """`tried` as if it were live, `alongside` all that are. Raises Unreplayable."""
    live = replace(tried, state="live")
    others = [
        each
        for each in current.campaigns.values()
        if alongside and each.state == "live" and each.key != tried.key
    ]
    among = _only(current, [live, *others])
    wanted = {key for each in (live, *others) for key in _segments_of(each)}
    return Scenario(
        among,
        live,
        None,
        segment_rules(segments, wanted, options),
        since,
        until,
        options.zone,
        options.currency,
        {each.key: _ticks(each, since, until) for each in (live, *others)},
    )


def of_segment(
    current: Catalog,
    rule: Any,
    segments: Mapping[str, Any],
    since: Instant,
    until: Instant,
    options: Options,
) -> Scenario:
    """A rule tried as a segment. Raises Unreplayable."""
    known = {**segments, DRAFT: rule}
    rules = segment_rules(known, [DRAFT], options)
    nobody = _only(current, [])
    return Scenario(nobody, None, DRAFT, rules, since, until, options.zone, options.currency, {})


DRAFT: Final = " draft"  # no key looks like it


def _only(current: Catalog, campaigns: Iterable[Campaign]) -> Catalog:
    return catalog(
        current.revision,
        campaigns,
        current.channels.values(),
        current.templates.values(),
        current.coupon_templates.values(),
        current.pressure,
        current.experiments,
    )


def _segments_of(campaign: Campaign) -> Iterable[str]:
    match campaign.start:
        case SegmentEnteredTrigger(segment=segment) | SegmentLeftTrigger(segment=segment):
            yield segment
        case _ if campaign.trigger_kind in ("schedule", "broadcast"):
            yield campaign.about
        case _:
            pass
    rules = [node.rule for node in campaign.journey.nodes.values() if isinstance(node, IfNode)]
    for compiled in (*rules, *([campaign.where] if campaign.where is not None else [])):
        yield from segments_read(compiled.rule)


def _ticks(campaign: Campaign, since: Instant, until: Instant) -> Sequence[Instant]:
    if not isinstance(campaign.start, ScheduleStart):
        return ()
    found: list[Instant] = []
    at = campaign.start.cron.after(since - 1)
    while at < until and len(found) < _MOST_TICKS:
        found.append(at)
        at = campaign.start.cron.after(at)
    return found
