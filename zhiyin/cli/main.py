"""The `zhiyin` command. Whatever goes wrong is one line on standard error and a non-zero exit;
without a command it is the list of them."""

import sys
from typing import NoReturn

import typer

from zhiyin.cli.asyncapi import asyncapi
from zhiyin.cli.demo import demo
from zhiyin.cli.doctor import doctor
from zhiyin.cli.down import down
from zhiyin.cli.keys import create
from zhiyin.cli.logs import logs
from zhiyin.cli.migrate import migrate
from zhiyin.cli.operators import create as create_operator
from zhiyin.cli.rebuild import rebuild
from zhiyin.cli.replay import replay
from zhiyin.cli.scale import scale
from zhiyin.cli.status import status
from zhiyin.cli.train import train
from zhiyin.cli.up import up
from zhiyin.demo.errors import DemoError
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.runtime.env import SettingsError
from zhiyin.wording.corpus import NoCorpus

FAILURES = (DemoError, EmbeddedError, NoCorpus, SettingsError)
"""Those whose text is meant for the user."""


def application() -> typer.Typer:
    app = typer.Typer(
        help="Zhiyin: a real-time customer relationship platform.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
    )
    run = (up, down, status, logs, migrate, scale, rebuild, doctor, demo, replay, train)
    for command in (*run, asyncapi):
        app.command()(command)
    keys = typer.Typer(help="API keys of the gateway.", no_args_is_help=True)
    keys.command("create")(create)
    app.add_typer(keys, name="keys")
    operators = typer.Typer(help="Who may sign in.", no_args_is_help=True)
    operators.command("create")(create_operator)
    app.add_typer(operators, name="operators")
    return app


def main() -> None:
    """Exits 0 when done, 1 when something failed, 2 when asked for what does not exist."""
    try:
        code = application()(standalone_mode=False)
    except FAILURES as error:
        fail(str(error), 1)
    except typer.TyperException as error:
        if error.format_message().startswith("Usage:"):  # no command was named
            sys.stderr.write(f"{error.format_message()}\n")
            sys.exit(2)
        fail(error.format_message(), 2)
    except (KeyboardInterrupt, typer.Abort):
        fail("interrupted", 130)
    except BrokenPipeError:
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def fail(text: str, code: int) -> NoReturn:
    line = " ".join(text.split())
    sys.stderr.write(f"zhiyin: {line}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
