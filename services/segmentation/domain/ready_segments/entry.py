"""One segment of the library."""

from typing import Any, Literal

from msgspec import Struct

from zhiyin.contracts.segments import SegmentSpec
from zhiyin.rules import parse_text, unparse
from zhiyin.rules.words.language import Words

Group = Literal[
    "rfm", "lifecycle", "value", "persona", "health", "scenario", "intent", "channel", "risk"
]


class Ready(Struct, frozen=True):
    """`text`: its rule, as people write one; `about`: what it holds, in a sentence."""

    key: str
    group: Group
    name: Words
    about: Words
    text: str

    @property
    def rule(self) -> dict[str, Any]:
        return unparse(parse_text(self.text))

    @property
    def spec(self) -> SegmentSpec:
        return SegmentSpec(self.key, self.name.zh, self.rule, self.about.zh)
