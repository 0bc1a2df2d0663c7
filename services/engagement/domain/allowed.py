"""May an action that was decided still go out? Asked again just before sending."""

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.channels import Channel, template_refused
from services.engagement.domain.complaints import open_complaint
from services.engagement.domain.zones import zone_of
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts.reach import refused

PAUSED = "paused"
# Merged into somebody whose own profile has not come yet. Of somebody erased nothing is left to
# be sent.
UNKNOWN = "unknown_person"


def hindrance(
    catalog: Catalog,
    campaign: str,
    kind: str,
    purpose: str,
    channel: Channel,
    person: Snapshot | None,
    template_id: str = "",
) -> str | None:
    """Why it may not: unknown_person or paused (for now), ended, consent, open_complaint; None if
    it may."""
    if person is None:
        return UNKNOWN
    known = catalog.campaigns.get(campaign)
    if known is None or known.state == "ended":
        return "ended"
    if known.state != "live":
        return PAUSED
    if kind != "message":
        return None
    if refused(person, purpose, channel.medium) or template_refused(channel, person, template_id):
        return "consent"
    if purpose == "marketing" and open_complaint(person):
        return "open_complaint"
    return None


def quiet_until(
    catalog: Catalog, kind: str, purpose: str, person: Snapshot | None, now: Instant
) -> Instant | None:
    """When a message that was put off may go out again: a retry is no reason to wake anybody."""
    if kind != "message" or purpose == "transactional" or person is None:
        return None
    pressure = catalog.pressure
    quiet = pressure.quiet_until(now, zone_of(person, pressure.zone), purpose)
    return None if quiet is None else quiet.until
