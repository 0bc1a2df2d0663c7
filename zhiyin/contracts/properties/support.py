"""Tickets: opened, written in, resolved, rated."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from zhiyin.contracts.properties.shapes import Name


class SupportOpened(Struct, frozen=True, tag="support.opened"):
    ticket_id: Name
    kind: Literal["question", "complaint", "return"] = "question"
    channel: str | None = None
    subject: str | None = None
    text: str | None = None


class SupportMessaged(Struct, frozen=True, tag="support.messaged"):
    ticket_id: Name
    text: str
    author: Literal["customer", "agent"] = "customer"


class SupportResolved(Struct, frozen=True, tag="support.resolved"):
    ticket_id: Name


class SupportRated(Struct, frozen=True, tag="support.rated"):
    ticket_id: Name
    score: Annotated[int, Meta(ge=1, le=5)]
