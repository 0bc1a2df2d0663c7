"""Everything that is kept of one person, gathered from all services into one document."""

from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from services.gateway.people import Asking, Person
from services.gateway.upstreams import ENGAGEMENT, PROFILE, SEGMENTATION, Answer, Asked
from zhiyin.runtime.problems import Problem

FORMAT: Final = "zhiyin.profile-export/1"
_PAGE: Final = 500
_SECONDS: Final = 30.0

Items = list[dict[str, Any]]


class Export(Struct, frozen=True):
    """`masked`: names, phone and email are not in clear, since the caller may not see them.
    `events` holds each as it came; `segment_history` each entering and leaving; `actions` what was
    decided, sent, or skipped and why; `tasks` what staff were to do."""

    exported_at: str
    masked: bool
    profile: dict[str, Any]
    events: Items
    segments: Items
    segment_history: Items
    actions: Items
    coupons: Items
    tasks: Items = []
    format: str = FORMAT


class _Page(Struct, frozen=True):
    items: Items
    next_cursor: str | None = None


class Services(Protocol):
    async def ask(self, service: str, asked: Asked) -> Answer: ...


class Exporter:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def everything(
        self, person: Person, view: dict[str, Any], masked: bool, at: str, asking: Asking
    ) -> Export:
        """`view`: the profile as the caller may see it. Raises Problem (503): an export that
        lacks something is none."""
        place = f"/v1/profiles/{quote(person.snapshot.profile_id)}"
        internal = f"/internal/memberships/{quote(person.snapshot.profile_id)}"
        return Export(
            at,
            masked,
            view,
            await self._all(PROFILE, f"{place}/timeline", asking),
            await self._all(SEGMENTATION, f"{place}/segments", asking),
            await self._all(SEGMENTATION, internal, asking),
            await self._all(ENGAGEMENT, f"{place}/actions", asking),
            await self._all(ENGAGEMENT, f"{place}/coupons", asking),
            await self._all(ENGAGEMENT, "/v1/tasks", asking, profile_id=person.snapshot.profile_id),
        )

    async def _all(self, service: str, path: str, asking: Asking, **more: str) -> Items:
        """Every page. A service that has not met the person yet has nothing."""
        found: Items = []
        query = {"limit": str(_PAGE), **more}
        while True:
            asked = Asked(
                "GET", f"{path}?{urlencode(query)}", asking.actor, asking.traceparent,
                timeout=_SECONDS,
            )  # fmt: skip
            answer = await self._services.ask(service, asked)
            if answer.status == 404:
                return found
            if answer.status != 200:
                raise Problem(503, "unavailable", f"the {service} service is away", retry_after=2)
            page = msgspec.json.decode(answer.body, type=_Page)
            found += page.items
            if page.next_cursor is None:
                return found
            query["cursor"] = page.next_cursor
