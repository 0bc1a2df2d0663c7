"""The channel of kind `aliyun_sms`: Alibaba Cloud SMS (Dysmsapi 2017-05-25)."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from services.engagement.domain.channels import Channel
from services.engagement.domain.delivery import BEIJING, tomorrow
from services.engagement.senders.acs import signed
from services.engagement.senders.addresses import AddressUnavailable
from services.engagement.senders.outbound import Answered, Outbound
from services.engagement.senders.parcel import (
    AddressBook,
    Attempt,
    Failed,
    Parcel,
    Rests,
    Retry,
    Sent,
)
from services.engagement.senders.places import BadPlace
from zhiyin.contracts.channels import AliyunSmsConfig
from zhiyin.contracts.instants import HOUR, MINUTE, Duration, Instant, moment
from zhiyin.runtime.clock import Clock

_VERSION: Final = "2017-05-25"
_NOT_A_NUMBER: Final = frozenset({"isv.MOBILE_NUMBER_ILLEGAL", "isv.INVALID_NUMBER"})
_USED_UP: Final = frozenset({"isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL"})
# The account, not the message: somebody has to pay, or to put the key right.
_ACCOUNT: Final = frozenset(
    {"isv.OUT_OF_SERVICE", "isv.AMOUNT_NOT_ENOUGH", "isv.ACCOUNT_ABNORMAL", "isv.DENY_IP_RANGE"}
)
# One number is held back: how long, by the word in what they say of it.
_HELD_BACK: Final[Mapping[str, Duration]] = {"分钟": MINUTE, "小时": HOUR, "天": 6 * HOUR}
_config: Final = msgspec.json.Decoder(AliyunSmsConfig).decode
_json: Final = msgspec.json.Encoder().encode


class AliyunSmsSender:
    def __init__(self, outbound: Outbound, addresses: AddressBook, clock: Clock) -> None:
        self.longest = 2 * outbound.longest + 10.0  # asked about first, the address, the sending
        self._outbound = outbound
        self._addresses = addresses
        self._clock = clock

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        template = str(parcel.data.get("template_id") or "")
        if not template:
            return Failed("the message template names no template_id for SMS")
        if parcel.address is None:
            return Failed("no phone number")
        config = _config(channel.config)
        try:
            number = await self._addresses.reveal(*parcel.address, str(parcel.action_id))
        except AddressUnavailable as error:
            return Retry(str(error), ailing=False)
        if number is None:
            return Failed("the phone number has been erased")
        if parcel.attempts > 1 and await self._went_out(config, parcel, number):
            return Sent()
        answer = await self._call(config, "SendSms", self._message(config, parcel, number))
        if not isinstance(answer, Answered):
            return answer
        return self._judge(answer, parcel)

    def _message(self, config: AliyunSmsConfig, parcel: Parcel, number: str) -> dict[str, str]:
        return {
            "PhoneNumbers": _dialled(number),
            "SignName": config.sign_name,
            "TemplateCode": str(parcel.data["template_id"]),
            "TemplateParam": _json(parcel.data.get("params") or {}).decode(),
            "OutId": str(parcel.action_id),
        }

    async def _went_out(self, config: AliyunSmsConfig, parcel: Parcel, number: str) -> bool:
        """SMS knows no repeated request: after an attempt of which nothing was heard, the provider
        is asked whether it took it, rather than sent it twice."""
        day = moment(self._clock()).astimezone(BEIJING).strftime("%Y%m%d")
        query = {
            "PhoneNumber": _dialled(number),
            "SendDate": day,
            "PageSize": "50",
            "CurrentPage": "1",
        }
        answer = await self._call(config, "QuerySendDetails", query)
        if not isinstance(answer, Answered):
            return False
        found = answer.document().get("SmsSendDetailDTOs") or {}
        details: list[dict[str, Any]] = found.get("SmsSendDetailDTO") or []
        return any(each.get("OutId") == str(parcel.action_id) for each in details)

    async def _call(
        self, config: AliyunSmsConfig, action: str, query: Mapping[str, str]
    ) -> Answered | Failed | Retry:
        try:
            url, headers = signed(
                config.endpoint,
                action,
                _VERSION,
                query,
                key_id=config.access_key_id,
                secret=config.access_key_secret or "",
                date=moment(self._clock()).strftime("%Y-%m-%dT%H:%M:%SZ"),
                nonce=secrets.token_hex(16),
            )
        except BadPlace as error:
            return Failed(f"refused: {error}")
        return await self._outbound.post(url, b"", {**headers, "accept": "application/json"})

    def _judge(self, answer: Answered, parcel: Parcel) -> Attempt:
        said = answer.document()
        code, message = str(said.get("Code", "")), str(said.get("Message", ""))
        if answer.status == 200 and code == "OK":
            return Sent(said.get("BizId"))
        if code in _NOT_A_NUMBER:
            return Failed(code, bounced=parcel.where)
        return _refused(code, message, answer, self._clock())


def _refused(code: str, message: str, answer: Answered, now: Instant) -> Attempt:
    reason = f"{code or f'answered {answer.status}'}: {message}"[:300].rstrip(": ")
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        after = next((wait for word, wait in _HELD_BACK.items() if word in message), HOUR)
        return Retry(reason, after, ailing=False)
    if code in _USED_UP:
        return Rests(reason, tomorrow(now))
    if code.startswith("isv.") and code not in _ACCOUNT:
        return Failed(reason)
    return Retry(reason, answer.retry_after)


def _dialled(number: str) -> str:
    """`+86138…` as at home, others with their country code and no plus."""
    return number.removeprefix("+86") if number.startswith("+86") else number.removeprefix("+")
