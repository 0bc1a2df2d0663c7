"""What the platform's settings mean to a rule."""

from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo

from zhiyin.facts import RfmThresholds
from zhiyin.facts.thresholds import DEFAULT_RFM


@dataclass(frozen=True)
class Options:
    """`time_zone`: IANA name, for dates and birthdays; `currency` of every amount of money;
    `quintiles`: the newest cut points taken from the population."""

    time_zone: str = "Asia/Shanghai"
    currency: str = "CNY"
    rfm: RfmThresholds = DEFAULT_RFM
    quintiles: RfmThresholds = DEFAULT_RFM

    @cached_property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.time_zone)


DEFAULT = Options()
