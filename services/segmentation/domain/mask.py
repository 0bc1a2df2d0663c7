"""Sets of places in the settling order, as the bits of one number: united in a few instructions
however many segments there are."""

from collections.abc import Iterable

Mask = int


def mask_of(places: Iterable[int]) -> Mask:
    mask = 0
    for place in places:
        mask |= 1 << place
    return mask


def places(mask: Mask) -> list[int]:
    """Ascending."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found
