"""What staff are to do: open, claimed by somebody, done; a claim can be handed back."""

from dataclasses import dataclass
from typing import Final, Literal

from zhiyin.contracts.instants import Instant

OPEN: Final = "open"
CLAIMED: Final = "claimed"
DONE: Final = "done"
Deed = Literal["claim", "hand_back", "done"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a task stands. `assignee`: who has it, or whose it is meant to be."""

    state: str
    assignee: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    code: str
    message: str


def after(standing: Standing, deed: Deed, by: str) -> Standing | Refused:
    """Doing again what one has done changes nothing."""
    if standing.state == DONE:
        again = deed == "done" and standing.assignee == by
        return standing if again else Refused("task_done", "the task is done already")
    if standing.state == CLAIMED and standing.assignee != by:
        return Refused("task_claimed", f"{standing.assignee} has claimed the task")
    match deed:
        case "claim":
            return Standing(CLAIMED, by)
        case "done":
            return Standing(DONE, by)
        case "hand_back":
            if standing.state == OPEN:
                return Refused("not_claimed", "nobody has claimed the task")
            return Standing(OPEN, None)


def overdue(state: str, due_at: Instant, now: Instant) -> bool:
    return state != DONE and now >= due_at
