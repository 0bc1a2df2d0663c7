"""What is wrong with a request, as problem documents."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from services.engagement.domain.faults import Fault, Faulty
from zhiyin.runtime.problems import FieldError, Problem


@contextmanager
def refusing(root: str = "") -> Iterator[None]:
    """What is found faulty within becomes a 422 that lists every fault with its pointer; `root`:
    where what was checked stands."""
    try:
        yield
    except Faulty as error:
        raise invalid(
            replace(each, pointer=root + each.pointer) for each in error.faults
        ) from error


def invalid(faults: Iterable[Fault]) -> Problem:
    errors = [
        FieldError(each.pointer, each.code, each.message, each.line, each.column) for each in faults
    ]
    first = errors[0]
    return Problem(422, first.code, f"{first.message} at {first.pointer or '/'}", errors=errors)


def one_fault(pointer: str, code: str, message: str) -> Problem:
    return invalid([Fault(pointer, code, message)])


def no_such(what: str, key: str) -> Problem:
    return Problem(404, "not_found", f"there is no {what} {key[:128]!r}")
