"""The counting service with its HTTP side, as a process: DSN and port as arguments."""

import asyncio
import sys

from tests.runtime.counting import OTHERS, QUICK, THINGS, count, make_bench
from zhiyin.runtime.serve import run_service
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.web import service_app
from zhiyin.runtime.worker import Worker


async def main(dsn: str, port: str) -> int:
    bench = await make_bench(dsn)
    settings = ServiceSettings(
        postgres=dsn, redis="", secret_key="for tests only, really", listen_port=int(port)
    )
    telemetry = Telemetry("counting", "counting-1")
    topics = [THINGS, OTHERS]
    worker = Worker("counting", topics, bench.log, bench.db, count, {}, telemetry, options=QUICK)
    app = service_app(settings, telemetry, database=bench.db, worker=worker)
    try:
        return await run_service(app, worker, settings)
    finally:
        await bench.log.stop()
        await bench.db.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
