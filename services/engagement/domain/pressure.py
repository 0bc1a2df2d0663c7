"""How much one person may be addressed: caps in sliding windows, quiet hours, holidays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, Literal

from services.engagement.domain.faults import Faults
from services.engagement.domain.holidays import public_holiday
from zhiyin.contracts.instants import HOUR, Duration, Instant, duration, instant, moment
from zhiyin.contracts.pressure import DEFAULT_PRESSURE, CapSpec, PressureSpec, QuietHours

# No holiday is as long, with its nights before and after.
_MOST_QUIET_DAYS: Final = 60
_LONGEST_ARBITRATION: Final[Duration] = HOUR
_MIDNIGHT: Final = time()


@dataclass(frozen=True, slots=True)
class Contact:
    """A message that was decided for a person."""

    at: Instant
    channel: str
    purpose: str = "marketing"


@dataclass(frozen=True, slots=True)
class Cap:
    per: Duration
    most: int
    channel: str | None
    purpose: str
    text: str

    def concerns(self, contact: Contact) -> bool:
        return self.channel in (None, contact.channel) and self.purpose in ("any", contact.purpose)

    def counted(self, contacts: Iterable[Contact], now: Instant) -> list[Contact]:
        """Those that count in the window that ends now."""
        return [each for each in contacts if each.at > now - self.per and self.concerns(each)]


@dataclass(frozen=True, slots=True)
class Quiet:
    until: Instant
    why: str


@dataclass(frozen=True, slots=True)
class Pressure:
    """`holidays`: hours of their own, or `quiet` for all day, or none. `zone` is the platform's."""

    caps: tuple[Cap, ...]
    quiet: QuietHours | None
    holidays: QuietHours | Literal["ordinary", "quiet"]
    arbitration: Duration
    zone: tzinfo

    def cap_reached(self, contacts: Iterable[Contact], new: Contact) -> Cap | None:
        """The cap that one more message, `new`, would be beyond."""
        kept = tuple(contacts)
        return next((cap for cap in self.caps if _full(cap, kept, new, new.at)), None)

    def takes_the_last(self, contacts: Iterable[Contact], new: Contact) -> bool:
        """Whether there would be no room left for another like it."""
        return self.cap_reached((*contacts, new), new) is not None

    def room_at(self, contacts: Iterable[Contact], new: Contact) -> Instant | None:
        """From when on there is room for `new`; None if there never will be."""
        kept, at = tuple(contacts), new.at
        while (cap := next((c for c in self.caps if _full(c, kept, new, at)), None)) is not None:
            if not (counted := cap.counted(kept, at)):
                return None
            at = min(each.at for each in counted) + cap.per
        return at

    def quiet_until(self, now: Instant, zone: tzinfo, purpose: str = "marketing") -> Quiet | None:
        """When the person is not to be disturbed any more; None if they may be now."""
        found: Quiet | None = None
        for _ in range(_MOST_QUIET_DAYS):
            at = now if found is None else found.until
            more = self._quiet(moment(at).astimezone(zone), zone, purpose)
            if more is None:
                break
            found = Quiet(more.until, more.why if found is None else found.why)
        return found

    @property
    def window(self) -> Duration:
        """How far back contacts matter."""
        return max((cap.per for cap in self.caps), default=0)

    def _quiet(self, local: datetime, zone: tzinfo, purpose: str) -> Quiet | None:
        """How long it is quiet at a local time, as far as the end of the day."""
        day, clock = local.date(), local.time()
        hours, holiday = self.quiet, public_holiday(day)
        why = "quiet hours"
        if holiday is not None and self.holidays != "ordinary":
            why = f"holiday: {holiday}"
            if isinstance(self.holidays, QuietHours):
                hours = self.holidays
            elif purpose == "marketing":
                return Quiet(_at(day + timedelta(days=1), _MIDNIGHT, zone), why)
        until = None if hours is None else _end(hours, day, clock, zone)
        return None if until is None else Quiet(until, why)


def check_pressure(spec: PressureSpec, faults: Faults) -> None:
    for index, cap in enumerate(spec.caps):
        faults.duration(f"/caps/{index}/per", cap.per)
    for name, hours in (("quiet_hours", spec.quiet_hours), ("holidays", spec.holidays)):
        if isinstance(hours, QuietHours) and hours.from_ == hours.to:
            message = "quiet hours must end when they do not begin"
            faults.add(f"/{name}/to", "empty_range", message)
    if spec.arbitration is not None:
        length = faults.duration("/arbitration", spec.arbitration)
        if length > _LONGEST_ARBITRATION:
            faults.add("/arbitration", "bad_duration", "must be at most 1h")


def pressure_of(spec: PressureSpec, zone: tzinfo) -> Pressure:
    """Raises ValueError for a bad duration."""
    return Pressure(
        caps=tuple(map(_cap, spec.caps)),
        quiet=spec.quiet_hours,
        holidays=spec.holidays,
        arbitration=0 if spec.arbitration is None else duration(spec.arbitration),
        zone=zone,
    )


def default_pressure(zone: tzinfo) -> Pressure:
    return pressure_of(DEFAULT_PRESSURE, zone)


def _cap(spec: CapSpec) -> Cap:
    where = "" if spec.channel is None else f" on {spec.channel}"
    what = "" if spec.purpose == "marketing" else f" ({spec.purpose})"
    text = f"{spec.max} per {spec.per}{where}{what}"
    return Cap(duration(spec.per), spec.max, spec.channel, spec.purpose, text)


def _full(cap: Cap, contacts: Sequence[Contact], new: Contact, now: Instant) -> bool:
    return cap.concerns(new) and len(cap.counted(contacts, now)) >= cap.most


def _end(hours: QuietHours, day: date, clock: time, zone: tzinfo) -> Instant | None:
    """Hours that span midnight are those until the morning and those from the evening on: the
    next day may have others."""
    begins, ends = time.fromisoformat(hours.from_), time.fromisoformat(hours.to)
    if begins <= ends:
        return _at(day, ends, zone) if begins <= clock < ends else None
    if clock < ends:
        return _at(day, ends, zone)
    return _at(day + timedelta(days=1), _MIDNIGHT, zone) if clock >= begins else None


def _at(day: date, clock: time, zone: tzinfo) -> Instant:
    return instant(datetime.combine(day, clock, zone))
