"""The document of the topics, as the official parser sees it."""

import json
import subprocess
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

from tests.contracts.examples import examples
from zhiyin.contracts.asyncapi import asyncapi
from zhiyin.contracts.events import Event
from zhiyin.contracts.properties.event_types import PROPERTIES
from zhiyin.contracts.topics import TOPICS

CLIENTS = Path(__file__).parent / "clients"


def test_the_official_parser_finds_nothing_wrong(node: str) -> None:
    command = [sys.executable, "-m", "zhiyin.cli.main", "asyncapi"]
    printed = subprocess.run(command, capture_output=True, check=True).stdout
    checked = subprocess.run(
        [node, str(CLIENTS / "asyncapi.mjs")], input=printed, capture_output=True, check=True
    )
    assert json.loads(checked.stdout) == []
    broken = printed.replace(b'"action": "send"', b'"action": "shout"')
    checked = subprocess.run(
        [node, str(CLIENTS / "asyncapi.mjs")], input=broken, capture_output=True, check=True
    )
    assert json.loads(checked.stdout)


def test_every_topic_and_every_message_is_in_it() -> None:
    document = asyncapi("1")
    assert {each["address"] for each in document["channels"].values()} == {
        topic.name for topic in TOPICS
    }
    names = {each["name"] for each in document["components"]["messages"].values()}
    assert names == {*PROPERTIES, "custom.*", "ProfileChanged", "SegmentChanged", "ActionDecided"}
    on_topics = [name for channel in document["channels"].values() for name in channel["messages"]]
    assert sorted(on_topics) == sorted(document["components"]["messages"])


def test_messages_as_they_are_written_fit_their_schemas() -> None:
    document = asyncapi("1")
    messages = document["components"]["messages"].values()
    for example in examples():
        if not isinstance(example.message, Event):
            continue
        name = "custom.*" if example.message.type[:7] == "custom." else example.message.type
        [message] = [each for each in messages if each["name"] == name]
        schema = {**message["payload"], "components": document["components"]}
        Draft202012Validator(schema).validate(json.loads(example.encode(example.message)))
