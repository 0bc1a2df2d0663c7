"""Stable chance: the same person always falls on the same side of a campaign's split."""

import hashlib
from collections.abc import Sequence
from typing import Final

_SPAN: Final = 2**64


def fraction(*parts: str) -> float:
    """A number in [0, 1) that depends on nothing but `parts`, evenly spread."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _SPAN


def held_out(campaign: str, profile_id: str, share: float) -> bool:
    return fraction("holdout", campaign, profile_id) < share


def arm(campaign: str, step: str, profile_id: str, weights: Sequence[int]) -> int:
    """Which arm of a split a person falls into, by weight."""
    point = fraction("split", campaign, step, profile_id) * sum(weights)
    for index, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return index
    return len(weights) - 1
