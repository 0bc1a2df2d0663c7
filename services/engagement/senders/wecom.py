"""The channel of kind `wecom`: a group robot, or an app that writes to members."""

from collections import defaultdict, deque
from typing import Any, Final
from urllib.parse import quote

import msgspec

from services.engagement.domain.channels import Channel
from services.engagement.senders.access_tokens import AccessTokens, Fetched
from services.engagement.senders.outbound import Answered, Outbound, ailing
from services.engagement.senders.parcel import Attempt, Failed, Parcel, Rests, Retry, Sent
from zhiyin.contracts.channels import WecomConfig
from zhiyin.contracts.instants import MINUTE, SECOND, Instant
from zhiyin.runtime.clock import Clock

_ROBOT_PER_MINUTE: Final = 20
_TEXT_BYTES: Final = 2048
_BAD_TOKEN: Final = frozenset({40001, 40014, 42001})
_TOO_OFTEN: Final = frozenset({45009, 45033})
_GONE: Final = frozenset({93000, 40056, 301002, 60020})
_BUSY: Final = frozenset({-1, 50001})
_config: Final = msgspec.json.Decoder(WecomConfig).decode


class WecomSender:
    def __init__(self, outbound: Outbound, tokens: AccessTokens, clock: Clock) -> None:
        self.longest = 4 * outbound.longest + 10.0
        self._outbound = outbound
        self._tokens = tokens
        self._clock = clock
        self._begun: defaultdict[str, deque[Instant]] = defaultdict(deque)

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        config = _config(channel.config)
        if (rests := self._paced(channel.name, config)) is not None:
            return rests
        text = _shortened(str(parcel.data.get("text", "")))
        message = {"msgtype": config.format, config.format: {"content": text}}
        if config.robot_key is not None:
            return await self._to_group(config, message)
        return await self._to_member(config, parcel, message)

    def _paced(self, channel: str, config: WecomConfig) -> Rests | None:
        """Robots take twenty messages a minute; what comes faster is refused, not queued."""
        most = config.per_minute or (_ROBOT_PER_MINUTE if config.robot_key else None)
        if most is None:
            return None
        now, begun = self._clock(), self._begun[channel]
        while begun and begun[0] <= now - MINUTE:
            begun.popleft()
        if len(begun) >= most:
            return Rests(f"{most} a minute", begun[0] + MINUTE)
        begun.append(now)
        return None

    async def _to_group(self, config: WecomConfig, message: dict[str, Any]) -> Attempt:
        key = quote(config.robot_key or "", safe="")
        answer = await self._outbound.post_json(
            f"{config.api}/cgi-bin/webhook/send?key={key}", message
        )
        if not isinstance(answer, Answered):
            return answer
        return ailing(answer) or self._judge(answer) or Retry(_reason(answer))

    async def _to_member(
        self, config: WecomConfig, parcel: Parcel, message: dict[str, Any]
    ) -> Attempt:
        to = _members(config, parcel)
        if to is None:
            return Failed(f"no member in the attribute {config.to_attribute}")
        # The same text to the same member is shown once in half an hour, whatever is repeated.
        repeats = {"enable_duplicate_check": 1, "duplicate_check_interval": 1800}
        document = {"touser": to, "agentid": config.agent_id, **message, **repeats}
        stale: str | None = None
        for _ in range(2):
            token = await self._token(config, stale)
            if not isinstance(token, str):
                return token
            url = f"{config.api}/cgi-bin/message/send?access_token={token}"
            answer = await self._outbound.post_json(url, document)
            if not isinstance(answer, Answered):
                return answer
            if attempt := ailing(answer) or self._judge(answer, to):
                return attempt
            stale = token
        return Retry("the access token is refused although it was renewed")

    async def _token(self, config: WecomConfig, stale: str | None) -> str | Failed | Retry:
        corp, secret = quote(config.corp_id or "", safe=""), quote(config.app_secret or "", safe="")

        async def fetch(_: bool) -> Fetched | Failed | Retry:
            url = f"{config.api}/cgi-bin/gettoken?corpid={corp}&corpsecret={secret}"
            answer = await self._outbound.get(url)
            if not isinstance(answer, Answered):
                return answer
            said = answer.document()
            if said.get("errcode") == 0 and isinstance(said.get("access_token"), str):
                return said["access_token"], int(said.get("expires_in", 7200)) * SECOND
            return Retry(f"no access token: {_reason(answer)}", answer.retry_after)

        return await self._tokens.current(f"wecom:{corp}:{config.agent_id}", fetch, stale)

    def _judge(self, answer: Answered, to: str = "") -> Attempt | None:
        """None when the token is not taken."""
        said = answer.document()
        code, reason = said.get("errcode"), _reason(answer)
        if code == 0:
            wrong = str(said.get("invaliduser") or "")
            if to and set(to.split("|")) <= set(wrong.split("|")):
                return Failed(f"no such member: {wrong}"[:300])
            return Sent(str(said["msgid"]) if "msgid" in said else None)
        if code in _BAD_TOKEN:
            return None
        if code in _TOO_OFTEN:
            return Rests(reason, self._clock() + MINUTE)
        if code in _BUSY or not isinstance(code, int):
            return Retry(reason)
        return Failed(reason, gone=code in _GONE)


def _members(config: WecomConfig, parcel: Parcel) -> str | None:
    if config.to_attribute is None:
        return config.to
    named = parcel.attributes.get(config.to_attribute)
    return str(named) if named else config.to


def _shortened(text: str) -> str:
    """At most what a text message may have, cut between characters."""
    return text.encode()[:_TEXT_BYTES].decode(errors="ignore")


def _reason(answer: Answered) -> str:
    said = answer.document()
    return f"{said.get('errcode', answer.status)} {said.get('errmsg', '')}".strip()[:300]
