"""The outgoing HTTP client. Bounded by its own time-outs: cancelling a request from outside
leaks its place in the pool."""

import hashlib
import hmac

import httpx


def http_client(*, timeout: float = 5.0, connections: int | None = 100) -> httpx.AsyncClient:
    """A client that follows no redirects and takes nothing from the environment. `timeout`
    (seconds) bounds connecting, each read and write, and the wait for a free connection.
    `connections`: None where callers bound themselves, per destination."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(timeout, connect=min(timeout, 2.0)),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        follow_redirects=False,
        trust_env=False,
    )


def internal_token(secret: str) -> str:
    """What calls between our own services carry as `X-Zhiyin-Internal`."""
    return hmac.new(secret.encode(), b"internal", hashlib.sha256).hexdigest()
