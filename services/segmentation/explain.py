"""Why somebody is, or is not, in a segment."""

from collections.abc import Iterable

from services.segmentation import definitions, reads
from services.segmentation.catalogue import current_options
from services.segmentation.domain.outlook import Outlook, outlook
from services.segmentation.domain.ready_segments.shelf import words_of
from services.segmentation.domain.segment_set import Definition, SegmentSet, build_set
from services.segmentation.domain.state import decode_state
from services.segmentation.editor import not_found
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.profiles import Snapshot, decode_snapshot
from zhiyin.contracts.segments import EvidenceEvent, ReadSegment, SegmentExplanation
from zhiyin.rules import Options, parse, segments_read
from zhiyin.rules.sentences import Subject, sentence
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem


def no_profile(profile_id: str) -> Problem:
    return Problem(404, "profile_not_found", f"there is no profile {profile_id}")


async def explain(
    database: Database, options: Options, key: str, profile_id: str
) -> SegmentExplanation:
    """Raises Problem (404) when there is no such segment or person."""
    async with database.connection() as connection:
        options = await current_options(connection, options)
        rules = await _concerned(connection, options, key)
        names = await reads.names(connection, rules.position)
        packed = await reads.packed_person(connection, profile_id)
        now = await reads.now(connection)
    if key not in rules.position:
        raise not_found(key)
    if packed is None:
        raise no_profile(profile_id)
    snapshot = decode_snapshot(packed.snapshot)
    *read, asked = outlook(snapshot, rules, key, now)
    standing = decode_state(packed.state).standings.get(key)
    since = standing.since if standing else None
    told = asked.told
    return SegmentExplanation(
        segment=key,
        profile_id=profile_id,
        matches=told.matches,
        member=since is not None,
        pending=told.matches != (since is not None),
        since=_at(since),
        rule_version=asked.segment.version,
        next_flip=_at(told.next_flip),
        as_of=rfc3339(now),
        clauses=told.view(options),
        next_change=None if told.becomes is None else "entered" if told.becomes else "left",
        sentence=_sentence(asked, names[key], options),
        events=_evidence(snapshot, told.events()),
        segments=[_read(one, names[one.segment.key], options) for one in read],
    )


async def _concerned(connection: Connection, options: Options, key: str) -> SegmentSet:
    """The segment and those it reads, compiled; the others are of no concern."""
    stored = {one.key: one for one in await definitions.load(connection)}
    wanted = [key]
    found: dict[str, Definition] = {}
    while wanted:
        definition = stored.get(wanted.pop())
        if definition is not None and definition.key not in found:
            found[definition.key] = definition
            wanted += segments_read(parse(definition.rule))
    return build_set(1, found.values(), options, SegmentSet())


def _read(one: Outlook, name: str, options: Options) -> ReadSegment:
    return ReadSegment(
        one.segment.key,
        one.segment.version,
        one.told.matches,
        _at(one.told.next_flip),
        _sentence(one, name, options),
        one.told.view(options),
    )


def _sentence(one: Outlook, name: str, options: Options) -> dict[str, str]:
    said = sentence(
        one.told, Subject(words_of(one.segment.key, name), one.segment.version), options
    )
    return {"zh": said.zh, "en": said.en}


def _evidence(snapshot: Snapshot, event_ids: Iterable[str]) -> list[EvidenceEvent]:
    """Of those events the ones the profile still keeps."""
    wanted = set(event_ids)
    kept = [
        one for family in snapshot.facts.kept.values() for one in family if one.event_id in wanted
    ]
    kept.sort(key=lambda one: (one.at, one.event_id), reverse=True)
    return [EvidenceEvent(one.event_id, one.type, rfc3339(one.at), one.source) for one in kept]


def _at(at: Instant | None) -> str | None:
    return None if at is None else rfc3339(at)
