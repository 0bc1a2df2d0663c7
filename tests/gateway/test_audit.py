"""The audit trail: nobody may change it, and whoever does is found out."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from services.gateway.domain.chain import Entry, Link, chained
from services.gateway.main import MIGRATIONS, SERVICE, database_of, main
from services.gateway.settings import GatewaySettings
from services.gateway.stores.audit import AuditTrail, Sought
from services.gateway.verifying import verify
from tests.databases import a_database
from tests.gateway.harness import Running, environment, settings_for
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.migrate import migrate

TABLE = "gateway_audit.audit"


@pytest.fixture(scope="module")
async def own_settings(postgres_url: str, redis_url: str) -> AsyncIterator[GatewaySettings]:
    """A trail of their own, for tests that spoil it."""
    async with a_database(postgres_url) as url:
        await migrate(url, SERVICE, MIGRATIONS)
        yield settings_for(url, redis_url)


@pytest.fixture
async def trail(own_settings: GatewaySettings) -> AsyncIterator[AuditTrail]:
    """Nine entries in it."""
    await as_superuser(own_settings, f"TRUNCATE {TABLE}")
    database = database_of(own_settings.service)
    await database.open()
    made = AuditTrail(database, wall_clock)
    for number in range(9):
        await made.record(Entry("key:a", "segments.delete", f"s{number}", {"why": "old"}))
    yield made
    await database.close()


async def as_superuser(settings: GatewaySettings, *statements: str) -> None:
    """What somebody does who has the database and its superuser."""
    connection = await asyncpg.connect(settings.service.postgres)
    try:
        await connection.execute("SET session_replication_role = replica")  # no triggers
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def as_gateway(settings: GatewaySettings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        settings.service.postgres, server_settings={"role": "zhiyin_gateway"}
    )
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE {TABLE} SET actor = 'x'",
        f"DELETE FROM {TABLE}",
        f"TRUNCATE {TABLE}",
        f"DROP TABLE {TABLE}",
        f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL",
        "DROP SCHEMA gateway_audit CASCADE",
    ],
)
async def test_the_gateways_role_can_only_add_to_the_trail(
    own_settings: GatewaySettings, trail: AuditTrail, statement: str
) -> None:
    async with as_gateway(own_settings) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    assert (await verify(trail)).through.seq == 9


async def test_even_its_owner_cannot_change_an_entry(
    own_settings: GatewaySettings, trail: AuditTrail
) -> None:
    connection = await asyncpg.connect(own_settings.service.postgres)
    try:
        for change in (f"UPDATE {TABLE} SET actor = 'x'", f"DELETE FROM {TABLE}"):
            with pytest.raises(asyncpg.RaiseError, match="append-only"):
                await connection.execute(change)
    finally:
        await connection.close()
    assert (await verify(trail)).fault is None


SWAP = f"""
UPDATE {TABLE} a SET actor = b.actor, action = b.action, subject = b.subject, detail = b.detail,
  at = b.at, prev_hash = b.prev_hash, hash = b.hash
FROM {TABLE} b WHERE (a.seq, b.seq) IN ((4, 5), (5, 4))
"""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (f"DELETE FROM {TABLE} WHERE seq = 5", (5, "missing")),
        (f"DELETE FROM {TABLE} WHERE seq = 1", (1, "missing")),
        (f"UPDATE {TABLE} SET actor = 'key:b' WHERE seq = 5", (5, "altered")),
        (f"UPDATE {TABLE} SET at = at + 1 WHERE seq = 5", (5, "altered")),
        (f"UPDATE {TABLE} SET detail = 'x' WHERE seq = 5", (5, "altered")),
        (f"UPDATE {TABLE} SET hash = sha256('x') WHERE seq = 5", (5, "altered")),
        (SWAP, (4, "unlinked")),
        (f"DELETE FROM {TABLE} WHERE seq = 9", (9, "cut_off")),
        (f"DELETE FROM {TABLE} WHERE seq > 3", (4, "cut_off")),
        (f"DELETE FROM {TABLE}", (1, "cut_off")),
    ],
)
async def test_what_is_done_to_the_trail_is_found(
    own_settings: GatewaySettings, trail: AuditTrail, change: str, fault: tuple[int, str]
) -> None:
    head = await trail.head()
    assert (await verify(trail, head)).fault is None
    await as_superuser(own_settings, change)
    found = (await verify(trail, head)).fault
    assert found is not None
    assert (found.seq, found.code) == fault
    await trail.page(100, 100)  # it can be looked at still


async def test_a_trail_written_anew_is_not_the_one_whose_head_was_kept(
    own_settings: GatewaySettings, trail: AuditTrail
) -> None:
    head = await trail.head()
    (eighth,) = await trail.following(7, 1)
    entry = Entry("key:innocent", "segments.delete", "s8")
    forged = chained(9, 5, entry, eighth.hash)
    await as_superuser(own_settings, f"DELETE FROM {TABLE} WHERE seq = 9")
    async with as_gateway(own_settings) as connection:
        await connection.execute(
            f"INSERT INTO {TABLE} VALUES (9, 5, $1, $2, $3, '{{}}', '', $4, $5)",
            *(entry.actor, entry.action, entry.subject, forged.prev_hash, forged.hash),
        )
    assert (await verify(trail)).fault is None  # nobody could tell without the head
    found = (await verify(trail, head)).fault
    assert found is not None
    assert (found.seq, found.code) == (9, "rewritten")


async def test_a_check_goes_on_where_it_stopped(trail: AuditTrail) -> None:
    first = await verify(trail, seconds=0)
    assert (first.through.seq, first.complete) == (9, False)
    assert (await verify(trail, place=first.through)).complete
    wrong = await verify(trail, place=Link(4, b"x" * 32))
    assert wrong.fault is not None


async def test_the_call_gives_the_head_and_finds_what_was_cut_off(gateway: Running) -> None:
    key = await gateway.key("audit:read")

    async def ask(path: str) -> dict[str, object]:
        answer = await gateway.client.get(path, headers=key)
        assert answer.status_code == 200, answer.text
        body: dict[str, object] = answer.json()
        return body

    head = await ask("/v1/audit/head")
    told = await ask(f"/v1/audit/verify?head_seq={head['seq']}&head_hash={head['hash']}")
    assert (told["intact"], told["complete"], told["fault"]) == (True, True, None)
    away = int(str(head["seq"])) + 1000
    told = await ask(f"/v1/audit/verify?head_seq={away}&head_hash={'0' * 64}")
    assert told["fault"] == {"seq": int(str(head["seq"])) + 1, "code": "cut_off"}
    for query in ("head_seq=1", "head_hash=" + "0" * 64, "head_seq=x&head_hash=y", "from_seq=-1"):
        answer = await gateway.client.get(f"/v1/audit/verify?{query}", headers=key)
        assert answer.status_code == 422, query


async def test_entries_are_found_by_who_what_and_when(trail: AuditTrail) -> None:
    before = wall_clock()
    await trail.record(Entry("operator:o", "keys.revoke", "k"))
    every = await trail.page(100, 100)
    assert len(every) == 10
    for sought, subjects in (
        (Sought(actor="operator:o"), ["k"]),
        (Sought(action="keys.revoke"), ["k"]),
        (Sought(subject="s3", actor="key:a"), ["s3"]),
        (Sought(since=before), ["k"]),
        (Sought(until=before, actor="operator:o"), []),
    ):
        found = await trail.page(100, 100, sought)
        assert [each.entry.subject for each in found] == subjects


async def test_a_time_without_its_offset_is_refused(gateway: Running) -> None:
    key = await gateway.key("ops:read")
    answer = await gateway.client.get("/v1/audit?since=2026-11-11T00:00:00", headers=key)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/since")


def test_the_command_tells_whether_the_trail_is_intact(
    own_settings: GatewaySettings,
    trail: AuditTrail,
    logs_as_before: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment(own_settings).items():
        monkeypatch.setenv(name, value)
    assert main(["audit", "verify"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["intact"]
    assert main(["audit", "verify", "--head", "11:" + "0" * 64]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["intact"], told["fault"]["code"]) == (False, "cut_off")
    assert main(["audit", "verify", "--head", "x"]) == 2


async def test_doctor_remembers_the_head_and_misses_what_was_cut_off(
    own_settings: GatewaySettings, trail: AuditTrail, tmp_path: Path
) -> None:
    def doctor(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "zhiyin.cli.main", "doctor", "--data", str(tmp_path)]
        env = {**os.environ, **environment(own_settings)}
        return subprocess.run(
            [*command, *words], env=env, capture_output=True, text=True, check=False
        )

    head = await trail.head()
    healthy = doctor()
    assert f"ok       audit trail: intact up to 9:{head.hash.hex()}" in healthy.stdout
    await as_superuser(own_settings, f"DELETE FROM {TABLE} WHERE seq > 7")
    for words in ([], ["--audit-head", f"9:{head.hash.hex()}"]):
        spoilt = doctor(*words)
        assert spoilt.returncode == 1
        assert "problem  audit trail: entry 8 and all after it were cut off" in spoilt.stdout
