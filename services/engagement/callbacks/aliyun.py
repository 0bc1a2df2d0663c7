"""Alibaba Cloud SMS pushing SmsReport (what became of messages) and SmsUp (what people answer).

https://help.aliyun.com/zh/sms/developer-reference/configure-delivery-receipts-1
They are pushed without a signature; what shows whose they are is the token in the address.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from services.engagement.callbacks.heard import Heard, Reply, Report, Taken, Unfit, Unsigned
from services.engagement.domain.delivery import BEIJING
from zhiyin.contracts.callbacks import Callback
from zhiyin.contracts.channels import AliyunSmsConfig
from zhiyin.contracts.instants import Instant, instant
from zhiyin.runtime.bodies import field_error

_TAKEN: Final = '{"code":0,"msg":"成功"}'.encode()
# No such number, and people who are on the provider's own list of those to be left alone.
_DEAD: Final = frozenset({"INVALID_NUMBER", "IS_CLOSED", "NUMBER_NOT_EXIST"})
_LEFT_ALONE: Final = frozenset({"MOBILE_IN_BLACK", "ON_BLACK_LIST", "USER_REJECT"})
_LONGEST: Final = 500


class _Item(Struct, frozen=True):
    """A report has `success`, an answer has `content`."""

    phone_number: str
    send_time: str = ""
    report_time: str = ""
    success: bool | None = None
    err_code: str | None = None
    biz_id: str | None = None
    out_id: str | None = None
    content: str | None = None
    sequence_id: int | str | None = None


_items: Final = msgspec.json.Decoder(list[_Item])


def take(callback: Callback, config: AliyunSmsConfig) -> Taken:
    """Raises Unsigned, Unfit."""
    given = callback.query.get("token", "").encode()
    if not hmac.compare_digest(given, (config.callback_token or "").encode()):
        raise Unsigned("the token in the address is not this channel's")
    try:
        items = _items.decode(callback.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        found = field_error(str(error))
        raise Unfit(found.pointer, found.message) from error
    heard = [_heard(each, place, config) for place, each in enumerate(items)]
    return Taken([each for each in heard if each is not None], _TAKEN)


def _heard(item: _Item, place: int, config: AliyunSmsConfig) -> Heard | None:
    if item.content is not None:
        return _reply(item, item.content, place, config)
    if item.success is None:
        raise Unfit(f"/{place}", "neither a report (success) nor an answer (content)")
    known: dict[str, Any] = {
        "action_id": item.out_id or None,
        "reference": item.biz_id,
        "at": _at(item.report_time, f"/{place}/report_time"),
    }
    code = item.err_code or ""
    if item.success:
        return Report("delivered", **known)
    if code in _LEFT_ALONE:
        return Report("unsubscribed", reason=code, **known)
    return Report("bounced", hard=code in _DEAD, reason=code, **known)


def _reply(item: _Item, content: str, place: int, config: AliyunSmsConfig) -> Reply:
    said = content.strip()
    words = {word.casefold() for word in config.stop_words}
    named = f"{item.phone_number}\0{item.send_time}\0{content}\0{item.sequence_id}"
    return Reply(
        id=f"sms:{hashlib.sha256(named.encode()).hexdigest()[:32]}",
        phone=item.phone_number,
        text=said[:_LONGEST],
        stop=said.casefold() in words,
        at=_at(item.send_time, f"/{place}/send_time"),
    )


def _at(text: str, pointer: str) -> Instant:
    """`2017-01-01 00:00:00`, in Beijing."""
    try:
        return instant(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING))
    except ValueError as error:
        raise Unfit(pointer, "a time as 2017-01-01 00:00:00") from error
