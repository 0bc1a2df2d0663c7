"""What is wrong with a rule, place by place."""

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where in a text, in characters; both count from 1."""

    line: int
    column: int


class RuleProblem(Struct, frozen=True):
    """`pointer`: RFC 6901, from the root of the tree that was read; `message`: plain words;
    `place`: where in the text, of a rule that was written as one."""

    pointer: str
    code: str
    message: str
    place: Place | None = None


class RuleError(Exception):
    """A rule that was refused, with everything that is wrong with it."""

    def __init__(self, problems: tuple[RuleProblem, ...]) -> None:
        super().__init__("; ".join(f"{_where(each)}: {each.message}" for each in problems))
        self.problems = problems


def _where(problem: RuleProblem) -> str:
    if problem.place is None:
        return problem.pointer or "/"
    return f"line {problem.place.line}, column {problem.place.column}"
