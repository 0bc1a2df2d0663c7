"""The whole platform on a local Apache Kafka."""

import os
import signal
from pathlib import Path

import pytest

from tests.cli.shop import buy, profile
from tests.cli.stacks import RunningStack, wait_until_gone
from zhiyin.embedded.ports import free_port

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


@pytest.mark.usefixtures("local_kafka")
def test_it_survives_a_killed_broker_and_a_restart(tmp_path: Path) -> None:
    stack = RunningStack(tmp_path / "data", free_port())
    stack.up("--kafka", "local")
    try:
        assert stack.connection()["kafka"].startswith("127.0.0.1:")
        assert buy(stack, "k-1")["orders"]["count"] == 1
        broker = stack.pids()["kafka"]
        os.kill(broker, signal.SIGKILL)
        wait_until_gone([broker])
        assert buy(stack, "k-2")["orders"]["count"] == 2
        stack.down()
        stack.up("--kafka", "local")
        assert profile(stack)["orders"]["count"] == 2
        assert buy(stack, "k-3")["orders"]["count"] == 3
    finally:
        stack.down()
