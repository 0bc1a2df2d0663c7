"""Servers that are stopped, killed, left behind, and run by whoever one is."""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from zhiyin.embedded import launch
from zhiyin.embedded.child import Command, run
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.identity import identity_for, namespaces_work
from zhiyin.embedded.postgres import Postgres, binaries
from zhiyin.embedded.valkey import Valkey, answers

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

SCRIPT = """
import sys, time
from pathlib import Path
from zhiyin.embedded.postgres import Postgres
from zhiyin.embedded.valkey import Valkey
folder = Path(sys.argv[1])
postgres = Postgres(folder / "postgres", folder / "postgres.log", int(sys.argv[2]))
valkey = Valkey(folder / "valkey", folder / "valkey.log")
postgres.start()
valkey.start()
print(postgres.port, postgres.pid, valkey.port, valkey.pid, flush=True)
if sys.argv[3] == "stay":
    time.sleep(600)
postgres.stop()
valkey.stop()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "postgres", tmp_path / "postgres.log")
    server.start()
    yield server
    if server.pid:
        server.stop()


async def write(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    await connection.close()


async def read(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT n FROM kept"))
    finally:
        await connection.close()


def wait_until_gone(*pids: int) -> None:
    deadline = time.monotonic() + 30
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, f"{pids} are still there"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


async def test_a_restart_keeps_data_and_port(server: Postgres) -> None:
    await write(server.dsn)
    before = server.dsn
    server.stop()
    server.start()
    assert server.dsn == before
    assert await read(server.dsn) == 7


async def test_a_crash_keeps_what_was_committed(server: Postgres) -> None:
    await write(server.dsn)
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)  # asked again, it may be gone already and have none
    server.start()
    assert await read(server.dsn) == 7


def test_stopping_waits_for_nobody_s_session(server: Postgres) -> None:
    psql = subprocess.Popen(
        [binaries() / "psql", server.dsn, "-c", "SELECT pg_sleep(600)"], stderr=subprocess.DEVNULL
    )
    time.sleep(0.3)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 10
    psql.wait(10)


def test_two_servers_stand_side_by_side(server: Postgres, tmp_path: Path) -> None:
    other = Postgres(tmp_path / "other", tmp_path / "other.log")
    other.start()
    assert other.port != server.port
    other.stop()
    assert server.pid is not None


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match="holds data of PostgreSQL 15"):
        Postgres(tmp_path / "postgres", tmp_path / "log").start()


def test_a_pid_file_of_another_program_does_not_stop_it(server: Postgres) -> None:
    server.stop()
    lines = [str(os.getpid()), str(server.data), "1", str(server.port), "", "127.0.0.1", "", ""]
    (server.data / "postmaster.pid").write_text("\n".join(lines))
    server.start()
    assert server.pid is not None


async def test_a_server_that_lost_its_supervisor_is_retired(tmp_path: Path) -> None:
    lost = Postgres(tmp_path / "postgres", tmp_path / "postgres.log")
    lost.start()
    await write(lost.dsn)
    assert lost.process is not None
    taking_over = Postgres(tmp_path / "postgres", tmp_path / "postgres.log")
    taking_over.start()
    assert lost.process.wait(1) == 0
    assert await read(taking_over.dsn) == 7
    taking_over.stop()


def a_supervisor(folder: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Started, with what it prints: port and pid of PostgreSQL, port and pid of Valkey."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), "0", "stay"], stdout=subprocess.PIPE
    )
    assert supervisor.stdout is not None
    said = supervisor.stdout.readline()
    supervisor.stdout.close()
    return supervisor, [int(word) for word in said.split()]


async def test_killing_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    supervisor, (port, postgres, valkey_port, valkey) = a_supervisor(tmp_path)
    await write(f"postgresql://postgres@127.0.0.1:{port}/postgres")
    assert answers(valkey_port)
    supervisor.kill()
    supervisor.wait()
    wait_until_gone(postgres, valkey)
    again = Postgres(tmp_path / "postgres", tmp_path / "postgres.log")
    again.start()
    assert await read(again.dsn) == 7
    again.stop()


def test_valkey_restarts_empty_on_its_port(tmp_path: Path) -> None:
    valkey = Valkey(tmp_path / "valkey", tmp_path / "valkey.log")
    valkey.start()
    port = valkey.port
    valkey.kill()
    assert not answers(port)
    valkey.start()
    assert valkey.port == port
    assert answers(port)
    valkey.stop()


@as_root
def test_root_runs_postgres_as_somebody_else(server: Postgres) -> None:
    if not namespaces_work():
        pytest.skip("user namespaces are blocked here")
    assert server.pid is not None
    mapping = Path(f"/proc/{server.pid}/uid_map").read_text().split()
    assert mapping == [str(launch.INSIDE), "0", "1"]


@as_root
def test_an_ordinary_user_runs_both_servers(tmp_path: Path) -> None:
    if not namespaces_work():
        pytest.skip("user namespaces are blocked here")
    line = [sys.executable, "-c", SCRIPT, str(tmp_path), "0", "stop"]
    result = run(Command(line, identity="namespace"))
    assert result.returncode == 0, result.stderr


@as_root
def test_a_folder_given_to_nobody_is_served_by_nobody() -> None:
    nobody = pwd.getpwnam("nobody")
    identity = f"{nobody.pw_uid}:{nobody.pw_gid}"
    probe = Command([str(binaries() / "postgres"), "--version"], identity=identity)
    if run(probe).returncode != 0:
        pytest.skip("nobody cannot reach the PostgreSQL binaries here")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir(mode=0o700)
        os.chown(folder / "postgres", nobody.pw_uid, nobody.pw_gid)
        assert identity_for(folder / "postgres") == identity
        server = Postgres(folder / "postgres", folder / "postgres.log")
        server.start()
        assert Path(f"/proc/{server.pid}").stat().st_uid == nobody.pw_uid
        server.stop()
