"""Counts per hour of the week, packed, are those of a plain list."""

import random

import msgspec

from services.profile.domain.hours import HOURS_A_WEEK, NO_HOURS, Hours


def test_packed_counts_are_byte_for_byte_those_of_a_list() -> None:
    chance = random.Random(1)
    packed, plain = NO_HOURS, [0] * HOURS_A_WEEK
    for _ in range(2_000):
        hour = chance.choice((0, 7, 167))
        hours = Hours(packed)
        hours.count(hour)
        packed = hours.packed()
        plain[hour] += 1
        assert bytes(packed) == msgspec.msgpack.encode(plain)
