"""Whether a campaign can work: alone, with what it refers to, and beside the other campaigns."""

from typing import Final

import msgspec

from services.engagement.domain.acts import Known
from services.engagement.domain.build import build_campaign
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.references import segments_named, tags_named, tags_set
from services.engagement.naming import Names, Unknown
from services.engagement.refusals import one_fault, refusing
from services.engagement.store import settings as stored
from zhiyin.contracts.campaigns import CampaignSpec
from zhiyin.rules import Options
from zhiyin.runtime.batch import Connection

_NOTHING: Final = Unknown()


class Checker:
    def __init__(self, options: Options, names: Names) -> None:
        self._options = options
        self._names = names

    async def unknown(self, spec: CampaignSpec) -> Unknown:
        """Asks others, so it is asked outside of any transaction. Raises Problem (503)."""
        return await self._names.unknown(
            {each.name for each in segments_named(spec)}, {each.name for each in tags_named(spec)}
        )

    async def check(
        self, tx: Connection, spec: CampaignSpec, unknown: Unknown, version: int = 1
    ) -> Campaign:
        """Raises Problem (422) with everything that is wrong."""
        _check_sizes(spec)
        with refusing():
            return build_campaign(
                spec, await known(tx, unknown), self._options, version=version, state="draft"
            )


async def known(tx: Connection, unknown: Unknown = _NOTHING) -> Known:
    """What a campaign may refer to at present. A tag that another campaign sets is one."""
    standing = [each.spec for each in await stored.campaigns(tx) if each.state != "ended"]
    to_come = {named.name for spec in standing for named in tags_set(spec)}
    return Known(
        coupons=frozenset(spec.key for spec, _ in await stored.coupon_templates(tx)),
        templates=frozenset(key for key, _ in await stored.templates(tx)),
        channels={each.name: each.kind for each in await stored.channels(tx)},
        missing_segments=unknown.segments,
        missing_tags=unknown.tags - to_come,
        campaigns=standing,
    )


def _check_sizes(spec: CampaignSpec) -> None:
    """JSON knows numbers of any length; what travels in a message does not."""
    try:
        msgspec.msgpack.encode(spec)
    except (OverflowError, RecursionError) as error:
        raise one_fault("", "out_of_range", f"a number is too large: {error}") from error
