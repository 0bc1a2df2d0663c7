"""zhiyin status"""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from zhiyin.cli.options import HERE, Data
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.health import NOT_RUNNING, Health, ask_all
from zhiyin.embedded.stack.secret import secret_key
from zhiyin.embedded.stack.state import State, read_state
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.settings import environment


def status(
    data: Data = HERE,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show the processes and how far they are. Exits 1 unless everything is ready."""
    folder = Folder(data.absolute())
    state = read_state(folder)
    health = ask(folder, state) if state else NOT_RUNNING
    if json:
        typer.echo(msgspec.json.encode(health).decode())
    elif state is None:
        raise EmbeddedError(f"nothing is running in {data}: `zhiyin up` starts it")
    else:
        show(state, health)
    raise typer.Exit(0 if health.ready else 1)


def ask(folder: Folder, state: State) -> Health:
    return ask_all(state, internal_token(secret_key(folder, environment())))


def show(state: State, health: Health) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("process", "pid", "state", "restarts", "memory", "lag"):
        table.add_column(heading)
    for server in health.servers:
        table.add_row(server.service, shown(server.pid), "running" if server.pid else "down")
    lags = dict(health.lag)
    for process in health.processes:
        memory = f"{process.memory_bytes / 2**20:.0f} MiB" if process.memory_bytes else "-"
        word = "ready" if process.ready else "not ready" if process.pid else "down"
        lag = shown(lags.pop(process.service, ""))
        table.add_row(
            process.instance, shown(process.pid), word, str(process.restarts), memory, lag
        )
    console = Console()
    console.print(table)
    doing = "ready" if health.ready else f"{state.phase}: {state.doing}"
    console.print(f"{state.gateway}  {doing}", highlight=False)


def shown(value: int | str | None) -> str:
    return "-" if value is None else str(value)
