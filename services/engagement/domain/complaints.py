"""Whether something of a person's is still open."""

from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts.summaries import support


def open_complaint(snapshot: Snapshot) -> bool:
    return support(snapshot.facts).open_complaints > 0
