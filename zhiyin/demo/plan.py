"""When the demo's year ends: chosen on the first run and kept, so that a second run posts the very
same events and counts nothing twice."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import DAY, MINUTE, Duration, Instant
from zhiyin.demo.errors import DemoError

FILE: Final = "demo.json"
LIVE_DAYS: Final = 3


class Plan(Struct, frozen=True):
    """`shift` moves the datasets' clock to ours (µs). Events before `live_from` are imported.

    `own_shift`: households whose history is moved by a little more, so that their 90 days end
    while somebody is watching (household → µs).
    """

    shift: Duration
    live_from: Instant
    own_shift: dict[str, Duration] = {}

    def when(self, at: Instant, household: int | None) -> Instant:
        """An instant of the datasets' clock on ours."""
        return at + self.shift + self.own_shift.get(str(household), 0)


def new_plan(source_ends: Instant, now: Instant) -> Plan:
    """The source's last event is a minute old; the last three days count as live."""
    ends = now - MINUTE
    return Plan(shift=ends - source_ends, live_from=ends - LIVE_DAYS * DAY)


def read_plan(data: Path) -> Plan | None:
    """None before the first run. Raises DemoError when the file is damaged."""
    path = data / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise DemoError(f"{path} cannot be read ({error}); remove it to begin anew") from error


def keep_plan(data: Path, plan: Plan) -> None:
    """Written beside and renamed, so that a crash leaves the old plan or the new one."""
    fresh = data / f"{FILE}.new"
    fresh.write_bytes(msgspec.json.encode(plan))
    fresh.replace(data / FILE)
