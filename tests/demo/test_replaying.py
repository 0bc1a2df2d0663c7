"""Replaying files: what is broken is named, and nothing of it is posted."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from zhiyin.demo.errors import DemoError
from zhiyin.demo.replaying import _file, run_replay

NOW = 1_800_000_000_000_000
EVENT = {"event_id": "1", "type": "custom.x", "customer": {"member_id": "1"}}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a platform that is not there."""
    connection = {"gateway": "http://127.0.0.1:9", "admin_key": "zk_"}
    (tmp_path / "connection.json").write_text(json.dumps(connection))
    return tmp_path


async def test_a_broken_line_is_named_by_its_number(data: Path) -> None:
    file = data / "events.jsonl"
    file.write_text(json.dumps(EVENT) + "\n\n{nonsense\n")
    with pytest.raises(DemoError, match="line 3: JSON is malformed"):
        await run_replay(Console(), str(file), data, NOW)


async def test_a_line_that_is_no_object_is_named(data: Path) -> None:
    file = data / "events.jsonl"
    file.write_bytes(b"[1]\n")
    with pytest.raises(DemoError, match="line 1: Expected `object`"):
        await run_replay(Console(), str(file), data, NOW)


async def test_what_is_neither_file_nor_dataset_is_told_so(data: Path) -> None:
    with pytest.raises(DemoError, match="no dataset either: purchases, clicks, words"):
        await run_replay(Console(), str(data / "none"), data, NOW)


async def test_a_folder_is_no_file(data: Path) -> None:
    with pytest.raises(DemoError, match="cannot be read"):
        await run_replay(Console(), str(data), data, NOW)


async def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="zhiyin up --detach"):
        await run_replay(Console(), "purchases", tmp_path, NOW)


async def test_a_stack_that_does_not_answer_is_one_line(data: Path) -> None:
    file = data / "events.jsonl"
    file.write_text(json.dumps(EVENT))
    with pytest.raises(DemoError, match="cannot be used; `zhiyin status`"):
        await run_replay(Console(), str(file), data, NOW)


def test_as_import_marks_every_event_and_changes_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps({**EVENT, "properties": {"price": 1.10}}) + "\n")
    total, events = _file(file, as_import=True)
    assert total == 1
    (again,) = events
    assert json.loads(again) == {**EVENT, "properties": {"price": 1.10}, "import": True}
