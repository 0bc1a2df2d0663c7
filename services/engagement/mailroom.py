"""Inboxes: a message that was read or clicked there is told of like in any other channel."""

import uuid

from services.engagement.domain.news import became
from services.engagement.refusals import no_such
from services.engagement.store import inbox, reports
from services.engagement.store.inbox import Letter
from services.engagement.telling import Teller
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

MEDIUM = "inbox"


class Mailroom:
    def __init__(self, db: Database, teller: Teller, clock: Clock) -> None:
        self._db = db
        self._teller = teller
        self._clock = clock

    async def mark(self, profile_id: str, message_id: uuid.UUID, *, clicked: bool) -> Letter:
        """As read, and as clicked. Raises Problem: 404, or 410 when its time is over."""
        now = self._clock()
        async with self._db.transaction() as tx:
            who = await reports.present_id(tx, profile_id)
            letter = await inbox.find(tx, who, message_id)
            if letter is None:
                raise no_such("message in this inbox", str(message_id))
            if now >= letter.expires_at:
                raise Problem(410, "message_expired", "the message's time is over")
            events = []
            if letter.read_at is None:
                events.append(became("opened", message_id, who, MEDIUM, now))
            if clicked and letter.clicked_at is None:
                events.append(became("clicked", message_id, who, MEDIUM, now))
            await self._teller.tell(events)
            await inbox.mark(tx, message_id, now, clicked=clicked)
            found = await inbox.find(tx, who, message_id)
        return found or letter
