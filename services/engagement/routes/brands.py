"""Whose campaigns a caller may see and change: the gateway says of which brands they are."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from services.engagement.refusals import no_such
from services.engagement.store import settings
from zhiyin.contracts.campaigns import CampaignSpec
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem

_CAMPAIGN: Final = "/v1/campaigns/"


def brands_of(
    named: Annotated[str | None, Header(alias="x-zhiyin-brands")] = None,
) -> frozenset[str] | None:
    """None: of all."""
    return None if named is None else frozenset(named.split(","))


Brands = Annotated[frozenset[str] | None, Depends(brands_of)]


def within(spec: CampaignSpec, brands: frozenset[str] | None) -> bool:
    return brands is None or spec.brand in brands


def check(spec: CampaignSpec, brands: frozenset[str] | None) -> None:
    """Whether the caller may have such a campaign. Raises Problem (403)."""
    if not within(spec, brands):
        message = f"your campaigns are of {', '.join(sorted(brands or ()))}: name one of them"
        error = FieldError("/brand", "brand_not_yours", message)
        raise Problem(403, "brand_not_yours", message, errors=[error])


def own_campaigns_only(db: Database) -> Callable[..., Awaitable[None]]:
    """Stands before every call about one campaign, whatever it is: another brand's is not there."""

    async def guard(request: Request, brands: Brands) -> None:
        path: str = request.scope["path"]
        if brands is None or not path.startswith(_CAMPAIGN):
            return
        key = path[len(_CAMPAIGN) :].partition("/")[0]
        async with db.connection() as connection:
            found = await settings.campaign(connection, key)
        if found is None or not within(found.spec, brands):
            raise no_such("campaign", key)

    return guard


async def hidden_from(tx: Connection, brands: frozenset[str] | None) -> frozenset[str]:
    """Keys of the campaigns a caller does not see. A page without them may be a short one."""
    if brands is None:
        return frozenset()
    every = await settings.campaigns(tx)
    return frozenset(each.spec.key for each in every if not within(each.spec, brands))
