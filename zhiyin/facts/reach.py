"""Whether a channel can reach a person, and whether it may.

Marketing is allowed on a channel unless it was refused: by `marketing.<channel>`, by `marketing`
as a whole, or by unsubscribing there with no newer consent. Purposes `transactional` (order
notices) and `care` (answers to somebody's own complaint) need no marketing consent.
"""

from collections.abc import Mapping
from typing import Final

from zhiyin.contracts.profiles import Snapshot

MARKETING: Final = "marketing"
# Which identifiers a channel can be addressed by, in order of preference. A channel that is not
# listed takes the profile id.
ADDRESSED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "push": ("device_id",),
    "wechat": ("openid", "unionid"),
    "wecom": ("unionid",),
    "sms": ("phone",),
    "email": ("email",),
    "inbox": ("member_id", "unionid", "openid", "alipay_id"),
}


def addresses(channel: str, snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """(namespace, value or token) that a channel can be addressed by, the one to use first, without
    those from which messages came back."""
    bounced = snapshot.facts.bounced
    return tuple(
        (namespace, value)
        for namespace in ADDRESSED_BY.get(channel, ())
        for value in sorted(snapshot.facts.identifiers.get(namespace, ()))
        if f"{namespace}:{value}" not in bounced
    )


def address(channel: str, snapshot: Snapshot) -> tuple[str, str] | None:
    """The one a channel would use; None if there is none."""
    return next(iter(addresses(channel, snapshot)), None)


def refused(snapshot: Snapshot, purpose: str, channel: str) -> bool:
    if purpose != MARKETING:
        return False
    consents = snapshot.facts.consents
    whole = consents.get(MARKETING)
    if whole is not None and not whole.granted:
        return True
    answer = consents.get(f"{MARKETING}.{channel}")
    if answer is not None and not answer.granted:
        return True
    if not snapshot.facts.activity.get(channel, {}).get("unsubscribed"):
        return False
    last = snapshot.facts.seen.get("engagement.unsubscribed")
    return answer is None or (last is not None and answer.at <= last.last_at)


def marketing_channels(snapshot: Snapshot) -> tuple[str, ...]:
    """The channels on which marketing can and may reach a person. Looks at identifiers, consents,
    activity and what kinds of events were seen."""
    return tuple(
        channel
        for channel in ADDRESSED_BY
        if address(channel, snapshot) is not None and not refused(snapshot, MARKETING, channel)
    )
