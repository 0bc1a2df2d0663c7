"""Liquid, sandboxed by limits: texts parsed, with the place of what is wrong, and rendered."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Final

from liquid import BoundTemplate, Environment, Undefined
from liquid.exceptions import LiquidError

from services.engagement.domain.faults import Faults

# What a template may do to our time and memory. A message is a page, not a book.
_LOOPS: Final = 1_000
_OUTPUT_BYTES: Final = 131_072
_NAMESPACE_BYTES: Final = 65_536
_NESTING: Final = 10
# Liquid lets through what Python raises inside a filter, e.g. for numbers beyond all bounds.
RENDER_ERRORS: Final = (LiquidError, ValueError, TypeError, ArithmeticError, RecursionError)

_missing: ContextVar[list[str] | None] = ContextVar("missing", default=None)


class _Reported(Undefined):
    """Renders as nothing, and says so."""

    __slots__ = ()

    def __str__(self) -> str:
        seen = _missing.get()
        # The hint alone tells how far the path could be followed: `profile.attributes.city is
        # undefined`; the name is only its first part.
        path = (self.hint or self.name).removesuffix(" is undefined").strip("'")
        if seen is not None and path not in seen:
            seen.append(path)
        return ""


class _Sandbox(Environment):
    loop_iteration_limit: ClassVar[int | None] = _LOOPS
    output_stream_limit: ClassVar[int | None] = _OUTPUT_BYTES
    local_namespace_limit: ClassVar[int | None] = _NAMESPACE_BYTES
    block_nesting_limit: ClassVar[int] = _NESTING
    context_depth_limit: ClassVar[int] = _NESTING


_PLAIN: Final = _Sandbox(undefined=_Reported)
# What people call themselves is no markup.
_HTML: Final = _Sandbox(undefined=_Reported, autoescape=True)


def parsed(text: str, pointer: str, faults: Faults, *, html: bool = False) -> BoundTemplate:
    """What is wrong goes to `faults` with its line and column; the text is then empty."""
    sandbox = _HTML if html else _PLAIN
    try:
        found = sandbox.from_string(text)
        unknown = [
            (spans[0].index, name)
            for name, spans in found.analyze(include_partials=False).filters.items()
            if name not in sandbox.filters
        ]
    except RENDER_ERRORS as error:
        line, column = _place(text, error)
        message = str(error).splitlines()[0] if str(error) else "invalid"
        faults.add(pointer, "bad_template", message, line, column)
        return sandbox.from_string("")
    for index, name in sorted(unknown):
        faults.add(pointer, "unknown_filter", f"there is no filter {name!r}", *_at(text, index))
    return found


def rendered(template: BoundTemplate, values: Mapping[str, Any]) -> str:
    """Raises one of RENDER_ERRORS."""
    return str(template.render(**values)).strip()


def variables(template: BoundTemplate) -> list[str]:
    """Everything the text reads from outside, as paths."""
    found = template.analyze(include_partials=False).globals
    return sorted({str(each) for places in found.values() for each in places})


@contextmanager
def noting() -> Iterator[list[str]]:
    """What is asked for inside, and not there."""
    missing: list[str] = []
    token = _missing.set(missing)
    try:
        yield missing
    finally:
        _missing.reset(token)


def _place(text: str, error: Exception) -> tuple[int, int]:
    """Line and column from 1; the end of the text where something is lacking there."""
    context = error.context() if isinstance(error, LiquidError) else None
    if context is not None:
        return context[0], context[1] + 1
    return _at(text, len(text))


def _at(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - before.rfind("\n")
