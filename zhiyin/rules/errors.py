"""What is wrong with a rule, place by place."""

from msgspec import Struct


class RuleProblem(Struct, frozen=True):
    """`pointer`: RFC 6901, from the root of the tree that was read; `message`: plain words."""

    pointer: str
    code: str
    message: str


class RuleError(Exception):
    """A rule that was refused, with everything that is wrong with it."""

    def __init__(self, problems: tuple[RuleProblem, ...]) -> None:
        super().__init__("; ".join(f"{each.pointer or '/'}: {each.message}" for each in problems))
        self.problems = problems
