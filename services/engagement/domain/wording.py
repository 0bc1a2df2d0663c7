"""What a message says on a channel: the template's words for it, with links of its own."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.engagement.domain.channels import Channel
from services.engagement.domain.links import Issuer, Link, MessageLinks
from services.engagement.domain.templates import MessageTemplate, Rendered
from zhiyin.contracts.instants import Instant


@dataclass(frozen=True, slots=True)
class Said:
    """`data` is what the sender is given; `error`: why nothing can be said."""

    data: dict[str, Any]
    links: tuple[Link, ...] = ()
    missing: tuple[str, ...] = ()
    error: str | None = None


def worded(
    template: MessageTemplate,
    channel: Channel,
    values: Mapping[str, Any],
    purpose: str,
    issuer: Issuer | None,
    action_id: uuid.UUID,
    now: Instant,
) -> Said:
    links = None if issuer is None else issuer.for_message(action_id, now)
    if links is not None:
        own = {"links": {"unsubscribe": links.leave()}, "surveys": links.surveys()}
        values = {**values, **own}
    rendered = template.render(values, channel)
    if rendered.error is not None:
        return Said({}, error=rendered.error)
    if links is None:
        return Said(_data(rendered, channel), missing=rendered.missing)
    rendered = _linked(rendered, links, track=template.track)
    data = _data(rendered, channel)
    if purpose == "marketing" and channel.medium == "email":
        data["unsubscribe"] = links.leave()
    links.keep([rendered.text, rendered.html, rendered.page, *data.get("params", {}).values()])
    links.keep([data.get("unsubscribe", "")])
    return Said(data, tuple(links.issued.values()), rendered.missing)


def _linked(said: Rendered, links: MessageLinks, *, track: bool) -> Rendered:
    if not track:
        return said
    html = said.html
    if html:
        picture = f'<img src="{links.picture()}" width="1" height="1" alt="">'
        html = links.counted_html(html) + picture
    return replace(
        said,
        text=links.counted(said.text),
        html=html,
        page=links.counted(said.page) if said.page.startswith("http") else said.page,
        params={name: links.counted(value) for name, value in said.params.items()},
    )


def _data(said: Rendered, channel: Channel) -> dict[str, Any]:
    more = {
        "html": said.html,
        "template_id": said.template_id,
        "params": dict(said.params),
        "page": said.page,
        "language": said.language if said.language != "zh" else "",
    }
    return {
        "channel": channel.name,
        "subject": said.subject,
        "text": said.text,
        **{name: value for name, value in more.items() if value},
    }
