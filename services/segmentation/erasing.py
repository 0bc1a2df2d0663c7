"""Erasing a person: everything segmentation keeps of them but that they are no more, which keeps
older news from bringing them back."""

from collections.abc import Sequence

from services.segmentation.domain.person import Verdict
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.dead_letters import forget_mentions
from zhiyin.runtime.erasures import affected, note_erasure

_DELETE = {
    "segmentation.membership": "DELETE FROM membership WHERE profile_id = ANY($1::text[])",
    "segmentation.membership_log": "DELETE FROM membership_log WHERE profile_id = ANY($1::text[])",
    "segmentation.timer": "DELETE FROM timer WHERE profile_id = ANY($1::text[])",
}


async def erase(tx: Connection, verdicts: Sequence[Verdict], now: Instant) -> None:
    """Before the verdicts are written, so that what is counted is what there was."""
    for verdict in verdicts:
        if verdict.erased:
            await _erase_one(tx, verdict, now)


async def _erase_one(tx: Connection, verdict: Verdict, now: Instant) -> None:
    profile_id = verdict.after.profile_id
    ids = [profile_id, *verdict.former]
    there = int(verdict.before is not None and not verdict.before.gone)
    counts = {"segmentation.person": there, "redis.segments": there}
    for store, statement in _DELETE.items():
        counts[store] = affected(await tx.execute(statement, ids))
    counts["segmentation.dead_letter"] = await forget_mentions(
        tx, ids, [each.encode() for each in ids]
    )
    await note_erasure(tx, profile_id, now, counts)
