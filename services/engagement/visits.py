"""People who follow the links we sent them: each visit becomes an event, and leads on."""

import hmac
from typing import Any, Final

import structlog

from services.engagement.domain.channels import Channel
from services.engagement.domain.links import LEAVE, OPEN, code_of
from services.engagement.domain.news import Became, about, became
from services.engagement.pages import (
    Language,
    language,
    leave_page,
    notice,
    survey_page,
    thanks,
)
from services.engagement.store import links, surveys
from services.engagement.store import settings as stored
from services.engagement.store.links import Issued
from services.engagement.telling import Teller
from zhiyin.contracts.surveys import SurveySpec
from zhiyin.contracts.visits import Visit, Visited
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.log import LogUnavailable

_log = structlog.get_logger(__name__)
_SURVEY: Final = "survey:"


class Visits:
    def __init__(self, db: Database, teller: Teller, key: bytes, clock: Clock) -> None:
        self._db = db
        self._teller = teller
        self._key = key
        self._clock = clock

    async def take(self, visit: Visit) -> Visited:
        issued = await self._issued(visit.code)
        tongue = language(visit.languages)
        match visit.kind:
            case _ if issued is None:
                return notice("unknown", tongue, 404)
            case "r" if issued.url:
                return await self._follow(visit, issued)
            case "o" if issued.purpose == OPEN:
                await self._gladly("opened", issued)
                return Visited(200)
            case "u" if issued.purpose == LEAVE:
                return await self._leave(visit, issued, tongue)
            case "s" if issued.purpose.startswith(_SURVEY):
                return await self._survey(visit, issued, tongue)
            case _:
                return notice("unknown", tongue, 404)

    async def _issued(self, code: str) -> Issued | None:
        """None unless we made the code for that very message and purpose."""
        async with self._db.connection() as connection:
            found = await links.find(connection, code)
        if found is None:
            return None
        ours = code_of(self._key, found.action_id, found.purpose)
        return found if hmac.compare_digest(ours, code) else None

    async def _follow(self, visit: Visit, issued: Issued) -> Visited:
        if visit.looks:
            await self._gladly("clicked", issued, part=issued.purpose, url=issued.url)
        return Visited(302, location=issued.url)

    async def _gladly(self, what: Became, issued: Issued, **more: Any) -> None:
        """Whoever wants to see the page gets there, even when nobody can write down that."""
        try:
            await self._tell(what, issued, **more)
        except LogUnavailable as error:
            _log.warning("visit_not_counted", what=what, error=repr(error))

    async def _tell(self, what: Became, issued: Issued, **more: Any) -> None:
        medium, now = await self._medium(issued), self._clock()
        event = became(what, issued.action_id, issued.profile_id, medium, now, **more)
        await self._teller.tell([event])

    async def _medium(self, issued: Issued) -> str:
        async with self._db.connection() as connection:
            found = await stored.channels(connection)
        kinds = {each.name: each.kind for each in found}
        return Channel(issued.channel, kinds.get(issued.channel, "")).medium

    async def _leave(self, visit: Visit, issued: Issued, tongue: Language) -> Visited:
        """Looking is not leaving: mail scanners look at every link."""
        if not visit.acts:
            return leave_page(tongue)
        await self._tell("unsubscribed", issued)
        return notice("left", tongue, 200)

    async def _survey(self, visit: Visit, issued: Issued, tongue: Language) -> Visited:
        key, now = issued.purpose.removeprefix(_SURVEY), self._clock()
        async with self._db.connection() as connection:
            spec = await surveys.find(connection, key)
        if spec is None:
            return notice("unknown", tongue, 404)
        if issued.used_at is not None:
            return notice("answered", tongue, 410)
        if issued.expires_at is not None and now >= issued.expires_at:
            return notice("expired", tongue, 410)
        if not visit.acts:
            return survey_page(spec, tongue)
        return await self._answer(visit, issued, key, spec, tongue)

    async def _answer(
        self, visit: Visit, issued: Issued, key: str, spec: SurveySpec, tongue: Language
    ) -> Visited:
        reason = visit.form.get("reason", "")
        if reason not in {each.key for each in spec.reasons}:
            return survey_page(spec, tongue, missing=True)
        comment = visit.form.get("comment", "").strip()[:1000] if spec.comment else ""
        now = self._clock()
        properties = {
            "survey": key,
            "reason": reason,
            "action_id": str(issued.action_id),
            "campaign": issued.campaign,
            **({"comment": comment} if comment else {}),
        }
        event_id = f"{issued.action_id}:survey:{key}"
        event = about(issued.profile_id, event_id, "custom.survey_answered", properties, now)
        # Before the link is used up: told twice it counts once, and never is not told.
        await self._teller.tell([event])
        async with self._db.transaction() as tx:
            first = await links.use(tx, visit.code, reason, now)
        return notice("answered", tongue, 410) if not first else thanks(spec, tongue)
