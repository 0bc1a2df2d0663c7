"""Trying a message template out."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from zhiyin.contracts.channels import MessageTemplateSpec
from zhiyin.contracts.segments import Key


class PreviewSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """As this person would get it: on `channel` (its name), in their language unless `language`
    says otherwise. `context`: what a journey would bring along (`trigger`, `coupon`, …). `template`
    instead of the one that is kept; `instead`: attributes the gateway has masked."""

    profile_id: Annotated[str, Meta(min_length=1, max_length=256)]
    channel: Key | None = None
    language: Literal["zh", "en"] | None = None
    context: dict[str, Any] = {}
    template: MessageTemplateSpec | None = None
    instead: dict[str, str] = {}


class SampleSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Over `size` people, of a segment or of all."""

    size: Annotated[int, Meta(ge=1, le=500)] = 200
    segment: Key | None = None
    channel: Key | None = None
    context: dict[str, Any] = {}
