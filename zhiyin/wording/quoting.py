"""The words that are shown as evidence: short, and nobody to be recognised in them."""

import re
from typing import Final

LONGEST_QUOTE: Final = 40
_CLAUSE: Final = re.compile(r"[^。！？!?；;，,、\n\r]+[。！？!?]?")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]*@[^\s@，。；、,;]+")
# Phone, card and identity numbers, however they are grouped.
_NUMBER: Final = re.compile(r"\+?\d(?:[\s()-]?\d){6,}[xX]?")
_MASK: Final = "***"


def without_personal(text: str) -> str:
    """Phone, identity and card numbers and addresses of e-mail masked. Coarser than what the
    gateway does at the door, since events may also have come by another way."""
    return _NUMBER.sub(_MASK, _ADDRESS.sub(_MASK, text))


def clauses(text: str) -> list[str]:
    return [found for each in _CLAUSE.findall(text) if (found := each.strip())]


def shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
