"""Message texts: Liquid, sandboxed by limits, with a report of what was missing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from liquid import BoundTemplate, Environment, Undefined
from liquid.exceptions import LiquidError

from services.engagement.domain.faults import Faults
from zhiyin.contracts.channels import MessageTemplateSpec

# What a template may do to our time and memory. A message is a page, not a book.
_LOOPS: Final = 1_000
_OUTPUT_BYTES: Final = 32_768
_NAMESPACE_BYTES: Final = 65_536
_NESTING: Final = 10
# Liquid lets through what Python raises inside a filter, e.g. for numbers beyond all bounds.
_RENDER_ERRORS: Final = (LiquidError, ValueError, TypeError, ArithmeticError, RecursionError)

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


_SANDBOX: Final = _Sandbox(undefined=_Reported)


@dataclass(frozen=True, slots=True)
class Rendered:
    """`missing`: values the template asked for that there were none of; `error`: why there is no
    text."""

    subject: str = ""
    text: str = ""
    missing: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    key: str
    subject: BoundTemplate
    body: BoundTemplate

    def render(self, values: Mapping[str, Any]) -> Rendered:
        with _noting() as missing:
            try:
                subject = self.subject.render(**values).strip()
                text = self.body.render(**values).strip()
            except _RENDER_ERRORS as error:
                return Rendered(missing=tuple(missing), error=f"{type(error).__name__}: {error}")
        # A line break in a subject would begin another header.
        return Rendered(" ".join(subject.split()), text, tuple(missing))


def message_template(key: str, spec: MessageTemplateSpec) -> MessageTemplate:
    """Raises Faulty when a text is not Liquid."""
    faults = Faults()
    subject = _parse(spec.subject, "/subject", faults)
    body = _parse(spec.body, "/body", faults)
    faults.raise_if_any()
    return MessageTemplate(key, subject, body)


def _parse(text: str, pointer: str, faults: Faults) -> BoundTemplate:
    try:
        return _SANDBOX.from_string(text)
    except _RENDER_ERRORS as error:
        faults.add(pointer, "bad_template", str(error).splitlines()[0] if str(error) else "invalid")
        return _SANDBOX.from_string("")


@contextmanager
def _noting() -> Iterator[list[str]]:
    missing: list[str] = []
    token = _missing.set(missing)
    try:
        yield missing
    finally:
        _missing.reset(token)
