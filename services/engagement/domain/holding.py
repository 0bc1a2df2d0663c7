"""May a message go out now? If not it waits, or is dropped, as its campaign chooses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from services.engagement.domain.best_hour import BestHour, best_hour
from services.engagement.domain.customer import Run, Waiting
from services.engagement.domain.pressure import Contact
from services.engagement.domain.walk import HELD, Walk
from zhiyin.contracts.instants import Instant


@dataclass(frozen=True, slots=True)
class Hold:
    """`on` as in `Waiting`; `until` None: there will never be room."""

    on: str
    reason: str
    until: Instant | None
    detail: str


def hold(walk: Walk, channel: str, *, at_best: bool = False) -> Hold | None:
    """What holds a message back on this channel now; nothing does with order notices. `at_best`:
    it waits, once, for the person's best hour."""
    around, campaign = walk.around, walk.campaign
    if campaign.purpose == "transactional":
        return None
    if at_best and (best := _better_hour(walk)) is not None:
        return Hold("hour", "best_hour", best.at, best.why)
    pressure, contacts = around.pressure, walk.customer.contacts
    new = Contact(around.now, channel, campaign.purpose)
    if (quiet := pressure.quiet_until(around.now, walk.zone, campaign.purpose)) is not None:
        return Hold("quiet", "quiet_hours", quiet.until, quiet.why)
    if (cap := pressure.cap_reached(contacts, new)) is not None:
        return Hold("cap", "cap", pressure.room_at(contacts, new), cap.text)
    if walk.waited is None and _has_rivals(walk) and pressure.takes_the_last(contacts, new):
        until = around.now + pressure.arbitration
        return Hold("slot", "arbitration", until, "the last message there is room for")
    return None


def _better_hour(walk: Walk) -> BestHour | None:
    if any(note["reason"] == "best_hour" for note in held_before(walk.run)):
        return None
    pressure, purpose = walk.around.pressure, walk.campaign.purpose

    def fits(at: Instant) -> bool:
        return pressure.quiet_until(at, walk.zone, purpose) is None

    # The platform's clock is the one by which hours are counted.
    return best_hour(walk.snapshot.facts.hours, walk.around.now, pressure.zone, fits)


def _has_rivals(walk: Walk) -> bool:
    """Whether something more important might come in the time that settles who goes first."""
    if not walk.around.pressure.arbitration or walk.campaign.purpose != "marketing":
        return False
    return walk.campaign.spec.priority < walk.around.top_priority


def waits(walk: Walk, held: Hold) -> bool:
    """Whether the campaign has it wait, and that would not be longer than its patience."""
    choice = {
        "quiet": walk.campaign.quiet_hours,
        "cap": walk.campaign.caps,
        "slot": "defer",
        "hour": "defer",
    }
    if choice[held.on] == "drop" or held.until is None:
        return False
    before = held_before(walk.run)
    since = before[0]["at"] if before else walk.around.now
    return held.until - since <= walk.campaign.patience


def held_back(walk: Walk, held: Hold) -> Run:
    """The run, waiting with its message."""
    until = held.until or walk.around.now
    note = {"reason": held.reason, "at": walk.around.now, "until": until}
    context = {**walk.run.context, HELD: [*held_before(walk.run), note]}
    return replace(walk.run, waiting=Waiting(held.on, until), context=context)


def held_before(run: Run) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = run.context.get(HELD, ())
    return found
