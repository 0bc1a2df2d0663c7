"""The trained model: for every topic and for the mood a sum of weights of pieces of text."""

import hashlib
import sys
from collections.abc import Collection
from math import sqrt
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from zhiyin.contracts.heard import Topic

MODEL_FILE: Final = Path(sys.prefix, "share", "zhiyin", "words.model")
"""Where `zhiyin train` puts it: with the installation, not with a deployment's data."""


class Linear(Struct, frozen=True, array_like=True):
    """`logit(yes) = bias + Σ weights[piece] / √(number of pieces)`."""

    bias: float
    weights: dict[str, float]

    def logit(self, pieces: Collection[str]) -> float:
        weights = self.weights
        total = sum([weights[piece] for piece in pieces if piece in weights])
        return self.bias + total / sqrt(len(pieces) or 1)


class Model(Struct, frozen=True):
    """`version` follows from the contents; `scores`: on held-out text, as training printed them."""

    version: str
    topics: dict[Topic, Linear]
    mood: Linear
    scores: dict[str, float] = {}

    def scored(self, scores: dict[str, float]) -> "Model":
        return Model(self.version, self.topics, self.mood, scores)


_decoder: Final = msgspec.msgpack.Decoder(Model)
_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")


def made_of(topics: dict[Topic, Linear], mood: Linear) -> Model:
    """Equal weights have an equal version."""
    digest = hashlib.blake2b(_encoder.encode([topics, mood]), digest_size=6).hexdigest()
    return Model(digest, topics, mood)


def load_model(path: Path = MODEL_FILE) -> Model | None:
    """None where none has been trained. Raises msgspec.DecodeError for a file that is none."""
    try:
        return _decoder.decode(path.read_bytes())
    except FileNotFoundError:
        return None


def save_model(model: Model, path: Path = MODEL_FILE) -> None:
    """Whole or not at all: others may be loading it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_bytes(_encoder.encode(model))
    unfinished.replace(path)
