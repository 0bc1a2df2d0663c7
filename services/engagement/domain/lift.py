"""Is the treated group better than the one left alone, and by how much?

Two answers to each question. `fixed` holds if one looks once, at a time set beforehand: Newcombe's
interval and the pooled z test for shares, Welch's for means, both by the normal distribution.
`sequential` holds however often one looks, and stops when one likes: the mixture sequential
probability ratio test (Johari, Pekelis, Walsh 2017) in its asymptotic form (Waudby-Smith et al.
2021), whose mixture is tuned to be tightest around `TUNED_TO` people.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Final

LEVEL: Final = 0.05
TUNED_TO: Final = 2_000
# Normal approximations need some people on either side.
FEWEST: Final = 50

_NORMAL: Final = NormalDist()
_Z: Final = _NORMAL.inv_cdf(1 - LEVEL / 2)
_C: Final = -2 * log(LEVEL)
_MIXTURE: Final = (_C + log(_C + 1)) / TUNED_TO  # variance of the mixture, per person


@dataclass(frozen=True, slots=True)
class Sample:
    """Outcomes of a group: how many people, their sum, the sum of their squares."""

    people: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.people if self.people else 0.0

    @property
    def variance(self) -> float:
        """Unbiased."""
        if self.people < 2:
            return 0.0
        return max(self.squares - self.people * self.mean**2, 0.0) / (self.people - 1)

    @property
    def error(self) -> float:
        """Variance of the mean."""
        return self.variance / self.people if self.people else 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one method: `low` to `high` is the interval of the difference."""

    p_value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Lift:
    """`difference` of the means, treatment less control; None answers: too few people to tell."""

    difference: float
    fixed: Answer | None
    sequential: Answer | None

    @property
    def significant(self) -> bool:
        """At `LEVEL`, however often one has looked."""
        return self.sequential is not None and self.sequential.p_value <= LEVEL


def of_shares(treatment: Sample, control: Sample) -> Lift:
    """Of people who converted: totals are counts."""
    return _lift(treatment, control, _once_of_shares)


def of_means(treatment: Sample, control: Sample) -> Lift:
    """Of amounts, such as revenue per person."""
    return _lift(treatment, control, _once_of_means)


def _lift(
    treatment: Sample, control: Sample, once: Callable[[Sample, Sample], Answer | None]
) -> Lift:
    difference = treatment.mean - control.mean
    if min(treatment.people, control.people) < FEWEST:
        return Lift(difference, None, None)
    return Lift(difference, once(treatment, control), _always(treatment, control))


def _once_of_shares(treatment: Sample, control: Sample) -> Answer | None:
    n, m = treatment.people, control.people
    pooled = (treatment.total + control.total) / (n + m)
    spread = pooled * (1 - pooled) * (1 / n + 1 / m)
    if spread <= 0:
        return None
    p, q = treatment.mean, control.mean
    (p_low, p_high), (q_low, q_high) = _wilson(treatment), _wilson(control)
    return Answer(
        _two_sided((p - q) / sqrt(spread)),
        p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2),
        p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2),
    )


def _wilson(sample: Sample) -> tuple[float, float]:
    n, p, z = sample.people, sample.mean, _Z
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return centre - half, centre + half


def _once_of_means(treatment: Sample, control: Sample) -> Answer | None:
    error = sqrt(treatment.error + control.error)
    if error == 0:
        return None
    difference = treatment.mean - control.mean
    return Answer(_two_sided(difference / error), difference - _Z * error, difference + _Z * error)


def _always(treatment: Sample, control: Sample) -> Answer | None:
    error = sqrt(treatment.error + control.error)
    if error == 0:
        return None
    difference = treatment.mean - control.mean
    known = (treatment.people + control.people) * _MIXTURE
    z = difference / error
    p_value = min(1.0, sqrt(1 + known) * exp(-known * z * z / (2 * (1 + known))))
    half = error * sqrt((1 + known) / known * (log(1 + known) + _C))
    return Answer(p_value, difference - half, difference + half)


def _two_sided(z: float) -> float:
    return 2 * _NORMAL.cdf(-abs(z))
