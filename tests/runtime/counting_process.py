"""The counting service as a process of its own, to be killed: DSN and fault as arguments."""

import asyncio
import sys

import msgspec

from tests.runtime.counting import QUICK, Fired, make_bench


async def main(dsn: str, fault: str) -> None:
    bench = await make_bench(dsn)
    options = msgspec.structs.replace(QUICK, fault=fault)
    async with bench.worker(fire={"fire": Fired()}, options=options):
        await asyncio.sleep(30)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
