"""Counts per hour of the week, packed, are those of a plain list."""

import random

import msgspec

from services.profile.domain.hours import HOURS_A_WEEK, NO_HOURS, count_hour


def test_packed_counts_are_byte_for_byte_those_of_a_list() -> None:
    chance = random.Random(1)
    packed, plain = NO_HOURS, [0] * HOURS_A_WEEK
    for _ in range(2_000):
        hour = chance.choice((0, 7, 167))
        packed = count_hour(packed, hour)
        plain[hour] += 1
        assert bytes(packed) == msgspec.msgpack.encode(plain)
