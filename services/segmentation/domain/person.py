"""What segmentation keeps of a person, and what an evaluation makes of it."""

from msgspec import Struct

from services.segmentation.domain.state import NOWHERE, State
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.segments import SegmentChanged


class PersonCopy(Struct, frozen=True):
    """A person as last seen. `sequence` counts the changes of the memberships; `gone`: merged
    away or erased, so that nothing of an older version comes back."""

    profile_id: str
    partition: int
    version: int
    sequence: int = 0
    state: State = NOWHERE
    gone: bool = False


class Verdict(Struct, frozen=True):
    """A person before and after an evaluation, and what is to be told of it. `snapshot` is the
    new one, None where it stays as it was or is removed with the person; `former`: what else an
    erased person was called."""

    before: PersonCopy | None
    after: PersonCopy
    told: tuple[SegmentChanged, ...] = ()
    snapshot: bytes | None = None
    erased: bool = False
    traceparent: str | None = None
    former: tuple[str, ...] = ()

    @property
    def was_due(self) -> Instant | None:
        return self.before.state.next_due if self.before else None
