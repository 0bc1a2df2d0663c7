"""What a provider calls back with, as the gateway hands it to engagement: nothing is looked into on
the way, since a signature may cover all of it."""

from msgspec import Struct


class Callback(Struct, frozen=True):
    """`headers` in lower case, those that matter."""

    method: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


# Which headers matter.
CALLBACK_HEADERS = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")
