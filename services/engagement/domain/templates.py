"""Message texts, in the words for a channel and a language, with a report of what was missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from liquid import BoundTemplate

from services.engagement.domain.channels import Channel
from services.engagement.domain.faults import Faults
from services.engagement.domain.liquid_texts import (
    RENDER_ERRORS,
    noting,
    parsed,
    rendered,
    variables,
)
from zhiyin.contracts.channels import MessageTemplateSpec, TemplateVariant
from zhiyin.contracts.profiles import Snapshot

_LANGUAGES: Final = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Rendered:
    """`missing`: values the template asked for that there were none of; `error`: why there is no
    text."""

    subject: str = ""
    text: str = ""
    missing: tuple[str, ...] = ()
    error: str | None = None
    html: str = ""
    template_id: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    page: str = ""
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Words:
    """One set of texts; in a variant, None where they are the template's own."""

    subject: BoundTemplate | None = None
    body: BoundTemplate | None = None
    html: BoundTemplate | None = None
    page: BoundTemplate | None = None
    template_id: str | None = None
    params: Mapping[str, BoundTemplate] | None = None

    def over(self, below: "Words") -> "Words":
        """These, and `below` where these say nothing."""
        said = {
            name: value
            for name in self.__dataclass_fields__
            if (value := getattr(self, name)) is not None
        }
        return replace(below, **said)

    def texts(self) -> Iterator[BoundTemplate]:
        found = (self.subject, self.body, self.html, self.page, *(self.params or {}).values())
        return (text for text in found if text is not None)


@dataclass(frozen=True, slots=True)
class Variant:
    channel: str | None
    language: str | None
    words: Words

    def fits(self, names: frozenset[str], language: str) -> bool:
        return (self.channel is None or self.channel in names) and self.language in (None, language)


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """`variants` by how much they have to say: of a channel, of a language, of both."""

    key: str
    words: Words
    language: str = "zh"
    variants: tuple[Variant, ...] = ()
    track: bool = True

    def render(self, values: Mapping[str, Any], channel: Channel | None = None) -> Rendered:
        """In the language of the person in `values`."""
        language = language_of(values) or self.language
        words = self.words_for(channel, language)
        with noting() as missing:
            try:
                return replace(_rendered(words, values), missing=tuple(missing), language=language)
            except RENDER_ERRORS as error:
                return Rendered(missing=tuple(missing), error=f"{type(error).__name__}: {error}")

    def words_for(self, channel: Channel | None, language: str) -> Words:
        names = frozenset() if channel is None else frozenset({channel.name, channel.medium})
        words = self.words
        for variant in self.variants:
            if variant.fits(names, language):
                words = variant.words.over(words)
        return words

    def variables(self) -> list[str]:
        """All that any of its texts reads."""
        every = (self.words, *(each.words for each in self.variants))
        return sorted(
            {name for words in every for text in words.texts() for name in variables(text)}
        )


def language_of(values: Mapping[str, Any]) -> str | None:
    """`zh` or `en`, as the profile among the values has it; None: it does not say."""
    profile = values.get("profile")
    attributes = profile.get("attributes", {}) if isinstance(profile, Mapping) else {}
    return _language(attributes.get("language", {}).get("value")) if attributes else None


def language_of_person(snapshot: Snapshot) -> str | None:
    said = snapshot.facts.attributes.get("language")
    return None if said is None else _language(said.value)


def _language(said: Any) -> str | None:
    """`en-GB` is English."""
    short = str(said or "").lower().replace("_", "-").partition("-")[0]
    return short if short in _LANGUAGES else None


def message_template(key: str, spec: MessageTemplateSpec) -> MessageTemplate:
    """Raises Faulty when a text is not Liquid, or a variant is of nothing or twice there."""
    faults = Faults()
    words = _words(spec, "", faults)
    seen: set[tuple[str | None, str | None]] = set()
    variants = []
    for place, each in enumerate(spec.variants):
        pointer = f"/variants/{place}"
        what = (each.channel, each.language)
        if what == (None, None):
            faults.add(pointer, "required", "a variant is of a channel, a language, or both")
        elif what in seen:
            faults.add(pointer, "twice", "there is a variant of these already")
        seen.add(what)
        variants.append(Variant(*what, _words(each, pointer, faults)))
    faults.raise_if_any()
    variants.sort(key=lambda each: (each.language is not None) * 2 + (each.channel is not None))
    return MessageTemplate(key, words, spec.language, tuple(variants), spec.track)


def _words(spec: MessageTemplateSpec | TemplateVariant, pointer: str, faults: Faults) -> Words:
    def text(name: str, *, html: bool = False) -> BoundTemplate | None:
        said = getattr(spec, name)
        return None if said is None else parsed(said, f"{pointer}/{name}", faults, html=html)

    params = spec.params
    return Words(
        text("subject"),
        text("body"),
        text("html", html=True) if spec.html else None,
        text("page") if spec.page else None,
        spec.template_id,
        None
        if params is None
        else {
            name: parsed(said, f"{pointer}/params/{_escaped(name)}", faults)
            for name, said in params.items()
        },
    )


def _rendered(words: Words, values: Mapping[str, Any]) -> Rendered:
    def text(template: BoundTemplate | None) -> str:
        return "" if template is None else rendered(template, values)

    return Rendered(
        # A line break in a subject would begin another header.
        subject=" ".join(text(words.subject).split()),
        text=text(words.body),
        html=text(words.html),
        page=text(words.page),
        template_id=words.template_id or "",
        params={name: text(said) for name, said in (words.params or {}).items()},
    )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
