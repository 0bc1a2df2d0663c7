"""RFM over the whole population: cut points, the grid, and labels over it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from zhiyin.contracts.segments import Key

Scheme = Literal["fixed", "quintiles"]


class Cuts(Struct, frozen=True):
    """Each ladder from the best score down as [bound, score]; what no rung holds scores 1.
    `recency_days`: greatest age of the last order; `frequency`: least orders, `monetary`: least
    net spend (decimal text), both inside `window_days`."""

    recency_days: list[tuple[float, int]]
    frequency: list[tuple[int, int]]
    monetary: list[tuple[str, int]]
    window_days: float


class CutVersion(Struct, frozen=True):
    """Cut points taken from `buyers` people with orders at `at`."""

    version: int
    at: str
    buyers: int
    cuts: Cuts


class RfmView(Struct, frozen=True):
    """`quintiles` null: not taken yet; the fixed ones stand in for them until then. `refreshed`:
    when the population was last looked at, which makes a version only if a cut point moved."""

    fixed: Cuts
    quintiles: CutVersion | None
    every: str
    refreshed: str | None
    next_refresh: str


class RfmUpdate(Struct, frozen=True, forbid_unknown_fields=True):
    """`every`: how often cut points are taken anew, one hour to ninety days (`24h`, `7d`)."""

    every: Annotated[str, Meta(max_length=20)]


class Cell(Struct, frozen=True, rename={"class_": "class"}):
    """People with these scores; `class` and `tier` follow from them."""

    r: int
    f: int
    m: int
    count: int
    class_: str
    tier: str


class RfmGrid(Struct, frozen=True):
    """`cells`: all 125, R then F then M from 5 down. `without_orders` are in none of them."""

    by: Scheme
    version: int | None
    cells: list[Cell]
    classes: dict[str, int]
    tiers: dict[str, int]
    without_orders: int
    population: int
    took_ms: float
    as_of: str


class ScenarioSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Segments that stand for scenarios, such as `new-mothers`."""

    segments: Annotated[list[Key], Meta(min_length=1, max_length=20)]


class ScenarioLabel(Struct, frozen=True):
    """People of an RFM class who are in a scenario. `label`: both names, class first."""

    rfm_segment: str
    scenario: str
    label: str
    count: int


class ScenarioLabels(Struct, frozen=True):
    items: list[ScenarioLabel]
    took_ms: float
    as_of: str
