"""Rules and event conditions inside a campaign: parsed, checked, compiled."""

from collections.abc import Mapping
from typing import Any

from services.engagement.domain.faults import Faults
from services.engagement.domain.match import Match, Meets, split_where
from zhiyin.contracts.properties.event_types import known
from zhiyin.rules import (
    Compiled,
    Options,
    Rule,
    RuleError,
    compile_rule,
    compile_where,
    parse,
    parse_where,
)


class Conditions:
    """Whatever is wrong goes to `faults`, under the pointer of its place."""

    def __init__(self, faults: Faults, options: Options) -> None:
        self.faults = faults
        self.options = options

    def rule(self, pointer: str, tree: Any) -> Compiled | None:
        try:
            return compile_rule(parse(tree, pointer, quintiles=False), self.options)
        except RuleError as error:
            self._refuse(error)
            return None

    def anniversary(self, pointer: str, path: str) -> Rule | None:
        """That a fact's day of the year is near: what reads just that day."""
        try:
            return parse({"anniversary": path, "within": "1d"}, quintiles=False)
        except RuleError as error:
            for problem in error.problems:
                self.faults.add(pointer, problem.code, problem.message)
            return None

    def match(
        self, pointer: str, event: str, where: Mapping[str, Any], name: str, *, begun: bool
    ) -> Match:
        """`name`: how the field is called that holds the event's type; `begun`: whether a journey
        is under way by then, whose trigger `where` may speak of."""
        if not known(event):
            self.faults.add(f"{pointer}/{name}", "unknown_event", f"{event!r} is no event type")
        alone, of_journey = split_where(where)
        if of_journey and not begun:
            message = "no journey has begun whose trigger or task this could be"
            self.faults.add(f"{pointer}/where", "no_trigger", message)
        test = self._where(f"{pointer}/where", event, alone)
        return Match(event, test, of_journey, any=not where)

    def _where(self, pointer: str, event: str, where: Mapping[str, Any]) -> Meets:
        try:
            conditions = parse_where(where, pointer)
        except RuleError as error:
            self._refuse(error)
            conditions = ()
        return compile_where(conditions, event, self.options)

    def _refuse(self, error: RuleError) -> None:
        for problem in error.problems:
            self.faults.add(problem.pointer, problem.code, problem.message)
