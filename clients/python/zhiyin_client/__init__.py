"""Client of the Zhiyin platform: `Client`, or `AsyncClient` with the same calls awaited."""

from zhiyin_client.aio import AsyncClient
from zhiyin_client.aio_batching import AsyncBatching
from zhiyin_client.batching import Batching
from zhiyin_client.client import Client
from zhiyin_client.errors import (
    ApiError,
    BufferFull,
    Conflict,
    Forbidden,
    Gone,
    InvalidRequest,
    NotFound,
    NotYet,
    RateLimited,
    ServerError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unreachable,
    ZhiyinError,
)
from zhiyin_client.models import Commanded, Event, FieldError, Page, Profile, Rejected, Tag, Taken
from zhiyin_client.retrying import Retrying

__all__ = [
    "ApiError",
    "AsyncBatching",
    "AsyncClient",
    "Batching",
    "BufferFull",
    "Client",
    "Commanded",
    "Conflict",
    "Event",
    "FieldError",
    "Forbidden",
    "Gone",
    "InvalidRequest",
    "NotFound",
    "NotYet",
    "Page",
    "Profile",
    "RateLimited",
    "Rejected",
    "Retrying",
    "ServerError",
    "Tag",
    "Taken",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "ZhiyinError",
]
