"""Templates tried out on real customers before anybody is written to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from services.engagement.catalogs import Catalogs
from services.engagement.domain.channels import Channel
from services.engagement.domain.sms_length import SmsLength, sms_length
from services.engagement.domain.templates import MessageTemplate, Rendered, message_template
from services.engagement.refusals import no_such, one_fault, refusing
from services.engagement.store import people, reports, samples
from zhiyin.contracts.channels import AliyunSmsConfig, MessageTemplateSpec
from zhiyin.contracts.previews import PreviewSpec, SampleSpec
from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts import profile_view
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

# What a journey would have brought along, in the absence of one.
ASSUMED: Final[Mapping[str, Any]] = {
    "coupon": {
        "code": "SAMPLE12345",
        "name": "示例券",
        "kind": "amount",
        "value": "30.00",
        "minimum": "99.00",
        "expires_at": "2030-01-01T00:00:00Z",
    },
    "campaign": {"key": "sample", "name": "示例活动"},
    "links": {"unsubscribe": "https://example.com/u/sample"},
}


class Missing(Struct, frozen=True):
    """How many of those looked at have no such value, and one of them."""

    variable: str
    people: int
    share: float
    example: str


class Previews:
    def __init__(self, db: Database, catalogs: Catalogs, currency: str, clock: Clock) -> None:
        self._db = db
        self._catalogs = catalogs
        self._currency = currency
        self._clock = clock

    async def one(self, key: str | None, asked: PreviewSpec) -> dict[str, Any]:
        """What this person would get. Raises Problem: 404, 422."""
        template = await self._template(key, asked.template)
        async with self._db.transaction() as tx:
            who = await reports.present_id(tx, asked.profile_id)
            snapshot = (await people.snapshots(tx, {who})).get(who)
            segments = await samples.segments(tx, who)
            channel = await self._channel(tx, asked.channel)
            values = await self._values(tx, asked.context)
        if snapshot is None:
            raise no_such("profile", asked.profile_id)
        profile = profile_view(snapshot, segments, self._clock(), currency=self._currency)
        said = dict(asked.instead)
        if asked.language is not None:
            said["language"] = asked.language
        attributes = {name: {"value": value} for name, value in said.items()}
        profile = {**profile, "attributes": {**profile["attributes"], **attributes}}
        rendered = template.render({**values, "profile": profile}, channel)
        return {
            "profile_id": who,
            "channel": None if channel is None else channel.name,
            **_shown(rendered),
            "sms": _sms(rendered, channel),
            "assumed": sorted(set(values) - set(asked.context)),
        }

    async def sample(self, key: str, asked: SampleSpec) -> dict[str, Any]:
        """What is missing, for how many of a sample. Raises Problem: 404, 422."""
        template = await self._template(key, None)
        async with self._db.transaction() as tx:
            channel = await self._channel(tx, asked.channel)
            values = await self._values(tx, asked.context)
            found = await samples.people(tx, asked.size, asked.segment)
        now = self._clock()
        rendered = [
            template.render(
                {
                    **values,
                    "profile": profile_view(each, frozenset(), now, currency=self._currency),
                },
                channel,
            )
            for each in found
        ]
        return {
            "sampled": len(found),
            "variables": template.variables(),
            "missing": _missing(found, rendered),
            "failed": sum(each.error is not None for each in rendered),
            "languages": dict(Counter(each.language for each in rendered)),
            "sms_parts": {
                str(parts): count
                for parts, count in sorted(
                    Counter(_sms(each, channel).parts for each in rendered).items()
                )
            },
        }

    async def _template(self, key: str | None, spec: MessageTemplateSpec | None) -> MessageTemplate:
        if spec is not None:
            with refusing("/template"):
                return message_template(key or "draft", spec)
        if key is None:
            raise one_fault("/template", "required", "nothing to show: give the template")
        async with self._db.transaction() as tx:
            catalog = await self._catalogs.current(tx)
        if key not in catalog.templates:
            raise no_such("template", key)
        return catalog.templates[key]

    async def _channel(self, tx: Connection, name: str | None) -> Channel | None:
        if name is None:
            return None
        catalog = await self._catalogs.current(tx)
        if name not in catalog.channels:
            raise one_fault("/channel", "unknown_reference", f"no channel has the key {name!r}")
        return catalog.channels[name]

    async def _values(self, tx: Connection, context: Mapping[str, Any]) -> dict[str, Any]:
        surveys = (await self._catalogs.current(tx)).surveys
        links = dict.fromkeys(surveys, "https://example.com/s/sample")
        return {**ASSUMED, "trigger": {}, "surveys": links, **context}


def _shown(rendered: Rendered) -> dict[str, Any]:
    return {
        "language": rendered.language,
        "subject": rendered.subject,
        "text": rendered.text,
        "html": rendered.html or None,
        "template_id": rendered.template_id or None,
        "params": dict(rendered.params),
        "page": rendered.page or None,
        "missing": list(rendered.missing),
        "error": rendered.error,
    }


def _sms(rendered: Rendered, channel: Channel | None) -> SmsLength:
    signature = ""
    if channel is not None and channel.kind == "aliyun_sms":
        signature = msgspec.json.decode(channel.config, type=AliyunSmsConfig).sign_name
    return sms_length(rendered.text, signature)


def _missing(found: Sequence[Snapshot], rendered: Sequence[Rendered]) -> list[Missing]:
    counted: Counter[str] = Counter()
    example: dict[str, str] = {}
    for person, one in zip(found, rendered, strict=True):
        for variable in one.missing:
            counted[variable] += 1
            example.setdefault(variable, person.profile_id)
    return [
        Missing(variable, count, round(count / len(found), 4), example[variable])
        for variable, count in counted.most_common()
    ]
