"""Whatever cannot be done is one line and a non-zero exit, never a traceback."""

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from tests.cli.running import refusal, zhiyin
from zhiyin.cli.main import main
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.lock import held


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["up", "--instances", "profil=2"], "unknown service 'profil'"),
        (["up", "--instances", "profile"], "profile=NUMBER"),
        (["up", "--instances", "profile=two"], "profile=NUMBER"),
        (["up", "--instances", "profile=²"], "profile=NUMBER"),
        (["up", "--instances", "profile=0"], "1 to 32"),
        (["up", "--instances", "profile=99"], "1 to 32"),
        (["up", "--port", "0"], "--port must be from 1 to 65535"),
        (["up", "--port", "65536"], "--port must be from 1 to 65535"),
        (["up", "--port", "eight"], "--port"),
        (["up", "--kafka", "somewhere"], "`local` or HOST:PORT"),
        (["up", "--kafka", "host:99999"], "`local` or HOST:PORT"),
        (["up", "--nonsense"], "No such option"),
        (["nonsense"], "No such command"),
        (["status"], "nothing is running"),
        (["logs"], "there are no logs"),
        (["migrate"], "nothing is running"),
        (["keys", "create", "--scopes", "admin"], "nothing is running"),
        (["keys", "create"], "give --scopes or --role"),
        (["keys", "create", "--role", "analyst"], "nothing is running"),
        (["rebuild", "profile"], "nothing is running"),
        (["rebuild", "segments"], "profile"),
        (["scale", "profile=2"], "nothing is running"),
        (["scale"], "Missing argument"),
        (["scale", ","], "name at least one service"),
        (["up", "--kafka", ""], "`local` or HOST:PORT"),
        (["up", "--instances", "=,"], "unknown service ''"),
        (["up", "extra"], "unexpected extra argument"),
        (["down", "extra"], "unexpected extra argument"),
        (["doctor", "--port", "0"], "--port"),
        (["doctor", "--port", "eight"], "--port"),
        (["logs", "--lines", "-1"], "--lines"),
        (["logs", "../../etc/passwd"], "there are no logs"),
        (["replay"], "Missing argument"),
        (["replay", "purchases"], "no platform runs"),
        (["replay", "purchases", "--rate", "nan"], "--rate"),
        (["replay", "purchases", "--rate", "0"], "--rate"),
        (["demo", "--events", "0"], "--events"),
        (["demo", "--rate", "x"], "--rate"),
        (["demo"], "no platform runs"),
        (["rebuild"], "Missing argument"),
        (["keys", "fly"], "No such command"),
    ],
)
def test_a_wrong_command_is_refused_in_one_line(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    data = [] if words[0] == "nonsense" else ["--data", str(tmp_path / "data")]
    monkeypatch.setattr(sys, "argv", ["zhiyin", *words, *data])
    with pytest.raises(SystemExit) as exit_:
        main()
    result = capfd.readouterr()
    assert exit_.value.code in (1, 2)
    assert result.err.startswith("zhiyin: ")
    assert result.err.count("\n") == 1
    assert said in result.err


@pytest.mark.parametrize("words", [[], ["keys"]])
def test_without_a_command_those_there_are_are_listed(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["zhiyin", *words])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert "Commands:" in capfd.readouterr().err


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(zhiyin("up", "--detach", "--data", tmp_path, "--port", str(port)))
    assert said == f"port {port} is taken: choose another with --port"


def test_a_second_stack_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.create()
    with held(folder.lock):
        for words in (["up"], ["up", "--detach"]):
            said = refusal(zhiyin(*words, "--data", tmp_path, "--port", "8999"))
            assert f"already running in {tmp_path} (pid {os.getpid()})" in said


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    said = refusal(zhiyin("up", "--data", tmp_path / "data"))
    assert "cannot be used" in said


def test_data_of_another_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"layout": 99, "log": "postgres"}')
    result = zhiyin("up", "--data", tmp_path, "--port", "8998")
    assert result.returncode == 1
    assert "made by another version (layout 99" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_moving_the_event_log_by_accident_is_refused(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"layout": 1, "log": "kafka-local"}')
    result = zhiyin("up", "--data", tmp_path, "--port", "8998")
    assert result.returncode == 1
    assert "--kafka local" in result.stderr.splitlines()[-1]


def test_a_secret_is_not_made_up_for_somebody_s_own_database(tmp_path: Path) -> None:
    env = {"ZHIYIN_POSTGRES": "postgresql://u@127.0.0.1:1/x"}
    result = zhiyin("up", "--data", tmp_path, "--port", "8998", env=env)
    assert result.returncode == 1
    assert "ZHIYIN_SECRET_KEY must be set" in result.stderr.splitlines()[-1]


def test_an_unreachable_postgres_is_named(tmp_path: Path) -> None:
    env = {
        "ZHIYIN_POSTGRES": "postgresql://u@127.0.0.1:1/x",
        "ZHIYIN_SECRET_KEY": "a secret of enough letters",
    }
    result = zhiyin("up", "--data", tmp_path, "--port", "8998", env=env)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def test_a_missing_java_is_named(tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path), "JAVA_HOME": ""}
    result = zhiyin("up", "--data", tmp_path, "--kafka", "local", "--port", "8998", env=env)
    assert result.returncode == 1
    assert "needs Java 17" in result.stderr.splitlines()[-1]


def test_a_damaged_file_of_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{")
    result = zhiyin("up", "--data", tmp_path, "--port", "8998")
    assert result.returncode == 1
    assert "stack.json cannot be read" in result.stderr.splitlines()[-1]


def test_stopping_what_is_not_running_is_no_error(tmp_path: Path) -> None:
    result = zhiyin("down", "--data", tmp_path)
    assert result.returncode == 0
    assert "nothing is running" in result.stdout


def test_status_for_machines_is_json_even_when_nothing_runs(tmp_path: Path) -> None:
    result = zhiyin("status", "--json", "--data", tmp_path)
    assert result.returncode == 1
    assert '"ready":false' in result.stdout


def test_the_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"layout": 99, "log": "postgres"}')
    zhiyin("up", "--data", tmp_path, "--port", "8998")
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_doctor_says_what_is_there(tmp_path: Path) -> None:
    result = zhiyin("doctor", "--data", tmp_path, "--port", "8997")
    assert result.returncode == 0, result.stdout
    assert "ok       PostgreSQL: postgres (PostgreSQL) 18" in result.stdout
    assert "ok       port 8997: free" in result.stdout


def test_doctor_finds_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = zhiyin("doctor", "--data", tmp_path, "--port", port)
    assert result.returncode == 1
    assert f"problem  port {port}: taken" in result.stdout
