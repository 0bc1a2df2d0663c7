"""Who gets which partition numbers: fair shares that move as little as possible."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Move(NamedTuple):
    """What a member should give up and take so that shares become fair."""

    give: frozenset[int]
    take: frozenset[int]


def shares(partitions: int, held: Mapping[str, int]) -> dict[str, int]:
    """How many partition numbers each live member should have, given how many it holds: all get
    the same, and what is left over stays with those who hold most."""
    if not held:
        return {}
    base, extra = divmod(partitions, len(held))
    order = sorted(held, key=lambda member: (-held[member], member))
    return {member: base + (rank < extra) for rank, member in enumerate(order)}


def plan(me: str, members: Sequence[str], owners: Mapping[int, str | None]) -> Move:
    """What `me` should do. `owners` names, for each number, the member whose lease on it runs.
    Every member comes to a plan that fits the others', as all see the same table."""
    mine = sorted(number for number, owner in owners.items() if owner == me)
    held = dict.fromkeys({*members, me}, 0)
    for owner in owners.values():
        if owner in held:
            held[owner] += 1
    share = shares(len(owners), held)[me]
    if len(mine) > share:
        return Move(frozenset(mine[share:]), frozenset())
    free = sorted(number for number, owner in owners.items() if owner is None)
    return Move(frozenset(), frozenset(free[: share - len(mine)]))
