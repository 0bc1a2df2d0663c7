"""zhiyin scale"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import msgspec
import typer

from zhiyin.cli.options import HERE, Data
from zhiyin.cli.target import running
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder, write_private
from zhiyin.embedded.stack.plan import SERVICES, read_instances
from zhiyin.embedded.stack.state import State

SECONDS = 300


def scale(
    instances: Annotated[str, typer.Argument(help="E.g. profile=3,gateway=2.")], data: Data = HERE
) -> None:
    """Change how many instances of a service run, while the platform runs. What is not named
    stays as it is."""
    if not instances.strip(" ,"):
        raise EmbeddedError("name at least one service, such as profile=3")
    folder = Folder(data.absolute())
    now = counts(running(folder))
    named = {part.partition("=")[0].strip() for part in instances.split(",")}
    asked = read_instances(instances)
    wanted = {service: asked[service] if service in named else now[service] for service in now}
    write_private(folder.wanted, msgspec.json.encode(wanted))
    wait_until(folder, wanted)
    typer.echo(", ".join(f"{service}={count}" for service, count in wanted.items()))


def counts(state: State) -> dict[str, int]:
    if state.phase != "ready":
        raise EmbeddedError(f"the stack is {state.phase}: wait until `zhiyin status` says ready")
    found = Counter(instance.service for instance in state.instances)
    return {service: found[service] for service in SERVICES}


def wait_until(folder: Folder, wanted: Mapping[str, int]) -> None:
    deadline = time.monotonic() + SECONDS
    while folder.wanted.exists():
        if time.monotonic() > deadline:
            raise EmbeddedError(f"not done after {SECONDS} s: see `zhiyin logs supervisor`")
        state = running(folder)
        time.sleep(0.1)
    state = running(folder)
    if counts(state) != wanted:
        raise EmbeddedError(f"it did not work: {state.doing}")
