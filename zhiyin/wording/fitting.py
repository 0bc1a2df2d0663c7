"""Logistic regression by AdaGrad over the pieces of text: plain Python, the same on every machine.

Duchi, Hazan, Singer (2011): each weight moves by `rate · gradient / √(sum of its squared
gradients)`, so that rare pieces learn as much as frequent ones.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import exp, sqrt
from typing import Final, NamedTuple

from zhiyin.wording.model import Linear

_RATE: Final = 0.5
_SURE: Final = 0.03  # an error this small teaches nothing
_DECIMALS: Final = 3


class Sample(NamedTuple):
    """`weight`: how much it counts."""

    pieces: Sequence[str]
    yes: bool
    weight: float = 1.0


def frequent(texts: Iterable[Iterable[str]], least: int) -> set[str]:
    """The pieces that stand in at least so many texts."""
    counts: Counter[str] = Counter()
    for pieces in texts:
        counts.update(pieces)
    return {piece for piece, count in counts.items() if count >= least}


def fitted(samples: Sequence[Sample], *, epochs: int, most: int) -> Linear:
    """`most`: how many weights are kept, the largest. Samples are taken in the order given."""
    numbers: dict[str, int] = {}
    for sample in samples:
        for piece in sample.pieces:
            numbers.setdefault(piece, len(numbers))
    rows = [([numbers[piece] for piece in s.pieces], s.yes, s.weight) for s in samples]
    weights = [0.0] * len(numbers)
    squares = [1.0] * len(numbers)
    bias, bias_squares = 0.0, 1.0
    for row, yes, weight in rows * epochs:
        scale = 1 / sqrt(len(row) or 1)
        logit = bias + scale * sum([weights[number] for number in row])
        error = (1.0 if yes else 0.0) - 1 / (1 + exp(-max(-20.0, min(20.0, logit))))
        if -_SURE < error < _SURE:
            continue
        step = weight * error * scale
        for number in row:
            squares[number] += step * step
            weights[number] += _RATE * step / sqrt(squares[number])
        bias_squares += error * error
        bias += _RATE * weight * error / sqrt(bias_squares)
    largest = sorted(numbers, key=lambda piece: (-abs(weights[numbers[piece]]), piece))[:most]
    kept = {piece: round(weights[numbers[piece]], _DECIMALS) for piece in sorted(largest)}
    return Linear(round(bias, _DECIMALS), kept)
