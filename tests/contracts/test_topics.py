import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import zhiyin
import zhiyin.contracts
from tests.contracts.examples import examples
from zhiyin.contracts.properties.event_types import PROPERTIES
from zhiyin.contracts.topics import EVENTS, TOPICS, topic_of

NAMES = {topic.name for topic in TOPICS}
ROOT = Path(zhiyin.__file__).parent.parent


def sources() -> Iterator[Path]:
    for package in ("zhiyin", "services"):
        yield from (ROOT / package).rglob("*.py")


def test_every_topic_is_named_once_and_every_event_type_has_one() -> None:
    assert len(NAMES) == len(TOPICS)
    assert {topic_of(kind) for kind in PROPERTIES} | {topic_of("custom.x")} == set(EVENTS)
    assert set(EVENTS) <= NAMES


def test_every_message_the_table_names_is_a_contract_with_a_sample() -> None:
    modules = pkgutil.iter_modules(zhiyin.contracts.__path__, "zhiyin.contracts.")
    defined = {name for each in modules for name in vars(importlib.import_module(each.name))}
    assert {topic.message for topic in TOPICS} <= defined
    sampled = {example.name.partition("/")[0] for example in examples()}
    assert sampled - {"stored"} == NAMES


def test_a_message_of_a_topic_is_of_the_type_the_table_names() -> None:
    messages = {topic.name: topic.message for topic in TOPICS}
    for example in examples():
        topic = example.name.partition("/")[0]
        if topic in messages:
            assert type(example.message).__name__ == messages[topic]


def test_no_other_module_spells_a_topics_name() -> None:
    spelt = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        if path.name != "topics.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in NAMES
    }
    assert not spelt
