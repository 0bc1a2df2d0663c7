"""WeChat pushing what became of messages, and what people subscribe to."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from services.engagement.callbacks.heard import Answered, Heard, Report, Taken, Unfit, Unsigned
from services.engagement.callbacks.wechat_crypto import check, opened
from zhiyin.contracts.callbacks import Callback
from zhiyin.contracts.channels import WechatConfig
from zhiyin.contracts.instants import MINUTE, SECOND, Instant

_FRESH: Final = 10 * MINUTE
_MOST_BYTES: Final = 65_536
_TAKEN: Final = b"success"
_TEXT: Final = "text/plain"
Said = Mapping[str, Any]


def take(callback: Callback, config: WechatConfig, now: Instant) -> Taken:
    """Raises Unsigned, Unfit."""
    if not config.token:
        raise Unsigned("the channel has no token to check pushed messages with")
    query = callback.query
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if callback.method == "GET":
        # Asked once, when the address is set there.
        check(query.get("signature", ""), config.token, stamp, nonce)
        return Taken([], query.get("echostr", "").encode(), _TEXT)
    said = _read(callback.body)
    if config.encoding_aes_key:
        sealed = str(said.get("Encrypt", ""))
        check(query.get("msg_signature", ""), config.token, stamp, nonce, sealed)
        said = _read(opened(sealed, config.encoding_aes_key, config.app_id))
    else:
        check(query.get("signature", ""), config.token, stamp, nonce)
    if not stamp.isdecimal() or abs(int(stamp[:12]) * SECOND - now) > _FRESH:
        raise Unsigned("the message is too old, or ahead of our clock")
    return Taken(list(_heard(said)), _TAKEN, _TEXT)


def _heard(said: Said) -> Iterator[Heard]:
    openid, at = str(said.get("FromUserName", "")), _at(said)
    match str(said.get("Event", "")).lower():
        case "templatesendjobfinish":
            status = str(said.get("Status", ""))
            yield _outcome(str(said.get("MsgID", "")), status == "success", status, at)
        case "subscribe_msg_sent_event":
            for each in _entries(said, "SubscribeMsgSentEvent"):
                code = str(each.get("ErrorCode", ""))
                reason = f"{code} {each.get('ErrorStatus', '')}".strip()
                yield _outcome(str(each.get("MsgID", "")), code == "0", reason, at)
        case "subscribe_msg_popup_event":
            yield from _answers(said, "SubscribeMsgPopupEvent", openid, at)
        case "subscribe_msg_change_event":
            yield from _answers(said, "SubscribeMsgChangeEvent", openid, at)
        case "unsubscribe":
            yield Answered(f"wechat:{openid}:{at}", "openid", openid, None, False, at)
        case _:
            return  # a message to the account, a visit: not ours to answer


def _outcome(reference: str, arrived: bool, reason: str, at: Instant) -> Report:
    if arrived:
        return Report("delivered", reference=reference, at=at)
    return Report("bounced", reference=reference, at=at, reason=reason[:200])


def _answers(said: Said, name: str, openid: str, at: Instant) -> Iterator[Answered]:
    """One for each template that was asked about."""
    for each in _entries(said, name):
        template, status = str(each.get("TemplateId", "")), each.get("SubscribeStatusString")
        if template and status in ("accept", "reject"):
            granted = status == "accept"
            event_id = f"wechat:{openid}:{template}:{at}"
            yield Answered(event_id, "openid", openid, f"wechat.{template}", granted, at)


def _entries(said: Said, name: str) -> list[Said]:
    """`List` stands below the event's own name in XML, and in JSON beside it; alone, it is one."""
    inner = said.get(name)
    found = inner.get("List") if isinstance(inner, dict) else said.get("List")
    entries = found if isinstance(found, list) else [found]
    return [each for each in entries if isinstance(each, dict)]


def _at(said: Said) -> Instant:
    try:
        return int(said.get("CreateTime", 0)) * SECOND
    except (TypeError, ValueError) as error:
        raise Unfit("/CreateTime", "seconds since 1970") from error


def _read(body: bytes) -> Said:
    """JSON or XML, as was set there."""
    if body.lstrip()[:1] == b"{":
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unfit("", str(error)) from error
    # Definitions of entities are what makes XML dangerous; WeChat sends none.
    if len(body) > _MOST_BYTES or b"<!" in body.replace(b"<![CDATA[", b""):
        raise Unfit("", "XML with definitions, or too much of it")
    try:
        root = ET.fromstring(body)
    except ET.ParseError as error:
        raise Unfit("", f"neither JSON nor XML: {error}") from error
    found = _plain(root)
    return found if isinstance(found, dict) else {}


def _plain(element: ET.Element) -> Any:
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        value = _plain(child)
        before = found.get(child.tag)
        if before is None:
            found[child.tag] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            found[child.tag] = [before, value]
    return found
