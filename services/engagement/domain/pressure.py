"""How much one person may be addressed: caps in sliding windows, quiet hours."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from zhiyin.contracts.channels import DEFAULT_PRESSURE, PressureSpec, QuietHours
from zhiyin.contracts.instants import Duration, Instant, duration, instant, moment


@dataclass(frozen=True, slots=True)
class Contact:
    """A marketing message that was decided for a person."""

    at: Instant
    channel: str


@dataclass(frozen=True, slots=True)
class Cap:
    per: Duration
    most: int
    channel: str | None
    text: str

    def reached(self, contacts: Iterable[Contact], channel: str, now: Instant) -> bool:
        """Whether one more message now would be one too many."""
        if self.channel is not None and self.channel != channel:
            return False
        recent = sum(
            1
            for contact in contacts
            if contact.at > now - self.per
            and (self.channel is None or contact.channel == self.channel)
        )
        return recent >= self.most


@dataclass(frozen=True, slots=True)
class Pressure:
    caps: tuple[Cap, ...]
    quiet: QuietHours | None
    zone: tzinfo

    def cap_reached(self, contacts: Iterable[Contact], channel: str, now: Instant) -> Cap | None:
        kept = tuple(contacts)
        return next((cap for cap in self.caps if cap.reached(kept, channel, now)), None)

    def quiet_until(self, now: Instant) -> Instant | None:
        """When the quiet hours that `now` falls into end; None outside of them."""
        if self.quiet is None:
            return None
        begins, ends = _time(self.quiet.from_), _time(self.quiet.to)
        local = moment(now).astimezone(self.zone)
        clock = local.time()
        if begins <= ends:
            return self._at(local.date(), ends) if begins <= clock < ends else None
        if clock >= begins:
            return self._at(local.date() + timedelta(days=1), ends)
        return self._at(local.date(), ends) if clock < ends else None

    @property
    def window(self) -> Duration:
        """How far back contacts matter."""
        return max((cap.per for cap in self.caps), default=0)

    def _at(self, day: date, clock: time) -> Instant:
        return instant(datetime.combine(day, clock, self.zone))


def pressure_of(spec: PressureSpec, zone: tzinfo) -> Pressure:
    """Raises ValueError for a bad duration."""
    caps = tuple(
        Cap(duration(cap.per), cap.max, cap.channel, f"{cap.max} per {cap.per}")
        for cap in spec.caps
    )
    return Pressure(caps, spec.quiet_hours, zone)


def default_pressure(zone: tzinfo) -> Pressure:
    return pressure_of(DEFAULT_PRESSURE, zone)


def _time(text: str) -> time:
    return time.fromisoformat(text)
