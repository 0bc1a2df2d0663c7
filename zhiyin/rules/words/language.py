"""The two languages everything is said in."""

from typing import Final, Literal

from msgspec import Struct

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")


class Words(Struct, frozen=True):
    """The same said in both."""

    zh: str
    en: str

    def of(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def same(text: str) -> Words:
    """What customers' data calls so, in whatever language."""
    return Words(text, text)
