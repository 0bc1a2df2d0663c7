"""Runs a service's process: its worker and its HTTP side, until told to stop."""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from zhiyin.runtime.halting import Halted, Stuck
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.worker import Worker

STOPPED: Final = 0
FAILED: Final = 1
HALTED: Final = 3
_SHUTDOWN_SECONDS: Final = 10
_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """Leaves signals to us: the worker must stop before the server does."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run_service(
    app: FastAPI,
    worker: Worker | None,
    settings: ServiceSettings,
    *,
    reuse_port: bool = False,
    before_stop: Callable[[], None] = lambda: None,
) -> int:
    """Serve until SIGTERM or SIGINT, or until the worker halts. `before_stop` ends answers that
    would go on for ever. Returns the exit code: 0 after a graceful stop, 3 after a halt, 1
    otherwise. Use as `sys.exit(uvloop.run(main()))`."""
    _calm_collector()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            server_header=False,
        )
    )
    listeners = _listeners(settings, reuse_port)
    serving = asyncio.create_task(server.serve(listeners))
    working = asyncio.create_task(_work(worker, stopping))
    try:
        await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            _log.error("the HTTP server ended by itself")
            stopping.set()
        code = await working
        before_stop()
        server.should_exit = True
        await serving
        return FAILED if serving.done() and not server.started else code
    finally:
        for listener in listeners:
            listener.close()


async def _work(worker: Worker | None, stopping: asyncio.Event) -> int:
    if worker is None:
        await stopping.wait()
        return STOPPED
    running = asyncio.create_task(worker.run())
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        await worker.stop()
        await asyncio.wait({running}, timeout=_SHUTDOWN_SECONDS)
        running.cancel()
    told.cancel()
    return await _code_of(running)


async def _code_of(running: asyncio.Task[None]) -> int:
    try:
        await running
    except asyncio.CancelledError:
        return STOPPED
    except Halted as error:
        _log.critical("halted", reason=str(error))
        return HALTED
    except Stuck as error:
        _log.critical("stuck", reason=str(error))
        return FAILED
    except Exception:  # noqa: BLE001 - the process ends with it
        _log.exception("the worker failed")
        return FAILED
    return STOPPED


def _listeners(settings: ServiceSettings, reuse_port: bool) -> list[socket.socket]:
    """The public address, and the one where this process alone answers if it shares that one."""
    public = _listen(settings.listen_host, settings.listen_port, reuse_port)
    if settings.status_listen is None:
        return [public]
    try:
        return [public, _listen(*settings.status_listen, reuse_port=False)]
    except OSError:
        public.close()
        raise


def _calm_collector() -> None:
    """Batches make many objects that die together without cycles; at the default thresholds the
    collector takes a quarter of a worker's time looking for cycles among them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _listen(host: str, port: int, reuse_port: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse_port:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
