"""Rows as the API shows them."""

from services.segmentation.domain.ready_segments.shelf import ready, words_of
from services.segmentation.moves import Move
from services.segmentation.reads import DaySize, Member, SegmentRow
from zhiyin.contracts.instants import rfc3339
from zhiyin.contracts.segments import (
    SegmentMember,
    SegmentMove,
    SegmentProgress,
    SegmentSize,
    SegmentView,
)
from zhiyin.rules import parse, write_text
from zhiyin.rules.words.language import LANGUAGES, same


def segment_view(row: SegmentRow) -> SegmentView:
    name = words_of(row.key, row.name)
    entry = ready(row.key, row.name)
    about = entry.about if entry and entry.about.zh == row.description else same(row.description)
    return SegmentView(
        key=row.key,
        name=row.name,
        description=row.description,
        rule=row.rule,
        version=row.version,
        status="live" if row.live else "backfilling",
        count=row.members,
        builtin=row.builtin,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
        progress=None if row.live else SegmentProgress(row.seen, row.total),
        text=write_text(parse(row.rule)),
        names={each: name.of(each) for each in LANGUAGES},
        descriptions={each: about.of(each) for each in LANGUAGES},
        group=entry.group if entry else None,
    )


def member_view(member: Member) -> SegmentMember:
    return SegmentMember(member.profile_id, rfc3339(member.since), member.rule_version)


def move_view(move: Move) -> SegmentMove:
    return SegmentMove(
        move.profile_id,
        "entered" if move.entered else "left",
        rfc3339(move.at),
        rfc3339(move.decided_at),
        move.cause,
        move.rule_version,
    )


def size_view(size: DaySize) -> SegmentSize:
    return SegmentSize(size.day.isoformat(), size.entered, size.left, size.members)
