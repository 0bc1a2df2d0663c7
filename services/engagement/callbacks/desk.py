"""Takes what a provider calls back with: from whom it says it is, whom it is about, and told."""

import uuid
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
import structlog

from services.engagement.callbacks import aliyun, standard, wechat
from services.engagement.callbacks.heard import (
    Answered,
    Heard,
    Reply,
    Report,
    Taken,
    Unfit,
    Unsigned,
)
from services.engagement.catalogs import Catalogs
from services.engagement.domain.channels import Channel
from services.engagement.domain.news import SOURCE, became
from services.engagement.refusals import no_such, one_fault
from services.engagement.store import people
from services.engagement.store import sent as stored
from services.engagement.store.sent import SentAction
from services.engagement.telling import Teller
from zhiyin.contracts.callbacks import Callback
from zhiyin.contracts.channels import AliyunSmsConfig, SmtpConfig, WebhookConfig, WechatConfig
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import Instant, moment, rfc3339
from zhiyin.facts.reach import address
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

_log = structlog.get_logger(__name__)
_json: Final = msgspec.json.Encoder().encode


class Door(Protocol):
    """The gateway's own: phone numbers come to it in clear, and only there become tokens."""

    async def post(self, events: Sequence[dict[str, Any]]) -> None: ...


class Desk:
    def __init__(
        self, db: Database, catalogs: Catalogs, teller: Teller, door: Door, clock: Clock
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._teller = teller
        self._door = door
        self._clock = clock

    async def take(self, name: str, callback: Callback) -> Taken:
        """Returns once all it says is durable. Raises Problem: 404, 401 when it is not signed as it
        should be, 422 when it cannot be read."""
        async with self._db.transaction() as tx:
            channel = (await self._catalogs.current(tx)).channels.get(name)
        if channel is None:
            raise no_such("channel", name)
        try:
            taken = self._read(channel, callback)
        except Unsigned as error:
            raise Problem(401, "bad_signature", str(error)) from error
        except Unfit as error:
            raise one_fault(error.pointer, "invalid", error.message) from error
        await self._reports(channel, [each for each in taken.heard if isinstance(each, Report)])
        answers = [each for each in taken.heard if isinstance(each, Answered)]
        await self._teller.tell([_answer(channel, each) for each in answers])
        if posts := _replies(channel, taken.heard):
            await self._door.post(posts)
        return taken

    def _read(self, channel: Channel, callback: Callback) -> Taken:
        match channel.kind:
            case "webhook":
                config = msgspec.json.decode(channel.config, type=WebhookConfig)
                return standard.take(callback, config)
            case "smtp":
                return standard.take(callback, msgspec.json.decode(channel.config, type=SmtpConfig))
            case "aliyun_sms":
                return aliyun.take(
                    callback, msgspec.json.decode(channel.config, type=AliyunSmsConfig)
                )
            case "wechat_subscribe" | "wechat_template":
                found = msgspec.json.decode(channel.config, type=WechatConfig)
                return wechat.take(callback, found, self._clock())
            case _:
                raise no_such("callback of the channel", channel.name)

    async def _reports(self, channel: Channel, reports: Sequence[Report]) -> None:
        if not reports:
            return
        async with self._db.transaction() as tx:
            sent = await stored.by_ids_or_references(
                tx,
                channel.name,
                [each for report in reports if (each := _id(report.action_id))],
                [report.reference for report in reports if report.reference],
            )
            snapshots = await people.snapshots(tx, {each.profile_id for each in sent})
        known = {each.action_id: each for each in sent}
        known |= {each.reference: each for each in sent if each.reference}
        events = []
        for report in reports:
            action = known.get(report.action_id or "") or known.get(report.reference or "")
            if action is None:
                _log.warning("report_of_nothing_sent", channel=channel.name, what=report.what)
                continue
            snapshot = snapshots.get(action.profile_id)
            found = address(channel.medium, snapshot) if report.hard and snapshot else None
            events.append(_event(report, action, channel.medium, found, self._clock()))
        await self._teller.tell(events)


def _event(
    report: Report,
    action: SentAction,
    medium: str,
    where: tuple[str, str] | None,
    now: Instant,
) -> Event:
    more: dict[str, Any] = {}
    if report.what == "bounced":
        more = {"hard": report.hard, "reason": report.reason}
        if where is not None:
            more["address"] = ":".join(where)
    elif report.url is not None:
        more = {"url": report.url}
    at = now if report.at is None else min(report.at, now)
    return became(report.what, action.action_id, action.profile_id, medium, at, report.part, **more)


def _answer(channel: Channel, said: Answered) -> Event:
    """By whom WeChat knows; whose that is, the profile service knows."""
    kind, properties = "engagement.unsubscribed", dict[str, Any](channel=channel.medium)
    if said.purpose is not None:
        kind, properties = "customer.updated", {"consents": {said.purpose: said.granted}}
    at = moment(said.at)
    return Event(
        event_id=said.id,
        type=kind,
        occurred_at=at,
        received_at=at,
        customer={said.namespace: said.value},
        properties=msgspec.Raw(_json(properties)),
        source=SOURCE,
    )


def _replies(channel: Channel, heard: Sequence[Heard]) -> list[dict[str, Any]]:
    """As a storefront would post them."""
    found = []
    for reply in (each for each in heard if isinstance(each, Reply)):
        stop = {"type": "engagement.unsubscribed", "properties": {"channel": channel.medium}}
        said = {
            "type": "custom.replied",
            "properties": {"channel": channel.medium, "text": reply.text},
        }
        found.append(
            {
                "event_id": reply.id,
                "source": channel.name,
                "occurred_at": rfc3339(reply.at),
                "customer": {"phone": reply.phone},
                **(stop if reply.stop else said),
            }
        )
    return found


def _id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
