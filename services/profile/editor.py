"""Creating, changing and deleting tag rules: everything is checked before it is in force."""

from services.profile import tag_rules
from services.profile.domain.tag_set import TagCycle, settle_order, tags_read
from services.profile.passing_time import retag_timer
from zhiyin.contracts.instants import DAY, Instant, duration
from zhiyin.contracts.tag_rules import TagRuleSpec, TagRuleView
from zhiyin.rules import Rule, RuleError, parse, reads, segments_read
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.timers import set_timers

_LONGEST_TTL = 3650 * DAY


class Editor:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(self, tag: str, spec: TagRuleSpec) -> tuple[TagRuleView, bool]:
        """The rule as it is in force now, and whether it is new. Raises Problem (422) if it is no
        rule, its ttl no duration, or rules would read each other's tags in a circle."""
        rule = _checked(spec)
        async with self._database.transaction() as tx:
            revision = await self._open(tx, self._clock())
            stored = await tag_rules.find(tx, tag)
            new = stored is None or stored.deleted
            await _check_circle(tx, tag, rule)
            same = (
                not new
                and stored is not None
                and (stored.rule, stored.view.ttl) == (spec.rule, spec.ttl)
            )
            version = (stored.version if stored else 0) + (0 if same else 1)
            if not same:
                await tag_rules.set_revision(tx, revision)
            return await tag_rules.put(tx, tag, spec, version), new

    async def delete(self, tag: str) -> None:
        """Whoever has the tag by this rule loses it. Raises Problem: 404."""
        async with self._database.transaction() as tx:
            revision = await self._open(tx, self._clock())
            stored = await tag_rules.find(tx, tag)
            if stored is None or stored.deleted:
                raise no_rule(tag)
            await tag_rules.mark_deleted(tx, tag)
            await tag_rules.set_revision(tx, revision)

    async def _open(self, tx: Connection, now: Instant) -> int:
        """The revision to come. The timer is taken before the lock: a page under way holds its
        timer and wants the lock, and would otherwise never end."""
        await set_timers(tx, [retag_timer(now)])
        return await tag_rules.lock_set(tx) + 1


def no_rule(tag: str) -> Problem:
    return Problem(404, "unknown_tag_rule", f"there is no rule for the tag {tag}")


def _checked(spec: TagRuleSpec) -> Rule:
    try:
        rule = parse(spec.rule, "/rule", quintiles=False)
    except RuleError as error:
        errors = [FieldError(one.pointer, one.code, one.message) for one in error.problems]
        raise Problem(422, "invalid_rule", errors[0].message, errors=errors) from error
    if segments_read(rule) or "segments" in reads(rule):
        raise _invalid("/rule", "segment_in_tag_rule", "a tag rule cannot refer to segments")
    _check_ttl(spec.ttl)
    return rule


def _check_ttl(ttl: str | None) -> None:
    if ttl is None:
        return
    try:
        lives = duration(ttl)
    except (ValueError, OverflowError) as error:
        raise _invalid("/ttl", "invalid_duration", str(error)) from error
    if not 0 < lives <= _LONGEST_TTL:
        raise _invalid("/ttl", "invalid_duration", "a ttl is longer than 0 and at most 3650 days")


async def _check_circle(tx: Connection, tag: str, rule: Rule) -> None:
    graph: dict[str, frozenset[str]] = {
        one.tag: reads(parse(one.rule)) for one in await tag_rules.load(tx)
    }
    graph[tag] = reads(rule)
    try:
        if tag in tags_read(graph[tag]):
            raise TagCycle((tag, tag))
        settle_order(graph)
    except TagCycle as cycle:
        message = f"tag rules would read each other's tags in a circle: {cycle}"
        raise _invalid("/rule", "tag_cycle", message) from cycle


def _invalid(pointer: str, code: str, message: str) -> Problem:
    return Problem(422, code, message, errors=[FieldError(pointer, code, message)])
