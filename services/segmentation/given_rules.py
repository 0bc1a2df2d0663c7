"""Rules as they come in bodies: as a tree, or as text whose mistakes are pointed at by column."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from zhiyin.rules import Rule, RuleError, RuleProblem, Written, parse, read_text, unparse
from zhiyin.runtime.problems import FieldError, Problem


class Given(Struct, frozen=True):
    """A rule that is one; `written` if it came as text."""

    rule: Rule
    tree: Any
    written: Written | None = None

    @contextmanager
    def pointing(self) -> Iterator[None]:
        """Problems found later point into the text, if that is what the caller sent."""
        try:
            yield
        except Problem as problem:
            if self.written is not None:
                problem.errors = tuple(_in_text(each, self.written) for each in problem.errors)
            raise


def given_rule(tree: Any, text: str | None) -> Given:
    """The one of both that was given. Raises Problem (422) pointing below `/rule` or at `/text`."""
    if text is None:
        return Given(checked_rule(tree), tree)
    if tree is not None:
        raise refusal([FieldError("/text", "two_rules", "give either rule or text, not both")])
    try:
        written = read_text(text)
    except RuleError as error:
        raise refusal([field_error(each, "/text") for each in error.problems]) from error
    return Given(written.rule, unparse(written.rule), written)


def checked_rule(tree: Any) -> Rule:
    """Raises Problem (422) that points below `/rule`."""
    try:
        return parse(tree, "/rule")
    except RuleError as error:
        raise refusal([field_error(each) for each in error.problems]) from error


def refusal(errors: list[FieldError]) -> Problem:
    return Problem(422, "invalid_rule", errors[0].message, errors=errors)


def field_error(problem: RuleProblem, pointer: str | None = None) -> FieldError:
    at = problem.pointer if pointer is None else pointer
    place = problem.place
    if place is None:
        return FieldError(at, problem.code, problem.message)
    message = f"{problem.message} (line {place.line}, column {place.column})"
    return FieldError(at, problem.code, message, place.line, place.column)


def _in_text(error: FieldError, written: Written) -> FieldError:
    if not error.pointer.startswith("/rule"):
        return error
    place = written.place(error.pointer.removeprefix("/rule"))
    return replace(error, pointer="/text", line=place.line, column=place.column)
