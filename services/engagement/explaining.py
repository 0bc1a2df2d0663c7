"""Why a campaign did, or did not do, what for somebody: the whole story, from the ledger."""

from typing import Any, Final

from services.engagement.domain.campaign import BroadcastStart, Campaign, ScheduleStart
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.decide import decide
from services.engagement.domain.occurrence import Occurrence
from services.engagement.domain.outlook import outlook
from services.engagement.domain.story_words import Story, never_words, reason_words, story_words
from services.engagement.gather import Gatherer
from services.engagement.refusals import no_such
from services.engagement.store import reports, stories
from services.engagement.store.stories import Done, Told
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.rules import Options, Person
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

View = dict[str, Any]
_MOST: Final = 50


class Explainer:
    def __init__(self, db: Database, gatherer: Gatherer, options: Options, clock: Clock) -> None:
        self._db = db
        self._gatherer = gatherer
        self._options = options
        self._clock = clock

    async def explain(self, key: str, profile_id: str) -> View:
        """Raises Problem (404) for an unknown campaign or person."""
        now = self._clock()
        async with self._db.connection() as tx:
            catalog = await self._gatherer.catalogs.current(tx)
            campaign = catalog.campaigns.get(key)
            if campaign is None:
                raise no_such("campaign", key)
            present = await reports.present_id(tx, profile_id)
            told = await stories.decisions(tx, present, key, _MOST)
            view: View = {
                "campaign": key,
                "name": campaign.spec.name,
                "version": campaign.version,
                "state": campaign.state,
                "profile_id": present,
                "as_of": rfc3339(now),
                "now": await self._now(tx, campaign, present, catalog, now),
                "occurrences": await self._told(tx, campaign, present, told, catalog),
                "expected": await _expected(tx, campaign, present, now),
            }
        first = view["occurrences"][0] if told else None
        return {**view, "sentence": never_words() if first is None else first["sentence"]}

    async def _now(
        self, tx: Connection, campaign: Campaign, profile_id: str, catalog: Catalog, now: Instant
    ) -> View:
        """What would be decided if the trigger came this instant."""
        customer, around = await self._gatherer.glance(tx, profile_id, campaign, catalog, now)
        if customer.snapshot is None:
            raise no_such("profile", profile_id)
        occurrence = Occurrence("now", campaign.trigger_kind, now, "now")
        decision = decide(customer, campaign, occurrence, around)
        where = None
        if campaign.where is not None:
            person = Person(customer.snapshot, customer.segments)
            where = campaign.where.explain(person, now).view(self._options)
        return {"would_enter": decision.entered, **_reason(decision.reason), "where": where}

    async def _told(
        self,
        tx: Connection,
        campaign: Campaign,
        profile_id: str,
        told: list[Told],
        catalog: Catalog,
    ) -> list[View]:
        done = await stories.steps(tx, profile_id, campaign.key)
        wanted = {(campaign.key, each.version) for each in told}
        wanted |= {(campaign.key, each.run.version) for each in told if each.run is not None}
        versions = await self._gatherer.catalogs.versions(tx, catalog, wanted)
        return [
            self._occurrence(
                each,
                [step for step in done if step.occurrence == each.occurrence],
                versions.get((campaign.key, each.version), campaign),
                versions.get((campaign.key, each.run.version), campaign) if each.run else campaign,
            )
            for each in told
        ]

    def _occurrence(
        self, told: Told, done: list[Done], decided_by: Campaign, walks: Campaign
    ) -> View:
        run, steps = told.run, [_step(each) for each in done]
        coming = [] if run is None else outlook(run, walks.journey)
        over = None if run is None or run.inside else (run.state, run.reason)
        why = {name: value for name, value in told.why.items() if name != "where"}
        return {
            "occurrence": told.occurrence,
            "at": rfc3339(told.at),
            "version": told.version,
            "entered": told.entered,
            **_reason(told.reason),
            "times": told.times,
            "why": why,
            "where": self._clauses(told, decided_by),
            "goal_at": None if told.goal_at is None else rfc3339(told.goal_at),
            "journey": None
            if run is None
            else {
                "state": run.state,
                **_reason(run.reason),
                "version": run.version,
                "entered_at": rfc3339(run.entered_at),
                "step": run.step,
            },
            "steps": steps,
            "next": coming,
            "sentence": story_words(
                Story(told.at, told.reason, told.entered, steps, over, coming), self._options
            ),
        }

    def _clauses(self, told: Told, campaign: Campaign) -> list[View]:
        """The clauses of the condition as they held then."""
        held = told.why.get("where", {})
        words = {} if campaign.where is None else campaign.where.words(self._options)
        return [
            {"pointer": f"/where{pointer}", "matches": matches, "words": words.get(pointer)}
            for pointer, matches in held.items()
        ]


async def _expected(
    tx: Connection, campaign: Campaign, profile_id: str, now: Instant
) -> list[View]:
    """When its trigger is to come for this person, as far as time alone tells."""
    if campaign.state != "live":
        return []
    found = [
        {"on": campaign.trigger_kind, "what": each.what, "due": each.due, "at": rfc3339(each.at)}
        for each in await stories.watched(tx, profile_id, campaign.key, now, _MOST)
    ]
    if (everybodys := _everybodys(campaign, now)) is not None:
        at = rfc3339(everybodys)
        found.append({"on": campaign.trigger_kind, "what": campaign.about, "due": at, "at": at})
    return found


def _everybodys(campaign: Campaign, now: Instant) -> Instant | None:
    """The instant that comes for all members of a segment."""
    match campaign.start:
        case ScheduleStart(cron=cron):
            return cron.after(now)
        case BroadcastStart(at=at) if at is not None and at > now:
            return at
        case _:
            return None


def _reason(reason: str | None) -> View:
    words = reason_words(reason)
    return {
        "reason": reason,
        "reason_words": None if reason is None else {"zh": words.zh, "en": words.en},
    }


def _step(done: Done) -> View:
    return {
        "step": done.step,
        "kind": done.kind,
        "state": done.state,
        **_reason(done.reason),
        "channel": done.channel,
        "template": done.template,
        "at": rfc3339(done.at),
        "due_at": None if done.due_at is None else rfc3339(done.due_at),
        "sent_at": None if done.sent_at is None else rfc3339(done.sent_at),
        "action_id": done.action_id,
        "why": done.why,
    }
