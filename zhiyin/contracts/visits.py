"""A visit to a link of ours, as the gateway hands it to engagement, and what it is to show."""

from typing import Literal

from msgspec import Struct

VisitKind = Literal["r", "o", "u", "s"]


class Visit(Struct, frozen=True):
    """`kind`: followed (`r`), the picture in a mail (`o`), to unsubscribe (`u`), a survey (`s`).
    `acts`: something is sent (POST), not only looked at. `languages`: `Accept-Language`; `form`:
    what was sent, without what is personal."""

    kind: VisitKind
    code: str
    acts: bool = False
    looks: bool = True
    languages: str = ""
    form: dict[str, str] = {}


class Visited(Struct, frozen=True):
    """Either leads on to `location`, or shows `html`."""

    status: int
    location: str | None = None
    html: str = ""
