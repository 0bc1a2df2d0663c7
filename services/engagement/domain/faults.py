"""Everything wrong with what an operator posted, each with a pointer to its place."""

from dataclasses import dataclass, field
from typing import Final

from zhiyin.contracts.instants import DAY, Duration, duration

LONGEST: Final[Duration] = 3650 * DAY


@dataclass(frozen=True, slots=True)
class Fault:
    """`line` and `column` (from 1) where the pointer is at a text that is read in turn."""

    pointer: str
    code: str
    message: str
    line: int | None = None
    column: int | None = None


class Faulty(Exception):
    """Refused, with every fault that was found."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.message}" for fault in faults))
        self.faults = faults


@dataclass(slots=True)
class Faults:
    """Collects faults while checking, so that all are told at once."""

    found: list[Fault] = field(default_factory=list)

    def add(
        self,
        pointer: str,
        code: str,
        message: str,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.found.append(Fault(pointer, code, message, line, column))

    def duration(self, pointer: str, text: str) -> Duration:
        """The length a text says; 0 and a fault when it says none, or over ten years."""
        try:
            length = duration(text)
        except ValueError as error:
            self.add(pointer, "bad_duration", str(error))
            return 0
        if not 0 < length <= LONGEST:
            self.add(pointer, "bad_duration", "must be above 0 and at most 3650d")
            return 0
        return length

    def raise_if_any(self) -> None:
        if self.found:
            raise Faulty(tuple(self.found))
