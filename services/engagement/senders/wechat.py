"""The channels of WeChat: subscribe messages of a mini-program, template messages of an official
account."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from services.engagement.domain.channels import Channel
from services.engagement.domain.delivery import tomorrow
from services.engagement.senders.access_tokens import AccessTokens, Fetched
from services.engagement.senders.outbound import Answered, Outbound, ailing
from services.engagement.senders.parcel import Attempt, Failed, Parcel, Rests, Retry, Sent
from zhiyin.contracts.channels import WechatConfig
from zhiyin.contracts.instants import MINUTE, SECOND
from zhiyin.runtime.clock import Clock

_BAD_TOKEN: Final = frozenset({40001, 40014, 42001})
_REFUSED: Final = 43101
_UNAUTHORIZED: Final = frozenset({48001})
_BAD_OPENID: Final = "40003 "
_MOST_OPENIDS: Final = 3
_USED_UP: Final = frozenset({45009})
_EACH_MINUTE: Final = frozenset({45011})
_BUSY: Final = frozenset({-1, 40164, 45033})
_config: Final = msgspec.json.Decoder(WechatConfig).decode
Form = Literal["subscribe", "template"]


class WechatSender:
    """`form`: which of the two message kinds."""

    def __init__(self, form: Form, outbound: Outbound, tokens: AccessTokens, clock: Clock) -> None:
        self.longest = (2 + _MOST_OPENIDS) * outbound.longest + 10.0  # tokens, messages
        self._form: Form = form
        self._outbound = outbound
        self._tokens = tokens
        self._clock = clock

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        if not parcel.data.get("template_id"):
            return Failed("the message template names no template_id for WeChat")
        if not parcel.addresses:
            return Failed("no openid")
        config = _config(channel.config)
        # Each app of a brand knows the same person by an openid of its own; which of them is this
        # app's, only WeChat can tell.
        attempt: Attempt = Failed("no openid")
        for _, openid in parcel.addresses[:_MOST_OPENIDS]:
            attempt = await self._to(config, parcel, openid)
            if not isinstance(attempt, Failed) or not attempt.reason.startswith(_BAD_OPENID):
                break
        return attempt

    async def _to(self, config: WechatConfig, parcel: Parcel, openid: str) -> Attempt:
        stale: str | None = None
        for _ in range(2):
            token = await self._token(config, stale)
            if not isinstance(token, str):
                return token
            attempt = await self._once(config, parcel, openid, token)
            if attempt is not None:
                return attempt
            stale = token
        return Retry("the access token is refused although it was renewed")

    async def _token(self, config: WechatConfig, stale: str | None) -> str | Failed | Retry:
        async def fetch(force: bool) -> Fetched | Failed | Retry:
            asked = {
                "grant_type": "client_credential",
                "appid": config.app_id,
                "secret": config.app_secret or "",
                "force_refresh": force,
            }
            answer = await self._outbound.post_json(f"{config.api}/cgi-bin/stable_token", asked)
            if not isinstance(answer, Answered):
                return answer
            said = answer.document()
            if answer.status == 200 and isinstance(said.get("access_token"), str):
                return said["access_token"], int(said.get("expires_in", 7200)) * SECOND
            return Retry(f"no access token: {_reason(answer)}", answer.retry_after)

        return await self._tokens.current(f"wechat:{config.app_id}", fetch, stale)

    async def _once(
        self, config: WechatConfig, parcel: Parcel, openid: str, token: str
    ) -> Attempt | None:
        """None when the token is not taken."""
        path = f"/cgi-bin/message/{self._form}/send?access_token={token}"
        document = self._message(config, parcel, openid)
        answer = await self._outbound.post_json(config.api + path, document)
        if not isinstance(answer, Answered):
            return answer
        if trouble := ailing(answer):
            return trouble
        return self._judge(answer, str(parcel.data["template_id"]))

    def _message(self, config: WechatConfig, parcel: Parcel, openid: str) -> dict[str, Any]:
        data: Mapping[str, Any] = parcel.data
        message: dict[str, Any] = {
            "touser": openid,
            "template_id": data["template_id"],
            "data": {name: {"value": value} for name, value in (data.get("params") or {}).items()},
        }
        page = data.get("page")
        if self._form == "subscribe":
            state = {"miniprogram_state": config.miniprogram_state, "lang": "zh_CN"}
            return {**message, **state, **({"page": page} if page else {})}
        # Sent again with the same id within ten minutes, it is not shown again.
        message["client_msg_id"] = parcel.action_id.hex
        return {**message, **({"url": page} if page else {})}

    def _judge(self, answer: Answered, template: str) -> Attempt | None:
        said = answer.document()
        code = said.get("errcode")
        reason = _reason(answer)
        match code:
            case 0:
                return Sent(str(said["msgid"]) if "msgid" in said else None)
            case _ if code in _BAD_TOKEN:
                return None
            case _ if code in _USED_UP:
                return Rests(reason, tomorrow(self._clock()))
            case _ if code in _EACH_MINUTE:
                return Rests(reason, self._clock() + MINUTE)
            case _ if code in _BUSY or not isinstance(code, int):
                return Retry(reason)
            case _:
                return Failed(
                    reason,
                    gone=code in _UNAUTHORIZED,
                    withdrawn=f"wechat.{template}" if code == _REFUSED else None,
                )


def _reason(answer: Answered) -> str:
    said = answer.document()
    return f"{said.get('errcode', answer.status)} {said.get('errmsg', '')}"[:300]
