"""The command `rebuild`: folds people anew and says, as lines of JSON, how far it is and what it
found."""

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from services.profile import reads, store
from services.profile.rebuild import Rebuild, Rebuilt
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

DIFFERENT: Final = 3


class Asked(Struct, frozen=True):
    """`profile`: one person alone; `check`: look, and change nothing."""

    profile: str | None = None
    check: bool = False


def asked_in(words: Sequence[str]) -> Asked:
    """Exits with 2 for what it does not know, as argparse does."""
    parser = argparse.ArgumentParser(prog="rebuild", allow_abbrev=False)
    parser.add_argument("--profile", metavar="ID")
    parser.add_argument("--check", action="store_true")
    found = parser.parse_args(list(words))
    return Asked(found.profile, found.check)


async def rebuild_people(rebuild: Rebuild, database: Database, asked: Asked) -> int:
    """Exit code: 0 when everything stored is what the events say, else 3. Raises Problem when
    there is no such profile."""
    ids: list[str] | None = None
    if asked.profile is not None:
        async with database.connection() as connection:
            found = await reads.person_id(connection, asked.profile)
        if found is None:
            raise Problem(404, "unknown_profile", f"there is no profile {asked.profile}")
        ids = [found]
    async with database.connection() as connection:
        total = 1 if ids is not None else await store.count_people(connection)
    done = different = differences = 0
    async for page in _pages(rebuild, database, ids, put_right=not asked.check):
        for one in page:
            for each in one.differences:
                say({"difference": {"profile_id": one.profile_id, **msgspec.to_builtins(each)}})
            different += bool(one.differences)
            differences += len(one.differences)
        done += len(page)
        say({"progress": {"done": done, "of": max(total, done), "different": different}})
    say({"done": {"people": done, "different": different, "differences": differences}})
    return DIFFERENT if different else 0


async def _pages(
    rebuild: Rebuild, database: Database, ids: Sequence[str] | None, *, put_right: bool
) -> AsyncIterator[Sequence[Rebuilt]]:
    if ids is not None:
        yield await rebuild.these(database, ids, put_right=put_right)
        return
    async for page in rebuild.everybody(database, put_right=put_right):
        yield page


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(f"{msgspec.json.encode(line).decode()}\n")
    sys.stdout.flush()
