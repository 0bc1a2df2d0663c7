"""Campaigns, templates, channels and pressure as operators keep them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from zhiyin.contracts.campaigns import (
    DEFAULT_EXPERIMENTS,
    CampaignSpec,
    ChannelSpec,
    CouponTemplateSpec,
    ExperimentsSpec,
    MessageTemplateSpec,
    PressureSpec,
)
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_encode = msgspec.json.Encoder().encode
_campaign = msgspec.json.Decoder(CampaignSpec).decode
_template = msgspec.json.Decoder(MessageTemplateSpec).decode
_coupon = msgspec.json.Decoder(CouponTemplateSpec).decode
_experiments = msgspec.json.Decoder(ExperimentsSpec).decode
_pressure = msgspec.json.Decoder(PressureSpec).decode


class StoredCampaign(Struct, frozen=True):
    spec: CampaignSpec
    version: int
    state: str
    created_at: Instant
    updated_at: Instant


class StoredChannel(Struct, frozen=True):
    """`config` is sealed."""

    name: str
    kind: str
    config: bytes
    disabled: str | None
    at: Instant


class StateChange(Struct, frozen=True):
    version: int
    state: str
    at: Instant
    actor: str


async def revision(tx: Connection) -> int:
    found: int = await tx.fetchval("SELECT revision FROM catalog")
    return found


async def touch(tx: Connection) -> None:
    """Tell every worker that something operators keep has changed. Also serialises such changes,
    so call it before reading what is to be changed."""
    await tx.execute("UPDATE catalog SET revision = revision + 1")


async def begin_seeding(tx: Connection) -> bool:
    """Whether what is built in still has to be put in; true once per database."""
    answer: str = await tx.execute("UPDATE catalog SET seeded = true WHERE NOT seeded")
    return answer == "UPDATE 1"


_CAMPAIGN = "SELECT spec, version, state, created_at, updated_at FROM campaign"


async def campaigns(tx: Connection) -> list[StoredCampaign]:
    return [_stored(row) for row in await tx.fetch(f"{_CAMPAIGN} ORDER BY key")]


async def campaign(tx: Connection, key: str, *, lock: bool = False) -> StoredCampaign | None:
    suffix = " FOR UPDATE" if lock else ""
    row = await tx.fetchrow(f"{_CAMPAIGN} WHERE key = $1{suffix}", key)
    return None if row is None else _stored(row)


async def old_version(tx: Connection, key: str, version: int) -> CampaignSpec | None:
    spec = await tx.fetchval(
        "SELECT spec FROM campaign_version WHERE key = $1 AND version = $2", key, version
    )
    return None if spec is None else _campaign(spec)


async def author(tx: Connection, key: str, version: int) -> str | None:
    """Who wrote a version."""
    found: str | None = await tx.fetchval(
        "SELECT actor FROM campaign_version WHERE key = $1 AND version = $2", key, version
    )
    return found


async def save_campaign(
    tx: Connection, spec: CampaignSpec, version: int, state: str, at: Instant, actor: str
) -> None:
    """A new version, as the current one."""
    packed = _encode(spec)
    await tx.execute(
        """INSERT INTO campaign (key, version, state, spec, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $5)
           ON CONFLICT (key) DO UPDATE SET version = excluded.version, state = excluded.state,
             spec = excluded.spec, updated_at = excluded.updated_at""",
        spec.key,
        version,
        state,
        packed,
        at,
    )
    await tx.execute(
        "INSERT INTO campaign_version (key, version, spec, at, actor) VALUES ($1, $2, $3, $4, $5)",
        spec.key,
        version,
        packed,
        at,
        actor,
    )
    await _note(tx, spec.key, version, state, at, actor)


async def change_state(
    tx: Connection, key: str, version: int, state: str, at: Instant, actor: str
) -> None:
    await tx.execute(
        "UPDATE campaign SET state = $2, updated_at = $3 WHERE key = $1", key, state, at
    )
    await _note(tx, key, version, state, at, actor)


async def history(tx: Connection, key: str) -> list[StateChange]:
    rows = await tx.fetch(
        "SELECT version, state, at, actor FROM campaign_change WHERE key = $1 ORDER BY seq", key
    )
    return [StateChange(*row) for row in rows]


async def templates(tx: Connection) -> list[tuple[str, MessageTemplateSpec]]:
    rows = await tx.fetch("SELECT key, spec FROM message_template ORDER BY key")
    return [(key, _template(spec)) for key, spec in rows]


async def save_template(tx: Connection, key: str, spec: MessageTemplateSpec, at: Instant) -> None:
    await tx.execute(
        """INSERT INTO message_template (key, spec, at) VALUES ($1, $2, $3)
           ON CONFLICT (key) DO UPDATE SET spec = excluded.spec, at = excluded.at""",
        key,
        _encode(spec),
        at,
    )


async def channels(tx: Connection) -> list[StoredChannel]:
    rows = await tx.fetch("SELECT name, kind, config, disabled, at FROM channel ORDER BY name")
    return [StoredChannel(*row) for row in rows]


async def save_channel(
    tx: Connection, name: str, spec: ChannelSpec, sealed: bytes, at: Instant
) -> None:
    """Configuring a channel anew also enables it again."""
    await tx.execute(
        """INSERT INTO channel (name, kind, config, at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, config = excluded.config,
             disabled = NULL, at = excluded.at""",
        name,
        spec.kind,
        sealed,
        at,
    )


async def disable_channel(tx: Connection, name: str, reason: str) -> None:
    await tx.execute(
        "UPDATE channel SET disabled = $2 WHERE name = $1 AND disabled IS NULL", name, reason
    )


async def coupon_templates(tx: Connection) -> list[tuple[CouponTemplateSpec, int]]:
    """Each with how many have been issued."""
    rows = await tx.fetch("SELECT spec, issued FROM coupon_template ORDER BY key")
    return [(_coupon(spec), issued) for spec, issued in rows]


async def coupon_template(tx: Connection, key: str) -> CouponTemplateSpec | None:
    spec = await tx.fetchval("SELECT spec FROM coupon_template WHERE key = $1", key)
    return None if spec is None else _coupon(spec)


async def change_coupon_template(tx: Connection, spec: CouponTemplateSpec, at: Instant) -> bool:
    """False if more have been issued than the budget would be, or there is none of that key."""
    answer: str = await tx.execute(
        """UPDATE coupon_template SET spec = $2, budget = $3, at = $4
           WHERE key = $1 AND ($3::bigint IS NULL OR issued <= $3)""",
        spec.key,
        _encode(spec),
        spec.budget,
        at,
    )
    return answer == "UPDATE 1"


async def add_coupon_template(tx: Connection, spec: CouponTemplateSpec, at: Instant) -> bool:
    """False if the key is taken."""
    answer: str = await tx.execute(
        """INSERT INTO coupon_template (key, spec, budget, at) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING""",
        spec.key,
        _encode(spec),
        spec.budget,
        at,
    )
    return answer == "INSERT 0 1"


async def pressure(tx: Connection) -> PressureSpec | None:
    spec = await tx.fetchval("SELECT pressure FROM catalog")
    return None if spec is None else _pressure(spec)


async def save_pressure(tx: Connection, spec: PressureSpec) -> None:
    await tx.execute("UPDATE catalog SET pressure = $1", _encode(spec))


async def experiments(tx: Connection) -> ExperimentsSpec:
    spec = await tx.fetchval("SELECT experiments FROM catalog")
    return DEFAULT_EXPERIMENTS if spec is None else _experiments(spec)


async def save_experiments(tx: Connection, spec: ExperimentsSpec) -> None:
    await tx.execute("UPDATE catalog SET experiments = $1", _encode(spec))


async def _note(
    tx: Connection, key: str, version: int, state: str, at: Instant, actor: str
) -> None:
    await tx.execute(
        """INSERT INTO campaign_change (key, version, state, at, actor)
           VALUES ($1, $2, $3, $4, $5)""",
        key,
        version,
        state,
        at,
        actor,
    )


def _stored(row: Sequence[Any]) -> StoredCampaign:
    spec, *rest = row
    return StoredCampaign(_campaign(spec), *rest)
