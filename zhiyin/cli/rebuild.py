"""zhiyin rebuild"""

import subprocess
import tempfile
from collections.abc import Iterator
from typing import IO, Annotated, Any, Literal

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zhiyin.cli.options import HERE, Data
from zhiyin.cli.target import service_env
from zhiyin.embedded.child import Command, last_text_line
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.instance import service_command
from zhiyin.runtime.settings import environment

DIFFERENT = 3
"""Exit code when something stored was not what the events say."""
Line = dict[str, Any]


def rebuild(
    what: Annotated[Literal["profile"], typer.Argument(help="What to make anew from the events.")],
    data: Data = HERE,
    profile: Annotated[str | None, typer.Option(help="The id of one person; else all.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Look only, put nothing right.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines: a line per find.")] = False,
) -> None:
    """Fold everybody, or one person, anew from the event log while new events keep coming. Every
    difference from what was stored is told and, unless --check, put right. Exits 3 if there was
    one."""
    env = service_env(Folder(data.absolute()), environment())
    words = [
        "rebuild",
        *(["--profile", profile] if profile else []),
        *(["--check"] if check else []),
    ]
    # A file, not a pipe: nobody reads it before the end, and it may be long.
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        run = Running(service_command(what, words, env), said)
        if json:
            for line in run.lines():
                typer.echo(msgspec.json.encode(line).decode())
        else:
            show(run.lines(), put_right=not check)
        code = run.finished()
    raise typer.Exit(code)


class Running:
    """The service's own command, whose lines are read as it says them."""

    def __init__(self, command: Command, said: IO[str]) -> None:
        self._said = said
        self._process = subprocess.Popen(
            command.line(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            errors="replace",
            env=dict(command.env),
        )

    def lines(self) -> Iterator[Line]:
        for text in self._process.stdout or ():
            try:
                yield msgspec.json.decode(text)
            except msgspec.DecodeError:
                continue  # not ours: a warning of a library

    def finished(self) -> int:
        """0 or DIFFERENT. Raises EmbeddedError if it failed."""
        code = self._process.wait()
        if code not in (0, DIFFERENT):
            self._said.seek(0)
            raise EmbeddedError(last_text_line(self._said.read()).removeprefix("error: "))
        return code


def show(lines: Iterator[Line], *, put_right: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    columns = (TextColumn("people"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("people", total=None)
        for line in lines:
            match line:
                case {"progress": {"done": done, "of": of}}:
                    progress.update(task, completed=done, total=of)
                case {"difference": found}:
                    progress.console.print(told(found), markup=False)
                case {"done": done}:
                    progress.console.print(summary(done, put_right=put_right), markup=False)
                case _:
                    pass


def told(found: Line) -> str:
    where = found["path"] or "the whole profile"
    stored, rebuilt = (msgspec.json.encode(found[name]).decode() for name in ("stored", "rebuilt"))
    return f"{found['profile_id']}  {where}: {stored} → {rebuilt}"


def summary(done: Line, *, put_right: bool) -> str:
    if not done["differences"]:
        return f"{done['people']} people folded anew: all as stored"
    what = "put right" if put_right else "left as they are"
    return (
        f"{done['people']} people folded anew: {done['differences']} differences "
        f"in {done['different']} of them, {what}"
    )
