"""Which tags a person has: stated, by rule, and until when."""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from services.profile.domain.evidence import instants_of, quote_of
from services.profile.domain.stated_tags import is_stated, is_taken_away, later_word
from services.profile.domain.tag_set import TAGS, TagRule, TagSet
from services.profile.domain.tagging import Tagging
from zhiyin.contracts.health import PURPOSE, allowed
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot, Tag
from zhiyin.rules import Explanation, Person, touched

_MOST_EVIDENCE: Final = 10
_HEALTH_CONSENT: Final = f"consents.{PURPOSE}"
Tags = dict[str, Tag]


class Occasion(Struct, frozen=True):
    """Why tags are settled. `now`: the instant they are settled for; `matched_at`: since when what
    matches now does; `by_event`: whether rules with a ttl are asked too."""

    now: Instant
    matched_at: Instant
    changed: frozenset[str]
    by_event: bool


class Settled(Struct, frozen=True):
    tags: Tags
    tagging: Tagging
    changed: frozenset[str]


def settle(snapshot: Snapshot, tagging: Tagging, rules: TagSet, occasion: Occasion) -> Settled:
    """Let go of what has ended, then ask the rules concerned, each after those it builds on."""
    round_ = _Round(snapshot, tagging, rules, occasion)
    round_.let_go()
    for rule in rules.rules:
        round_.ask(rule)
    return round_.settled()


def holding(tags: Mapping[str, Tag]) -> frozenset[str]:
    """The tags there are, those taken away left out."""
    return frozenset(name for name, tag in tags.items() if not is_taken_away(tag))


def next_timer(tags: Mapping[str, Tag], flips: Mapping[str, Instant]) -> Instant | None:
    """When time alone changes something next."""
    ends = (tag.until for tag in tags.values() if tag.until is not None and not is_taken_away(tag))
    return min((*ends, *flips.values()), default=None)


def together(one: Mapping[str, Tag], other: Mapping[str, Tag]) -> Tags:
    """The tags of two people who are one. What was stated stands above rules; of two tags by rule
    the one that lives longer; rules are asked again anyway."""
    found: Tags = {}
    for name in sorted(one.keys() | other.keys()):
        stated = later_word(one.get(name), other.get(name))
        if stated is not None:
            found[name] = stated
            continue
        candidates = [tags[name] for tags in (one, other) if name in tags]
        found[name] = max(candidates, key=lambda tag: (tag.until is None, tag.until or 0))
    return found


class _Round:
    def __init__(
        self, snapshot: Snapshot, tagging: Tagging, rules: TagSet, occasion: Occasion
    ) -> None:
        self._person = Person(snapshot)
        self._tags = dict(snapshot.tags)
        self._flips = dict(tagging.flips)
        self._tagging = tagging
        self._rules = rules
        self._occasion = occasion
        self._stale = tagging.revision != rules.revision
        self._changed = set(occasion.changed)
        self._touched = touched(self._changed)

    def let_go(self) -> None:
        now = self._occasion.now
        known = self._rules.tags
        for name, tag in list(self._tags.items()):
            over = not tag.holds(now) and not is_taken_away(tag)
            orphaned = self._stale and not is_stated(tag) and name not in known
            if over or orphaned:
                self._put(name, None)
        if self._stale:
            self._flips = {name: at for name, at in self._flips.items() if name in known}

    def ask(self, rule: TagRule) -> None:
        known = self._tags.get(rule.tag)
        if known is not None and is_stated(known):
            self._flips.pop(rule.tag, None)
        elif rule.ttl is None:
            self._ask_lasting(rule, known)
        elif rule.revision > self._tagging.revision:
            self._spread_with_ttl(rule, rule.ttl, known)
        elif self._occasion.by_event and rule.concerned(self._touched):
            self._ask_with_ttl(rule, rule.ttl, known)

    def settled(self) -> Settled:
        timer_at = next_timer(self._tags, self._flips)
        tagging = Tagging(self._rules.revision, self._flips, timer_at)
        return Settled(self._tags, tagging, frozenset(self._changed))

    def _ask_lasting(self, rule: TagRule, known: Tag | None) -> None:
        """`known` stated until now counts as a change of `tags.<tag>`, hence of the rule."""
        due = self._flips.get(rule.tag)
        flipped = due is not None and due <= self._occasion.now
        ended = f"{TAGS}{rule.tag}" in self._changed
        if not (self._stale or flipped or ended or rule.concerned(self._touched)):
            return
        verdict = rule.compiled.evaluate(self._person, self._occasion.now)
        if verdict.next_flip is None:
            self._flips.pop(rule.tag, None)
        else:
            self._flips[rule.tag] = verdict.next_flip
        if not verdict.matches:
            self._put(rule.tag, None)
        elif known is None or known.until is not None:
            since = due if flipped and due is not None else self._occasion.matched_at
            self._put(rule.tag, self._tag(rule, since, None, self._occasion.now))
        elif known.rule_version != rule.version:
            self._put(rule.tag, self._tag(rule, known.since, None, self._occasion.now))

    def _ask_with_ttl(self, rule: TagRule, ttl: int, known: Tag | None) -> None:
        """Asked for the instant of the person's newest event: a late import sets nothing that
        would have ended by now."""
        at = min(self._person.facts.newest, self._occasion.now)
        if rule.compiled.evaluate(self._person, at).matches:
            self._set_until(rule, at, ttl, known)
        elif known is not None and self._not_allowed(rule):
            self._put(rule.tag, None)

    def _not_allowed(self, rule: TagRule) -> bool:
        """Whether it takes a consent that is not there: then its tag does not outlive that."""
        return _HEALTH_CONSENT in rule.reads and not allowed(self._person.facts.consents)

    def _spread_with_ttl(self, rule: TagRule, ttl: int, known: Tag | None) -> None:
        """A rule this person has not been asked by: at which of their events did it last match?"""
        now = self._occasion.now
        for at in instants_of(self._person.facts, rule.reads, now - ttl, now):
            if rule.compiled.evaluate(self._person, at).matches:
                self._set_until(rule, at, ttl, known)
                return
        outdated = known is not None and known.rule_version != rule.version
        if outdated or (known is not None and self._not_allowed(rule)):
            self._put(rule.tag, None)

    def _set_until(self, rule: TagRule, at: Instant, ttl: int, known: Tag | None) -> None:
        if at + ttl > self._occasion.now:
            since = at if known is None else known.since
            self._put(rule.tag, self._tag(rule, since, at + ttl, at))

    def _tag(self, rule: TagRule, since: Instant, until: Instant | None, at: Instant) -> Tag:
        """`at`: the instant at which the rule matches."""
        explained = rule.compiled.explain(self._person, at)
        evidence = tuple(dict.fromkeys(_evidence(explained)))[:_MOST_EVIDENCE]
        quote = quote_of(self._person, evidence)
        return Tag(since, until, f"rule:{rule.tag}", rule.version, evidence, quote)

    def _put(self, name: str, tag: Tag | None) -> None:
        if self._tags.get(name) == tag:
            return
        if tag is None:
            del self._tags[name]
        else:
            self._tags[name] = tag
        self._changed.add(f"{TAGS}{name}")
        self._touched = touched(self._changed)
        self._person = Person(replace(self._person.snapshot, tags=self._tags))


def _evidence(explanation: Explanation) -> Iterator[str]:
    """Ids of the events behind the clauses that hold."""
    if not explanation.matches:
        return
    yield from (event_id for event_id in explanation.evidence if event_id)
    for clause in explanation.clauses:
        yield from _evidence(clause)
