"""zhiyin logs"""

import time
from pathlib import Path
from typing import Annotated

import typer

from zhiyin.cli.options import HERE, Data
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder

NEWEST_BYTES = 1 << 20
POLL_SECONDS = 0.3


def logs(
    service: Annotated[
        str, typer.Argument(help="A service (profile), a process (profile-1) or a server.")
    ] = "",
    data: Data = HERE,
    lines: Annotated[int, typer.Option(min=0, help="How many of the newest of each.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Show what the processes have said."""
    files = logs_of(Folder(data.absolute()).logs, service)
    positions = {file: file.stat().st_size for file in files}
    for file in files:
        for line in newest(file, lines):
            typer.echo(f"{file.stem}  {line}")
    while follow:
        time.sleep(POLL_SECONDS)
        for file in files:
            positions[file] = echo_since(file, positions[file])


def logs_of(folder: Path, service: str) -> list[Path]:
    """The files of a service or process; all without a name. Raises EmbeddedError."""
    files = sorted(folder.glob("*.log"))
    if not files:
        raise EmbeddedError(f"there are no logs in {folder}: zhiyin has not run there")
    found = [f for f in files if service in ("", f.stem, f.stem.rpartition("-")[0])]
    if not found:
        known = ", ".join(file.stem for file in files)
        raise EmbeddedError(f"there is no log of {service!r}; there are {known}")
    return found


def newest(file: Path, count: int) -> list[str]:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - NEWEST_BYTES))
        text = stream.read().decode(errors="replace")
    return text.splitlines()[-count:] if count else []


def echo_since(file: Path, position: int) -> int:
    """Prints whole lines after `position`; returns where it stopped."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        stream.seek(position if size >= position else 0)
        start = stream.tell()
        text = stream.read()
    whole = text[: text.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        typer.echo(f"{file.stem}  {line}")
    return start + len(whole)
