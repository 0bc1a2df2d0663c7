"""Which channel reaches a person: reachable, allowed, and the one they respond to best."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zhiyin.contracts.campaigns import AUTO_CHANNEL
from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts.reach import ADDRESSED_BY, addresses, refused

# What a kind of channel is to the person it reaches: consent, addresses and habits are about that,
# whatever a channel is called.
_MEDIUM: Final[Mapping[str, str]] = {
    "smtp": "email",
    "aliyun_sms": "sms",
    "wechat_subscribe": "wechat",
    "wechat_template": "wechat",
    "inbox": "inbox",
}
# Theirs is the template registered with the provider, for which each person has a say of their own.
_BY_TEMPLATE: Final = frozenset({"wechat_subscribe", "wechat_template"})
NEEDS_TEMPLATE_ID: Final = frozenset({"aliyun_sms", *_BY_TEMPLATE})
_ORDER: Final = {medium: place for place, medium in enumerate(ADDRESSED_BY)}
# Somebody of whom nothing is known is taken to respond to one message in five, and that counts as
# much as ten messages; a click is worth two openings, a message that came back costs five.
_USUAL: Final = 0.2
_WEIGHT: Final = 10
_CLICKED: Final = 2
_BOUNCED: Final = 5


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured channel; `disabled` says since why nothing goes through it any more."""

    name: str
    kind: str
    config: bytes = b"{}"
    disabled: str | None = None

    @property
    def medium(self) -> str:
        return _MEDIUM.get(self.kind, self.name)

    @property
    def reaches_customers(self) -> bool:
        """Whether it is one of those that `auto` chooses from."""
        return self.kind != "wecom" and self.medium in _ORDER


@dataclass(frozen=True, slots=True)
class Unreachable:
    reason: str  # consent, no_reachable_channel, unknown_channel
    detail: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A channel with how well the person responds there: 0.2 is what is usual."""

    channel: Channel
    score: float


def choose(
    wanted: str, snapshot: Snapshot, purpose: str, channels: Mapping[str, Channel]
) -> Channel | Unreachable:
    """The channel to use for a message, or why there is none."""
    if wanted != AUTO_CHANNEL:
        return _named(wanted, snapshot, purpose, channels)
    found = ranked(snapshot, purpose, channels)
    return found if isinstance(found, Unreachable) else found[0].channel


def ranked(
    snapshot: Snapshot, purpose: str, channels: Mapping[str, Channel]
) -> list[Ranked] | Unreachable:
    """The channels that reach the person and may, best first; one of each medium."""
    standing = sorted(
        (each for each in channels.values() if each.reaches_customers and not each.disabled),
        key=lambda each: (_ORDER[each.medium], each.name != each.medium, each.name),
    )
    by_medium = {each.medium: each for each in reversed(standing)}
    reaching = [each for each in standing if by_medium[each.medium] is each]
    reaching = [each for each in reaching if reaches(each, snapshot)]
    allowed = [each for each in reaching if not refused(snapshot, purpose, each.medium)]
    if allowed:
        found = [Ranked(each, response(snapshot, each.medium)) for each in allowed]
        return sorted(found, key=lambda each: -each.score)
    if reaching:
        names = ", ".join(channel.name for channel in reaching)
        return Unreachable("consent", f"refused on {names}")
    return Unreachable("no_reachable_channel", "no address for any channel")


def _named(
    wanted: str, snapshot: Snapshot, purpose: str, channels: Mapping[str, Channel]
) -> Channel | Unreachable:
    channel = channels.get(wanted)
    if channel is None:
        return Unreachable("no_reachable_channel", f"no channel named {wanted}")
    if channel.disabled:
        return Unreachable("no_reachable_channel", f"{wanted} is disabled: {channel.disabled}")
    if not reaches(channel, snapshot):
        return Unreachable("no_reachable_channel", f"no address for {wanted}")
    if refused(snapshot, purpose, channel.medium):
        return Unreachable("consent", f"{purpose}.{channel.medium} refused")
    return channel


def addresses_of(channel: Channel, snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """(namespace, value or token) by which the channel may reach the person, the one to use first;
    none if it needs none."""
    if channel.kind == "wecom":  # its members are staff
        return ()
    found = addresses(channel.medium, snapshot)
    if channel.kind in _BY_TEMPLATE:
        return tuple(each for each in found if each[0] == "openid")
    return found


def reaches(channel: Channel, snapshot: Snapshot) -> bool:
    if channel.kind == "wecom" or channel.medium not in ADDRESSED_BY:
        return True
    return bool(addresses_of(channel, snapshot))


def template_refused(channel: Channel, snapshot: Snapshot, template_id: str) -> bool:
    """Whether the person no longer takes what WeChat knows under this template; told by WeChat, or
    by the mini-program (`consents: {"wechat.<template id>": …}`). It holds for every purpose."""
    if channel.kind not in _BY_TEMPLATE:
        return False
    consent = snapshot.facts.consents.get(f"wechat.{template_id}")
    return consent is not None and not consent.granted


def response(snapshot: Snapshot, medium: str) -> float:
    """How well a person responds on a medium, from what they did with messages there."""
    seen = snapshot.facts.activity.get(medium, {})
    opened, clicked, bounced = (seen.get(name, 0) for name in ("opened", "clicked", "bounced"))
    received = max(seen.get("delivered", 0), opened, clicked)
    good = opened + _CLICKED * clicked - _BOUNCED * bounced + _USUAL * _WEIGHT
    return round(good / (received + bounced + _WEIGHT), 4)
