"""Runs a service's process."""

from fastapi import FastAPI

from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.worker import Worker


async def run_service(
    app: FastAPI, worker: Worker | None, settings: ServiceSettings, *, reuse_port: bool = False
) -> int:
    """Serve until SIGTERM or SIGINT, or until the worker halts. Returns the exit code: 0 after a
    graceful stop, 3 after a halt, 1 otherwise. Use as `sys.exit(uvloop.run(main()))`."""
    raise NotImplementedError
