"""A model laid out for use: what each piece of text tells of all topics and the mood at once."""

from collections.abc import Collection
from math import sqrt
from typing import Final

from zhiyin.contracts.heard import TOPICS, Topic
from zhiyin.wording.model import Model

_OTHER: Final[Topic] = "other"
NAMED: Final = tuple(topic for topic in TOPICS if topic != _OTHER)
# Where there is no model: every topic unlikely, the mood open.
_UNLIKELY: Final = -1.5
_UNITS: Final = 1000


class Weighing:
    """`model` None: nothing is known of any piece."""

    def __init__(self, model: Model | None) -> None:
        self.version = "" if model is None else model.version
        # Whole thousandths: their sum is the same in whatever order a set hands out its pieces.
        self._pieces: dict[str, list[tuple[int, int]]] = {}
        if model is None:
            self._start = [_UNLIKELY] * len(NAMED) + [0.0]
            return
        columns = [*(model.topics[topic] for topic in NAMED), model.mood]
        self._start = [column.bias for column in columns]
        for number, column in enumerate(columns):
            for piece, weight in column.weights.items():
                self._pieces.setdefault(piece, []).append((number, round(weight * _UNITS)))

    def logits(self, pieces: Collection[str]) -> tuple[dict[Topic, float], float]:
        """Of each topic, and of a good mood."""
        sums = [0] * len(self._start)
        known = self._pieces
        for piece in pieces:
            if piece in known:
                for number, weight in known[piece]:
                    sums[number] += weight
        scale = 1 / (_UNITS * sqrt(len(pieces) or 1))
        found = [bias + total * scale for bias, total in zip(self._start, sums, strict=True)]
        return dict(zip(NAMED, found, strict=False)), found[-1]
