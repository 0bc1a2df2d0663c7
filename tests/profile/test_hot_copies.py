"""Hot copies: never older than before, and there again after Redis was away."""

import asyncio

from services.profile.hot_copies import Copy, HotCopies
from tests.builders import START, a_purchase
from tests.profile.harness import Service
from zhiyin.contracts.profiles import Snapshot, decode_snapshot, encode
from zhiyin.runtime.redis import connect

WHO = "5da57310-a625-5640-88d1-ae06bb5b323a"


def a_copy(version: int) -> Copy:
    return Copy(WHO, version, encode(Snapshot(WHO, version, START, START)))


async def test_an_older_version_never_overwrites_a_newer(service: Service) -> None:
    for newer in (2, 127, 128, 255, 256, 65_535, 65_536, 2**32, 2**33):
        await service.hot.write([a_copy(newer)])
        await service.hot.write([a_copy(newer - 1)])
        found = await service.redis.get(f"p:{WHO}")
        assert decode_snapshot(found).version == newer
    moved = 2**33 + 1
    await service.hot.write([Copy.moved(WHO, moved, "other")])
    await service.hot.write([a_copy(moved - 1), a_copy(moved)])
    assert await service.redis.get(f"p:{WHO}") == f"@other/{moved}".encode()
    await service.hot.write([a_copy(moved + 1), Copy.moved(WHO, moved, "other")])
    back = await service.redis.get(f"p:{WHO}")
    assert decode_snapshot(back).version == moved + 1, "parted again, late news do not undo it"


async def test_copies_missed_while_redis_was_away_are_written_later(service: Service) -> None:
    away = connect("redis://127.0.0.1:1", timeout=0.2)
    service.hot._script = HotCopies(away, service.database)._script
    await service.apply(a_purchase(START, customer="M1"))
    [person] = await service.people()
    key = f"p:{person.profile_id}"
    assert await service.redis.get(key) is None
    async with asyncio.timeout(20):
        retrying = asyncio.create_task(HotCopies(service.redis, service.database).run())
        while await service.redis.get(key) is None:
            await asyncio.sleep(0.05)
        retrying.cancel()
    await away.aclose()
    assert await service.redis.get("i:member_id:M1") == person.profile_id.encode()
