"""Creating, changing and deleting tag rules: everything is checked before it is in force."""

from collections.abc import Mapping

from services.profile import tag_rules
from services.profile.domain.tag_set import TagCycle, settle_order, tags_read
from services.profile.passing_time import retag_timer
from services.profile.tag_rules import StoredRule
from zhiyin.contracts.instants import DAY, Instant, duration
from zhiyin.contracts.tag_rules import Installed, TagRuleSpec, TagRuleView
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
        checked(spec)
        async with self._database.transaction() as tx:
            revision = await self._open(tx, self._clock())
            stored = await tag_rules.find(tx, tag)
            await _check_circle(tx, {tag: spec})
            if not _same(stored, spec):
                await tag_rules.set_revision(tx, revision)
            view = await tag_rules.put(tx, tag, spec, _version(stored, spec), revision)
            return view, stored is None or stored.deleted

    async def install(self, specs: Mapping[str, TagRuleSpec], replace: bool) -> Installed:
        """All at once, as one change of the tag set. Where another rule of a tag stands, it stays
        unless `replace`."""
        for spec in specs.values():
            checked(spec)
        async with self._database.transaction() as tx:
            revision = await self._open(tx, self._clock())
            stored = await tag_rules.every(tx)
            unchanged = [tag for tag in specs if _same(stored.get(tag), specs[tag])]
            kept = [tag for tag in specs if not replace and _another(stored.get(tag), specs[tag])]
            wanted = {tag: specs[tag] for tag in specs if tag not in {*unchanged, *kept}}
            await _check_circle(tx, wanted)
            if wanted:
                await tag_rules.set_revision(tx, revision)
            for tag, spec in wanted.items():
                await tag_rules.put(tx, tag, spec, _version(stored.get(tag), spec), revision)
        return Installed(list(wanted), unchanged, kept)

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


def checked(spec: TagRuleSpec) -> Rule:
    """Raises Problem (422): no rule, a rule a tag cannot have, or a ttl that is none."""
    rule = checked_rule(spec.rule)
    _check_ttl(spec.ttl)
    return rule


def checked_rule(tree: object) -> Rule:
    try:
        rule = parse(tree, "/rule", quintiles=False)
    except RuleError as error:
        errors = [FieldError(one.pointer, one.code, one.message) for one in error.problems]
        raise Problem(422, "invalid_rule", errors[0].message, errors=errors) from error
    if segments_read(rule) or "segments" in reads(rule):
        raise _invalid("/rule", "segment_in_tag_rule", "a tag rule cannot refer to segments")
    return rule


def _same(stored: StoredRule | None, spec: TagRuleSpec) -> bool:
    """Whether what is in force decides the same."""
    return (
        stored is not None
        and not stored.deleted
        and (stored.rule, stored.view.ttl) == (spec.rule, spec.ttl)
    )


def _another(stored: StoredRule | None, spec: TagRuleSpec) -> bool:
    return stored is not None and not stored.deleted and not _same(stored, spec)


def _version(stored: StoredRule | None, spec: TagRuleSpec) -> int:
    return (stored.version if stored else 0) + (0 if _same(stored, spec) else 1)


def _check_ttl(ttl: str | None) -> None:
    if ttl is None:
        return
    try:
        lives = duration(ttl)
    except (ValueError, OverflowError) as error:
        raise _invalid("/ttl", "invalid_duration", str(error)) from error
    if not 0 < lives <= _LONGEST_TTL:
        raise _invalid("/ttl", "invalid_duration", "a ttl is longer than 0 and at most 3650 days")


async def _check_circle(tx: Connection, specs: Mapping[str, TagRuleSpec]) -> None:
    graph: dict[str, frozenset[str]] = {
        one.tag: reads(parse(one.rule)) for one in await tag_rules.load(tx)
    }
    graph |= {tag: reads(parse(spec.rule)) for tag, spec in specs.items()}
    try:
        for tag in specs:
            if tag in tags_read(graph[tag]):
                raise TagCycle((tag, tag))
        settle_order(graph)
    except TagCycle as cycle:
        message = f"tag rules would read each other's tags in a circle: {cycle}"
        raise _invalid("/rule", "tag_cycle", message) from cycle


def _invalid(pointer: str, code: str, message: str) -> Problem:
    return Problem(422, code, message, errors=[FieldError(pointer, code, message)])
