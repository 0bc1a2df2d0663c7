"""The command line of a service: `python -m services.<service>.main <command>`."""

import sys
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Final, TypeVar

import asyncpg
import uvloop

from zhiyin.runtime.env import SettingsError
from zhiyin.runtime.logs import configure_logs
from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.problems import Problem
from zhiyin.runtime.settings import ServiceSettings, environment

S = TypeVar("S")
Command = Callable[[S], Coroutine[None, None, int]]
FAILED: Final = 1
REFUSED: Final = 2


def run_command(
    service: str,
    arguments: Sequence[str],
    commands: Mapping[str, Command[S]],
    read: Callable[[Mapping[str, str]], S],
    *,
    reading_on: Collection[str] = (),
) -> int:
    """Run the command that `arguments` names and return the exit code it returns.

    2 for a wrong command or setting, 1 when a server does not answer or has no tables yet, each
    with one line on standard error. `read` makes the service's settings of the environment, or
    raises SettingsError; the commands `reading_on` read the words after their name themselves."""
    name = arguments[0] if arguments else ""
    if name not in commands or (len(arguments) > 1 and name not in reading_on):
        return _say(f"usage: python -m services.{service}.main {'|'.join(commands)}", REFUSED)
    try:
        shared = ServiceSettings.from_env(environment())
        settings = read(environment())
        configure_logs(service, shared.instance, shared.log_level)
        return uvloop.run(commands[name](settings))
    except (SettingsError, Problem) as error:
        return _say(f"error: {error}", REFUSED)
    except asyncpg.UndefinedTableError:
        return _say("error: the tables are missing; run the migrate command first", FAILED)
    except Exception as error:
        if not is_outage(error):
            raise
        why = " ".join(str(error).split()) or type(error).__name__
        return _say(f"error: PostgreSQL, Redis or the event log does not answer: {why}", FAILED)


def _say(line: str, code: int) -> int:
    sys.stderr.write(f"{line}\n")
    return code
