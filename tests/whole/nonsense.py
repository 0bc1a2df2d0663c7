"""What nobody should send: values, texts for paths and queries, whole bodies."""

import gzip
import itertools
import json
from collections.abc import Iterator
from typing import Any, Final

from zhiyin.runtime.cursors import encode_cursor

LONG: Final = "x" * 70_000
A_PLACE: Final = 5  # values tried at each place; no divisor of how many there are
SQL: Final = "'; DROP TABLE segment; --"
# Each takes the place of each value of a sound body. "\ud800" travels as JSON's escape of it.
VALUES: Final[tuple[Any, ...]] = (
    None, True, -1, 2**63, 10**400, 1e308, 0.1, "", " ", "\0", "\ud800", LONG, SQL,
    "../../etc/passwd", "{{ 7 * 7 }}", "9999-12-31T23:59:59.999999+14:00",
    "0001-01-01T00:00:00-14:00", [], {}, [[[[None]]]], {"\0": {"\ud800": 1}},
)  # fmt: skip
IN_PATH: Final = (
    "%00", "%FF%FE", "%ED%A0%80", "%0d%0aX-Injected:%201", "..%2F..%2Fetc%2Fpasswd", "%252e%252e",
    "%27%3B%20DROP%20TABLE%20segment%3B--", "%F0%9F%98%80", "-1", "9" * 40, "x" * 600, "x" * 9_000,
    "a%20b", "%2F", ".", "..", "%25", "%", "%zz", "*", "nul", "%7B%7D", "%E2%80%AE",
)  # fmt: skip
IN_QUERY: Final = (
    "", "-1", "0", "501", "1e3", "NaN", "9" * 40, "%00", "%FF", "%ED%A0%80", "x" * 9_000,
    "%27%20OR%201=1", "AAAA", "gA", "%F0%9F%98%80", "a&limit=1&limit=2", "%", "[]", "a%0d%0ab",
)  # fmt: skip


def cursors() -> Iterator[str]:
    """Well-formed ones that no endpoint gave out."""
    numbers = (2**64 - 1, -(2**63), 1.5, None)
    texts = ("\0", "x", "00000000-0000-0000-0000-000000000000", "0001-01-01T00:00:00+14:00")
    for key in itertools.chain(
        ((each,) for each in (*numbers, *texts)),
        itertools.product(numbers, texts),
        itertools.product(texts, texts[:2]),
    ):
        yield encode_cursor(*key)
    yield encode_cursor("profile", encode_cursor(2**64 - 1))  # of dead letters: a cursor inside


def changed(sound: Any) -> Iterator[Any]:
    """The body with one value replaced, left out, or one member too many; over all its places. The
    values go round, some for each place: all of them for each would take minutes."""
    yield from VALUES
    yield from _inside(sound, itertools.cycle(VALUES))


def _inside(sound: Any, values: Iterator[Any]) -> Iterator[Any]:
    if isinstance(sound, dict):
        yield {**sound, "no_such_member": 1}
        for name, value in sound.items():
            yield {key: each for key, each in sound.items() if key != name}
            others = itertools.chain(itertools.islice(values, A_PLACE), _inside(value, values))
            yield from ({**sound, name: other} for other in others)
    elif isinstance(sound, list):
        for index, value in enumerate(sound):
            others = itertools.chain(itertools.islice(values, A_PLACE), _inside(value, values))
            yield from ([*sound[:index], other, *sound[index + 1 :]] for other in others)
        yield sound * 3_000


DEPTH: Final = 100_000
RAW: Final[tuple[bytes, ...]] = (
    b"", b"{", b"}", b"nul", b"\xff\xfe\x00", b"\xef\xbb\xbf{}", b'{"a": "\xed\xa0\x80"}', b"{}{}",
    b"NaN", b'{"key": Infinity}', b"1e99999", b'{"key": 1, "key": 2}', b"'", b"<xml/>",
    b"\x80" * 1_000, b"[" * DEPTH, b"[" * DEPTH + b"]" * DEPTH, b'{"all":[' * DEPTH,
    b'{"rule":' + b'{"not":' * 2_000 + b"{}" + b"}" * 2_001,
    b'{"rule":{"all":[' + b'{"tag":"x"},' * 50_000 + b'{"tag":"x"}]},"key":"wide","name":"wide"}',
)  # fmt: skip
OVERSIZED: Final = b'{"key": "' + b"x" * (5 * 1024 * 1024) + b'"}'
BOMB: Final = gzip.compress(b" " * (64 * 1024 * 1024), 9)
# (headers, body): how it is sent is wrong.
SENT_WRONGLY: Final[tuple[tuple[dict[str, str], bytes], ...]] = (
    ({"content-type": "application/xml"}, b"{}"),
    ({"content-type": "multipart/form-data; boundary=x"}, b"--x--"),
    ({"content-type": "application/json; charset=utf-16"}, b"{}"),
    ({"content-type": "application/json; charset=gbk"}, '{"name": "\u9633"}'.encode("gbk")),
    ({"content-type": "\xff"}, b"{}"),
    ({"content-encoding": "br"}, b"{}"),
    ({"content-encoding": "gzip"}, b"{}"),
    ({"content-encoding": "gzip"}, gzip.compress(b"{}" * 500)[:-9]),
    ({"content-encoding": "gzip"}, gzip.compress(b"[" * DEPTH)),
    ({"content-encoding": "gzip, gzip"}, gzip.compress(gzip.compress(b"{}"))),
    ({"content-encoding": "gzip"}, BOMB),
    ({}, OVERSIZED),
    ({"idempotency-key": "x" * 256}, b"{}"),
    ({"idempotency-key": "\xe9"}, b"{}"),
    ({"traceparent": "00-zz-zz-zz"}, b"{}"),
    ({"traceparent": "\xff" * 500}, b"{}"),
)


def encoded(body: Any) -> bytes:
    """As JSON; a number too large for a float stays the number it is."""
    return json.dumps(body).encode()
