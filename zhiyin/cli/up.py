"""zhiyin up"""

from typing import Annotated

import typer

from zhiyin.cli.options import HERE, PORT, Data
from zhiyin.embedded.stack.detach import start_in_background
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.plan import read_plan
from zhiyin.embedded.stack.supervisor import supervise
from zhiyin.runtime.settings import environment


def up(
    instances: Annotated[
        str, typer.Option(help="How many of each, e.g. profile=2,gateway=2; the others run once.")
    ] = "",
    kafka: Annotated[
        str | None,
        typer.Option(
            help="Keep the events in Apache Kafka: `local` runs a broker here, HOST:PORT names one."
            " Default: ZHIYIN_KAFKA, and PostgreSQL without it."
        ),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when everything is ready.")
    ] = False,
    data: Data = HERE,
    port: Annotated[int, typer.Option(help="The gateway's port on this machine.")] = PORT,
) -> None:
    """Start the platform: PostgreSQL, Valkey, and the four services."""
    environ = environment()
    plan = read_plan(
        instances, environ.get("ZHIYIN_KAFKA") or None if kafka is None else kafka, port
    )
    if not detach:
        supervise(plan, data, environ, lambda text: typer.echo(text, err=True))
        return
    folder = Folder(data.absolute())
    folder.create()
    words = ["up", "--data", str(folder.root), "--port", str(port), "--instances", instances]
    if plan.kafka:
        words += ["--kafka", plan.kafka]
    state = start_in_background(folder, words, environ, typer.echo)
    typer.echo(f"keys and addresses: {folder.connection}")
    typer.echo(f"API reference: {state.gateway}/docs")
