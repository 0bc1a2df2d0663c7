"""Creating, changing and deleting segments: everything is checked before it is in force."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from services.segmentation import definitions, reads
from services.segmentation.backfill import backfill_timers
from services.segmentation.definitions import Stored
from services.segmentation.domain.order import SegmentCycle, segments_read, settle_order
from services.segmentation.domain.ready_segments.entry import Ready
from services.segmentation.domain.ready_segments.shelf import STANDARD, with_what_they_read
from services.segmentation.given_rules import checked_rule
from zhiyin.contracts.segment_library import InstalledSegments
from zhiyin.contracts.segments import SegmentSpec
from zhiyin.rules import Rule, parse
from zhiyin.rules import reads as reads_of
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.timers import set_timers

Change = Callable[[], Awaitable[None]]


class Editor:
    """`partitions`: the numbers of all partitions, each of which is walked after a change."""

    def __init__(self, database: Database, partitions: Sequence[int]) -> None:
        self._database = database
        self._partitions = partitions
        self._known: dict[tuple[str, int], frozenset[str]] = {}

    async def create(self, spec: SegmentSpec) -> None:
        """Raises Problem: 409 if the key is taken, 422 if the rule is none."""
        rule = checked_rule(spec.rule)
        async with self._database.transaction() as tx:
            revision = await self._open(tx)
            stored = await definitions.find(tx, spec.key)
            if stored is not None and not stored.deleted:
                raise Problem(409, "segment_exists", f"there is a segment {spec.key} already")
            version = stored.version + 1 if stored else 1
            await self._check_references(tx, spec, rule)
            await definitions.put(tx, spec, version, revision, builtin=False)
            await self._close(tx, revision)

    async def update(self, spec: SegmentSpec) -> None:
        """Raises Problem: 404, or 422 if the rule is none."""
        rule = checked_rule(spec.rule)
        async with self._database.transaction() as tx:
            revision = await self._open(tx)
            stored = _in_force(await definitions.find(tx, spec.key), spec.key)
            if stored.rule == spec.rule:
                await definitions.rename(tx, spec)
                return
            await self._check_references(tx, spec, rule)
            await definitions.put(tx, spec, stored.version + 1, revision, builtin=stored.builtin)
            await self._close(tx, revision)

    async def delete(self, key: str) -> None:
        """Its members leave. Raises Problem: 404; 409 if it is built in or another reads it."""
        async with self._database.transaction() as tx:
            revision = await self._open(tx)
            stored = _in_force(await definitions.find(tx, key), key)
            if stored.builtin:
                raise Problem(409, "built_in", f"{key} is built in; give it another rule instead")
            graph = await self._graph(tx)
            readers = [one for one, names in graph.items() if key in segments_read(names)]
            if readers:
                names = ", ".join(sorted(readers))
                raise Problem(409, "segment_in_use", f"{key} is read by {names}")
            await definitions.mark_deleted(tx, key)
            await self._close(tx, revision)

    async def install_built_in(self) -> None:
        """The standard ones that are missing; what operators made of the others stays."""
        async with self._database.transaction() as tx:
            revision = await self._open(tx)
            standard = with_what_they_read(STANDARD)
            missing = [one for one in standard if await definitions.find(tx, one.key) is None]
            for one in missing:
                await definitions.put(tx, one.spec, 1, revision, builtin=True)
            if missing:
                await self._close(tx, revision)

    async def install(self, wanted: Sequence[Ready]) -> InstalledSegments:
        """All at once, as one change of the segment set; `wanted` has whatever they read. Where
        another rule stands under a key, it stays."""
        done = InstalledSegments([], [], [])
        async with self._database.transaction() as tx:
            revision = await self._open(tx)
            for one in wanted:
                stored = await definitions.find(tx, one.key)
                if stored is not None and not stored.deleted:
                    (done.unchanged if stored.rule == one.rule else done.kept).append(one.key)
                    continue
                version = stored.version + 1 if stored else 1
                standard = one.key in STANDARD
                await definitions.put(tx, one.spec, version, revision, builtin=standard)
                done.installed.append(one.key)
            if done.installed:
                await self._close(tx, revision)
        return done

    async def renew(self, tx: Connection, dependency: str, change: Change) -> None:
        """Do `change`, and look at everybody anew by the segments that read what it changes."""
        revision = await self._open(tx)
        await change()
        readers = [
            one.key for one in await definitions.load(tx) if dependency in reads_of(parse(one.rule))
        ]
        await definitions.renew(tx, readers, revision)
        await self._close(tx, revision)

    async def _check_references(self, tx: Connection, spec: SegmentSpec, rule: Rule) -> None:
        graph = await self._graph(tx)
        graph[spec.key] = reads_of(rule)
        try:
            settle_order(graph)
        except SegmentCycle as cycle:
            message = f"segments would read each other in a circle: {cycle}"
            place = _place(spec.rule, _next(cycle.path, spec.key))
            error = FieldError(place, "segment_cycle", message)
            raise Problem(422, "segment_cycle", message, errors=[error]) from cycle
        await check_segments_exist(tx, spec.rule, rule)

    async def _graph(self, tx: Connection) -> dict[str, frozenset[str]]:
        """What the rule of each segment in force reads. A version's rule never changes, so each
        is taken apart once."""
        found: dict[tuple[str, int], frozenset[str]] = {}
        for one in await definitions.load(tx):
            place = one.key, one.version
            names = self._known.get(place)
            found[place] = reads_of(parse(one.rule)) if names is None else names
        self._known = found
        return {key: names for (key, _), names in found.items()}

    async def _open(self, tx: Connection) -> int:
        """The revision to come. The walks' timers are taken before the lock: a walk under way
        holds its timer and wants the lock, and would otherwise never end."""
        await set_timers(tx, backfill_timers(self._partitions, await reads.now(tx)))
        return await definitions.lock_set(tx) + 1

    async def _close(self, tx: Connection, revision: int) -> None:
        await definitions.set_revision(tx, revision)
        await definitions.restart_backfill(tx, self._partitions, revision)


async def check_segments_exist(tx: Connection, tree: Any, rule: Rule) -> None:
    """Raises Problem (422) for each segment a rule reads that does not exist."""
    wanted = segments_read(reads_of(rule))
    missing = wanted - await definitions.existing(tx, wanted) if wanted else wanted
    errors = [
        FieldError(_place(tree, key), "unknown_segment", f"there is no segment {key}")
        for key in sorted(missing)
    ]
    if errors:
        raise Problem(422, "unknown_segment", errors[0].message, errors=errors)


def _next(path: Sequence[str], key: str) -> str:
    """What comes after `key` on a circle that starts and ends with the same key."""
    return path[path.index(key) + 1] if key in path[:-1] else path[0]


def _in_force(stored: Stored | None, key: str) -> Stored:
    if stored is None or stored.deleted:
        raise not_found(key)
    return stored


def not_found(key: str) -> Problem:
    return Problem(404, "segment_not_found", f"there is no segment {key}")


def _place(tree: Any, key: str) -> str:
    """Where a rule names a segment, as a JSON pointer below `/rule`."""
    return next((f"/rule{place}" for place in _mentions(tree, key)), "/rule")


def _mentions(tree: Any, key: str) -> Iterator[str]:
    if isinstance(tree, list):
        for place, inner in enumerate(tree):
            yield from (f"/{place}{rest}" for rest in _mentions(inner, key))
    if isinstance(tree, dict):
        if tree.get("segment") == key:
            yield "/segment"
        for name in ("all", "any", "not"):
            yield from (f"/{name}{rest}" for rest in _mentions(tree.get(name), key))
