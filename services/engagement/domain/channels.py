"""Which channel reaches a person: reachable, allowed, and the one they respond to best."""

from collections.abc import Mapping
from dataclasses import dataclass

from zhiyin.contracts.campaigns import AUTO_CHANNEL
from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts.reach import ADDRESSED_BY, address, refused


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured channel; `disabled` says since why nothing goes through it any more."""

    name: str
    kind: str
    config: bytes = b"{}"
    disabled: str | None = None


@dataclass(frozen=True, slots=True)
class Unreachable:
    reason: str  # consent, no_reachable_channel, unknown_channel
    detail: str


def choose(
    wanted: str, snapshot: Snapshot, purpose: str, channels: Mapping[str, Channel]
) -> Channel | Unreachable:
    """The channel to use for a message, or why there is none."""
    if wanted != AUTO_CHANNEL:
        return _named(wanted, snapshot, purpose, channels)
    reaching = [
        channels[name]
        for name in ADDRESSED_BY
        if name in channels and not channels[name].disabled and _reaches(name, snapshot)
    ]
    allowed = [channel for channel in reaching if not refused(snapshot, purpose, channel.name)]
    if allowed:
        return max(allowed, key=lambda channel: _response(snapshot, channel.name))
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
    if not _reaches(wanted, snapshot):
        return Unreachable("no_reachable_channel", f"no address for {wanted}")
    if refused(snapshot, purpose, wanted):
        return Unreachable("consent", f"{purpose}.{wanted} refused")
    return channel


def _reaches(channel: str, snapshot: Snapshot) -> bool:
    return channel not in ADDRESSED_BY or address(channel, snapshot) is not None


def _response(snapshot: Snapshot, channel: str) -> int:
    seen = snapshot.facts.activity.get(channel, {})
    return seen.get("opened", 0) + 3 * seen.get("clicked", 0) - 5 * seen.get("bounced", 0)
