"""The whole platform: brought up, asked, broken, scaled, stopped and brought up again."""

import asyncio
import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.cli.running import refusal, zhiyin
from tests.cli.shop import buy, profile
from tests.cli.stacks import RunningStack, wait_until_gone
from zhiyin.embedded.ports import free_port

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    stack = RunningStack(tmp_path_factory.mktemp("stack") / "data", free_port())
    stack.up("--instances", "profile=2")
    yield stack
    stack.down()


def test_connection_json_says_how_to_reach_it(stack: RunningStack) -> None:
    connection = stack.connection()
    assert connection["gateway"] == f"http://127.0.0.1:{stack.port}"
    assert connection["kafka"] is None
    assert connection["postgres"].startswith("postgresql://")
    assert connection["redis"].startswith("redis://")
    assert stat.S_IMODE((stack.folder / "connection.json").stat().st_mode) == 0o600


def test_its_keys_open_what_they_should(stack: RunningStack) -> None:
    assert stack.call("GET", "/v1/system", "admin_key").status_code == 200
    assert stack.call("GET", "/v1/system", "write_key").status_code == 403
    assert buy(stack, "e-1")["orders"]["count"] == 1


def test_its_operator_can_sign_in_and_others_are_made(stack: RunningStack) -> None:
    kept = stack.connection()
    operator = {"email": kept["operator_email"], "password": kept["operator_password"]}
    session = stack.call("POST", "/v1/sessions", body=operator)
    assert (session.status_code, session.json()["must"]) == (201, []), session.text
    spec = ["--email", "lin@example.com", "--name", "林悦", "--role", "marketer"]
    made = zhiyin("operators", "create", *spec, "--data", stack.folder)
    assert json.loads(made.stdout)["role"] == "marketer"


def test_status_shows_every_process_ready(stack: RunningStack) -> None:
    status = stack.wait_until_ready()
    names = sorted(process["instance"] for process in status["processes"])
    assert names == ["engagement-1", "gateway-1", "profile-1", "profile-2", "segmentation-1"]
    assert all(process["ready"] and process["pid"] for process in status["processes"])
    assert set(status["lag"]) == {"profile", "segmentation", "engagement"}
    assert "gateway-1" in zhiyin("status", "--data", stack.folder).stdout


def test_a_killed_worker_comes_back(stack: RunningStack) -> None:
    before = stack.pids()
    os.kill(before["profile-1"], signal.SIGKILL)
    wait_until_gone([before["profile-1"]])
    status = stack.wait_until_ready()
    restarts = {process["instance"]: process["restarts"] for process in status["processes"]}
    assert restarts["profile-1"] == 1
    assert restarts["profile-2"] == 0


@pytest.mark.parametrize("server", ["postgres", "valkey"])
def test_a_killed_server_comes_back_and_nothing_is_lost(stack: RunningStack, server: str) -> None:
    count = buy(stack, "e-1")["orders"]["count"]
    before = stack.pids()
    os.kill(before[server], signal.SIGKILL)
    wait_until_gone([before[server]])
    stack.wait_until_ready()
    assert stack.pids()[server] != before[server]
    assert profile(stack)["orders"]["count"] == count


def test_workers_and_gateways_can_be_added_and_taken_away(stack: RunningStack) -> None:
    result = zhiyin("scale", "segmentation=2,gateway=2", "--data", stack.folder)
    assert result.stdout.strip() == "profile=2, segmentation=2, engagement=1, gateway=2"
    assert len(stack.wait_until_ready()["processes"]) == 7
    zhiyin("scale", "segmentation=1,gateway=1", "--data", stack.folder)
    assert len(stack.wait_until_ready()["processes"]) == 5
    assert buy(stack, "e-scaled")["orders"]["count"] >= 1


def test_logs_are_shown_by_service(stack: RunningStack) -> None:
    result = zhiyin("logs", "profile", "--lines", "3", "--data", stack.folder)
    assert result.returncode == 0
    assert {line.split()[0] for line in result.stdout.splitlines()} <= {"profile-1", "profile-2"}
    assert "there is no log of 'nobody'" in refusal(
        zhiyin("logs", "nobody", "--data", stack.folder)
    )


def test_more_keys_can_be_made(stack: RunningStack) -> None:
    made = zhiyin("keys", "create", "--scopes", "profiles:read", "--data", stack.folder)
    assert '"key":' in made.stdout
    by_role = zhiyin("keys", "create", "--role", "analyst", "--data", stack.folder)
    assert '"role":"analyst"' in by_role.stdout
    assert "the key could not be made" in refusal(
        zhiyin("keys", "create", "--scopes", "everything", "--data", stack.folder)
    )


def test_migrating_again_changes_nothing(stack: RunningStack) -> None:
    assert zhiyin("migrate", "--data", stack.folder).returncode == 0


def test_profiles_can_be_made_anew(stack: RunningStack) -> None:
    before = buy(stack, "e-rebuilt")["orders"]
    result = zhiyin("rebuild", "profile", "--data", stack.folder)
    assert result.returncode == 0, result.stderr
    assert "all as stored" in result.stdout
    assert profile(stack)["orders"] == before


def test_a_damaged_profile_is_found_told_and_put_right(stack: RunningStack) -> None:
    before = buy(stack, "e-damaged")
    who = before["profile_id"]

    async def damage() -> None:
        connection = await asyncpg.connect(stack.connection()["postgres"])
        await connection.execute(
            "UPDATE profile.profile SET snapshot = '\\x00', members = '{M9}' WHERE profile_id = $1",
            who,
        )
        await connection.close()

    asyncio.run(damage())
    looked = zhiyin("rebuild", "profile", "--check", "--data", stack.folder)
    assert looked.returncode == 3, looked.stderr
    assert f'{who}  the whole profile: "unreadable"' in looked.stdout
    assert "left as they are" in looked.stdout
    words = ("rebuild", "profile", "--profile", who, "--json", "--data", stack.folder)
    result = zhiyin(*words)
    assert result.returncode == 3, result.stderr
    *_, done = map(json.loads, result.stdout.splitlines())
    assert done == {"done": {"people": 1, "different": 1, "differences": 1}}
    assert zhiyin(*words).returncode == 0
    assert buy(stack, "e-after")["orders"]["count"] == before["orders"]["count"] + 1
    assert "there is no profile nobody" in refusal(
        zhiyin("rebuild", "profile", "--profile", "nobody", "--data", stack.folder)
    )


def test_doctor_finds_it_healthy(stack: RunningStack) -> None:
    stack.wait_until_ready()
    result = zhiyin("doctor", "--data", stack.folder)
    assert result.returncode == 0, result.stdout
    assert "ok       gateway-1: ready" in result.stdout
    assert "ok       audit trail: intact up to " in result.stdout


def test_a_second_stack_stands_beside_it(stack: RunningStack, tmp_path: Path) -> None:
    other = RunningStack(tmp_path / "other", free_port({stack.port}))
    other.up()
    assert buy(other, "e-other")["orders"]["count"] == 1
    other.down()
    assert stack.status()["ready"]


def test_a_killed_supervisor_leaves_nothing_and_loses_nothing(stack: RunningStack) -> None:
    count = buy(stack, "e-kept")["orders"]["count"]
    keys = stack.connection()["admin_key"]
    pids = [stack.supervisor(), *stack.pids().values()]
    os.kill(stack.supervisor(), signal.SIGKILL)
    wait_until_gone(pids)
    stack.up()
    assert profile(stack)["orders"]["count"] == count
    assert stack.connection()["admin_key"] == keys


def test_down_stops_everything_and_up_finds_the_data_again(stack: RunningStack) -> None:
    count = buy(stack, "e-again")["orders"]["count"]
    pids = [stack.supervisor(), *stack.pids().values()]
    stack.down()
    wait_until_gone(pids)
    assert not (stack.folder / "connection.json").exists()
    stack.up()
    assert profile(stack)["orders"]["count"] == count
