"""What a merge or an un-merge would do, as its previews answer."""

from msgspec import Struct


class Portrait(Struct, frozen=True):
    """A person in short. `events`: how many of each type are theirs."""

    profile_id: str
    identifiers: dict[str, list[str]]
    events: dict[str, int]
    orders: int
    total: str
    tags: list[str]
    consents: dict[str, bool]
    merged_from: list[str]


class MergePreview(Struct, frozen=True):
    """`keeps` and `moves` as they are, `result` as they would be together. `withdrawn`: purposes
    on which they disagree, so that the stricter answer would hold."""

    keeps: Portrait
    moves: Portrait
    result: Portrait
    withdrawn: list[str]


class UnmergePreview(Struct, frozen=True):
    """`stays` and `leaves` as they would be. `restored`: whether who leaves was somebody before,
    and would be so again, rather than get a new id (which is not known yet)."""

    stays: Portrait
    leaves: Portrait
    restored: bool
