"""Why somebody is, or is not, in a segment."""

from services.segmentation import reads
from services.segmentation.domain.state import decode_state
from services.segmentation.editor import checked_rule, not_found
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.profiles import decode_snapshot
from zhiyin.contracts.segments import SegmentExplanation
from zhiyin.rules import Options, Person, compile_rule
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem


def no_profile(profile_id: str) -> Problem:
    return Problem(404, "profile_not_found", f"there is no profile {profile_id}")


async def explain(
    database: Database, options: Options, key: str, profile_id: str
) -> SegmentExplanation:
    """Raises Problem (404) when there is no such segment or person."""
    async with database.connection() as connection:
        rows = await reads.segments(connection, key)
        packed = await reads.packed_person(connection, profile_id)
        now = await reads.now(connection)
    if not rows:
        raise not_found(key)
    if packed is None:
        raise no_profile(profile_id)
    state = decode_state(packed.state)
    standing = state.standings.get(key)
    since = standing.since if standing else None
    compiled = compile_rule(checked_rule(rows[0].rule), options)
    told = compiled.explain(Person(decode_snapshot(packed.snapshot), state.members), now)
    return SegmentExplanation(
        segment=key,
        profile_id=profile_id,
        matches=told.matches,
        member=since is not None,
        pending=told.matches != (since is not None),
        since=_at(since),
        rule_version=rows[0].version,
        next_flip=_at(told.next_flip),
        as_of=rfc3339(now),
        clauses=told.view(),
    )


def _at(at: Instant | None) -> str | None:
    return None if at is None else rfc3339(at)
