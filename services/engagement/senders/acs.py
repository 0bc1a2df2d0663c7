"""Alibaba Cloud's request signature, ACS3-HMAC-SHA256.

https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from services.engagement.senders.places import target

_ALGORITHM: Final = "ACS3-HMAC-SHA256"


def signed(
    endpoint: str,
    action: str,
    version: str,
    query: Mapping[str, str],
    *,
    key_id: str,
    secret: str,
    date: str,
    nonce: str,
) -> tuple[str, dict[str, str]]:
    """URL and headers of a POST without a body. `date` as `2026-11-27T12:00:00Z`; `nonce` is never
    used twice. Raises BadPlace."""
    headers = {
        "host": target(endpoint).authority,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": date,
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    asked = canonical_query(query)
    signature = _signature(secret, asked, headers)
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={key_id},SignedHeaders={';'.join(headers)},Signature={signature}"
    )
    return f"{endpoint.rstrip('/')}/?{asked}", headers


def canonical_query(query: Mapping[str, str]) -> str:
    return "&".join(f"{_escaped(name)}={_escaped(query[name])}" for name in sorted(query))


def _signature(secret: str, query: str, headers: Mapping[str, str]) -> str:
    """`headers`: lower case and sorted, all of them signed."""
    lines = "".join(f"{name}:{value.strip()}\n" for name, value in headers.items())
    names, content = ";".join(headers), headers["x-acs-content-sha256"]
    request = f"POST\n/\n{query}\n{lines}\n{names}\n{content}"
    stated = f"{_ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    return hmac.new(secret.encode(), stated.encode(), hashlib.sha256).hexdigest()


def _escaped(text: str) -> str:
    return quote(text, safe="~")
