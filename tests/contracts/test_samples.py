from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from tests.contracts.examples import Example, examples
from tests.contracts.samples import FOLDER, versions
from zhiyin.contracts.events import Event, properties_of
from zhiyin.contracts.properties.event_types import PROPERTIES

EXAMPLES = examples()
SAMPLES = [(example, path) for example in EXAMPLES for path in versions(example)]
COMMAND = "run `.venv/bin/python -m tests.contracts.samples`"


def plain(example: Example, value: bytes) -> Any:
    packed = example.suffix == "msgpack"
    return msgspec.msgpack.decode(value) if packed else msgspec.json.decode(value)


def kept_in(new: Any, old: Any) -> bool:
    """Whether everything an old message says is still said; new messages may say more."""
    if isinstance(old, dict):
        return all(key in new and kept_in(new[key], value) for key, value in old.items())
    if isinstance(old, list):
        pairs = zip(old, new, strict=False)
        return len(old) <= len(new) and all(kept_in(there, value) for value, there in pairs)
    return bool(new == old)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_the_newest_sample_is_what_is_written_today(example: Example) -> None:
    known = versions(example)
    assert known, f"{example.name} has no sample: {COMMAND}"
    assert known[-1].read_bytes() == example.encode(example.message), f"it changed: {COMMAND}"


@pytest.mark.parametrize(("example", "path"), SAMPLES, ids=lambda each: getattr(each, "name", ""))
def test_every_sample_ever_filed_still_decodes_and_loses_nothing(
    example: Example, path: Any
) -> None:
    old = path.read_bytes()
    message = example.decode(old)
    written = example.encode(message)
    assert example.decode(written) == message
    assert kept_in(plain(example, written), plain(example, old))
    if isinstance(message, Event):
        properties_of(message)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_a_message_written_twice_gives_the_same_bytes(example: Example) -> None:
    written = example.encode(example.message)
    assert example.encode(example.decode(written)) == written


def left_out(message: Any) -> Iterator[str]:
    """Fields that stand at their default, and so do not show, in a message and what is in it."""
    if isinstance(message, dict):
        message = list(message.values())
    if isinstance(message, (list, tuple)):
        for each in message:
            yield from left_out(each)
    if not isinstance(message, Struct):
        return
    for field in msgspec.structs.fields(message):
        value = getattr(message, field.name)
        default = value in (field.default, field.default_factory)
        if default and message.__struct_config__.omit_defaults:
            yield f"{type(message).__name__}.{field.name}"
        yield from left_out(value)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_an_example_sets_every_field(example: Example) -> None:
    """So that a field which is added, renamed or dropped shows in the samples."""
    assert not list(left_out(example.message))
    if isinstance(example.message, Event) and example.message.type in PROPERTIES:
        fields = msgspec.structs.fields(PROPERTIES[example.message.type])
        said = msgspec.json.decode(example.message.properties)
        assert {field.encode_name for field in fields} == set(said)


def test_every_event_type_has_an_example() -> None:
    named = {each.message.type for each in EXAMPLES if isinstance(each.message, Event)}
    assert named == {*PROPERTIES, "custom.pairing"}


def test_no_sample_is_filed_where_nobody_looks() -> None:
    filed = {path for path in FOLDER.rglob("*.v*.*") if path.is_file()}
    assert filed == {path for _, path in SAMPLES}
