"""A person's inbox, for the brand's own app or mini-program to show."""

from typing import Any, Final

from services.gateway.calls import PAGE, Call, Query
from services.gateway.domain.names import names_masked_in
from services.gateway.domain.scopes import PROFILES_READ
from services.gateway.upstreams import ENGAGEMENT

_UNREAD: Final = Query("unread", "only what was not read yet", {"type": "boolean"})
_LETTER: Final[dict[str, Any]] = {
    "id": "5f0c…",
    "campaign": "win-back-90d",
    "subject": "好久不见",
    "text": "为您备了一张回归券",
    "page": None,
    "coupon": None,
    "at": "2026-11-11T01:00:00Z",
    "expires_at": "2026-12-11T01:00:00Z",
    "read_at": None,
    "clicked_at": None,
}


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    # What is shown to the person themselves takes no more than reading: marks are on no record.
    return Call(
        method=method,
        path=f"/v1/profiles/{{profile_id}}/inbox{path}",
        name=f"inbox.{name}",
        summary=summary,
        tag="inbox",
        scope=PROFILES_READ,
        service=ENGAGEMENT,
        changes=False,
        mask=names_masked_in,
        **more,
    )


CALLS: Final = (
    _call(
        "GET", "", "list", "Messages that lie there, newest first; `unread` counts them",
        query=(*PAGE, _UNREAD),
        answer_example={"items": [_LETTER], "next_cursor": None, "unread": 1},
    ),
    _call(
        "POST", "/{message_id}/read", "read", "The person has read a message: `engagement.opened`",
        answer_example=_LETTER,
    ),
    _call(
        "POST", "/{message_id}/click", "click",
        "The person has followed a message: `engagement.clicked`", answer_example=_LETTER,
    ),
)  # fmt: skip
