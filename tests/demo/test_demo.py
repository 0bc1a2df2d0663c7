"""The demo, as a user runs it, on a platform of its own."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import zhiyin
from tests.cli.stacks import RunningStack

EVENTS = "1500"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    running = RunningStack(tmp_path_factory.mktemp("demo") / "data", free_port())
    running.up()
    yield running
    running.down()


@pytest.fixture(scope="module")
def first_run(stack: RunningStack) -> str:
    """What the first run showed."""
    result = zhiyin("demo", "--data", stack.folder, "--events", EVENTS)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_orders_and_totals_equal_the_sources(first_run: str) -> None:
    assert re.search(r"\d+ households, [\d,]+ orders, [\d.]+ in all: 0 differences", first_run)


def test_it_shows_segments_campaigns_and_delays(first_run: str) -> None:
    for word in ("dormant-90d", "win-back-90d", "import", "event → profile", "RFM"):
        assert word in first_run


def test_somebody_enters_dormant_90d_at_the_instant_and_something_is_decided(
    first_run: str,
) -> None:
    delays = re.findall(r"dormant-90d entered: recorded ([\d,.]+) ms after, read", first_run)
    assert len(delays) == 3
    assert all(0 <= float(delay.replace(",", "")) < 5000 for delay in delays)
    assert len(re.findall(r"win-back-90d decided: read [\d,.]+ ms after", first_run)) == 3


def test_a_second_run_counts_nothing_twice_and_recalls_the_moment(
    stack: RunningStack, first_run: str
) -> None:
    again = zhiyin("demo", "--data", stack.folder, "--events", EVENTS)
    assert again.returncode == 0, again.stdout + again.stderr
    sums = r"[\d,]+ orders, [\d.]+ in all"
    assert re.findall(sums, again.stdout) == re.findall(sums, first_run)
    assert "ended on an earlier run" in again.stdout


def test_a_difference_fails_the_demo(stack: RunningStack, first_run: str) -> None:
    member = re.search(r"\(member (\d+)\)", first_run)
    assert member
    extra = {
        "event_id": "extra",
        "type": "purchase.completed",
        "occurred_at": "2026-01-01T00:00:00Z",
        "import": True,
        "customer": {"member_id": member[1]},
        "properties": {"order_id": "not-in-the-source", "total": "0.01"},
    }
    assert stack.call("POST", "/v1/events", body=extra).status_code == 202
    result = zhiyin("demo", "--data", stack.folder, "--events", EVENTS)
    assert result.returncode == 1
    assert ": 1 differences" in result.stdout
    assert f"household {member[1]}" in result.stdout


def test_replay_posts_a_file_and_tells_what_was_rejected(
    stack: RunningStack, tmp_path: Path
) -> None:
    good = {
        "event_id": "r-1",
        "type": "custom.replayed",
        "occurred_at": "2026-01-01T00:00:00Z",
        "customer": {"member_id": "replayed"},
    }
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps(one) for one in (good, {**good, "type": "nonsense"})))
    result = zhiyin("replay", file, "--data", stack.folder)
    assert result.returncode == 1
    assert "1 events accepted, 1 rejected" in result.stdout
    assert "r-1: " in result.stdout


def test_without_a_platform_the_demo_is_one_line(tmp_path: Path) -> None:
    result = zhiyin("demo", "--data", tmp_path)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "zhiyin up --detach" in result.stderr
