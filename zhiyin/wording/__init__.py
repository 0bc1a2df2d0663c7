"""What customers say, made out: text → topics, mood, quote. Pure, deterministic, in microseconds; a
small linear model trained from packaged data, and a lexicon that people can edit."""

from zhiyin.wording.classify import Classifier
from zhiyin.wording.lexicon import Entry, Lexicon, seed_entries
from zhiyin.wording.model import Model, load_model

__all__ = ["Classifier", "Entry", "Lexicon", "Model", "load_model", "seed_entries"]
