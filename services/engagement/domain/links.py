"""Links we issue with a message: short, impossible to guess, each for one purpose."""

import hashlib
import hmac
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Final

from zhiyin.contracts.instants import Duration, Instant

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CODE: Final = 11  # digits that hold 64 bits
_URL: Final = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_HREF: Final = re.compile(r"""(?<=href=)(["'])(https?://[^"']+)\1""")
_NOT_ITS_END: Final = ".,;:!?)'"
CODE_PATTERN: Final = f"[0-9A-Za-z]{{{_CODE}}}"
OPEN: Final = "open"
LEAVE: Final = "leave"


@dataclass(frozen=True, slots=True)
class Link:
    """`purpose`: `url:<digest>`, `open` (the picture in a mail), `leave`, or `survey:<key>`. `url`
    is where a click leads; `expires_at` None: as long as the message is kept."""

    code: str
    action_id: uuid.UUID
    purpose: str
    url: str = ""
    expires_at: Instant | None = None


def code_of(key: bytes, action_id: uuid.UUID, purpose: str) -> str:
    """Made from a secret, so that nobody can make one, and the same however often it is made."""
    digest = hmac.new(key, action_id.bytes + purpose.encode(), hashlib.sha256).digest()
    number, digits = int.from_bytes(digest[:8]), ""
    for _ in range(_CODE):
        number, digit = divmod(number, len(_DIGITS))
        digits += _DIGITS[digit]
    return digits


@dataclass(frozen=True, slots=True)
class LinkKey:
    """`base`: the platform's public address."""

    base: str
    key: bytes

    def issuer(self, surveys: Mapping[str, Duration]) -> "Issuer":
        return Issuer(self.base, self.key, surveys)


@dataclass(frozen=True, slots=True)
class Issuer:
    """`base`: the platform's public address; `surveys`: how long each one's link holds."""

    base: str
    key: bytes
    surveys: Mapping[str, Duration] = field(default_factory=dict)

    def for_message(self, action_id: uuid.UUID, now: Instant) -> "MessageLinks":
        return MessageLinks(self, action_id, now)


@dataclass(slots=True)
class MessageLinks:
    """The links of one message; `issued` are those it really has."""

    issuer: Issuer
    action_id: uuid.UUID
    now: Instant
    issued: dict[str, Link] = field(default_factory=dict)

    def leave(self) -> str:
        return self._address("u", LEAVE)

    def picture(self) -> str:
        return self._address("o", OPEN) + ".gif"

    def surveys(self) -> dict[str, str]:
        return {key: self._address("s", f"survey:{key}") for key in self.issuer.surveys}

    def keep(self, said: Iterable[str]) -> None:
        """Issue those of our own addresses that the message came to mention."""
        text = "\n".join(said)
        if self.leave() in text:
            self._issue(LEAVE)
        if self.picture() in text:
            self._issue(OPEN)
        for key, address in self.surveys().items():
            if address in text:
                self._issue(f"survey:{key}", expires=self.issuer.surveys[key])

    def counted(self, text: str) -> str:
        """The text with every web address in it led past us."""
        return _URL.sub(lambda found: self._counted(found[0], lambda url: url), text)

    def counted_html(self, text: str) -> str:
        def replaced(found: re.Match[str]) -> str:
            return found[1] + self._counted(unescape(found[2]), escape) + found[1]

        return _HREF.sub(replaced, text)

    def _counted(self, url: str, written: Callable[[str], str]) -> str:
        bare = url.rstrip(_NOT_ITS_END)
        if bare.startswith(self.issuer.base):
            return written(url)
        purpose = f"url:{hashlib.sha256(bare.encode()).hexdigest()[:12]}"
        self._issue(purpose, url=bare)
        return written(self._address("r", purpose) + url[len(bare) :])

    def _issue(self, purpose: str, *, url: str = "", expires: Duration | None = None) -> None:
        code = code_of(self.issuer.key, self.action_id, purpose)
        until = None if expires is None else self.now + expires
        self.issued[code] = Link(code, self.action_id, purpose, url, until)

    def _address(self, kind: str, purpose: str) -> str:
        return f"{self.issuer.base}/{kind}/{code_of(self.issuer.key, self.action_id, purpose)}"
