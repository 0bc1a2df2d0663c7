"""What becomes of a caller's body before a service sees it: no phone or email in clear."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from services.gateway.domain.door import Door
from services.gateway.domain.personal import personal_attribute, without_personal
from services.gateway.domain.rejection import Rejection
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.web import body as decoded

IDENTIFIERS: Final = "identifiers"
ATTRIBUTES: Final = "attributes"

_Object = dict[str, Any]


class Preparation:
    def __init__(self, door: Door) -> None:
        self._door = door

    def by_name(self) -> Mapping[str, Any]:
        return {IDENTIFIERS: self.identifiers, ATTRIBUTES: attributes}

    def identifiers(self, body: bytes) -> bytes:
        """`{"identifiers": ["phone:138…", …]}` with phone and email as tokens."""
        document = decoded(_Object, body)
        stated = document.get("identifiers", [])
        if not isinstance(stated, list) or not all(isinstance(each, str) for each in stated):
            raise _refused(Rejection("wrong_type", "a list of `namespace:value`", "/identifiers"))
        kept = []
        for index, text in enumerate(stated):
            found = self._door.identifier(text)
            if isinstance(found, Rejection):
                raise _refused(found._replace(pointer=f"/identifiers/{index}"))
            kept.append(found)
        return msgspec.json.encode({**document, "identifiers": kept})


def attributes(body: bytes) -> bytes:
    """Attributes, bare or under `attributes`: none named as personal, none with personal text."""
    document = decoded(_Object, body)
    stated, root = document, ""
    if isinstance(nested := document.get("attributes"), dict) and len(document) == 1:
        stated, root = nested, "/attributes"
    if refusal := personal_attribute(stated):
        pointer = root + refusal.pointer.removeprefix("/attributes")
        raise _refused(refusal._replace(pointer=pointer))
    return without_personal(body)


def _refused(refusal: Rejection) -> Problem:
    error = FieldError(refusal.pointer, refusal.code, refusal.message)
    return Problem(422, refusal.code, refusal.message, errors=[error])
