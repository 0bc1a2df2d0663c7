"""Answers of a running platform as examples of the documentation. Run to take them anew:

.venv/bin/python -m tests.sdks.recording
"""

import asyncio
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import services.gateway
from tests.databases import a_database
from tests.sdks.walking import Walk
from tests.whole.platform import a_platform
from zhiyin.embedded.postgres import Postgres
from zhiyin.embedded.valkey import Valkey

FILE = Path(services.gateway.__file__).parent / "answers.json"
_SECRETS = re.compile(r"\b(z[ks]_)[0-9A-Za-z_-]{16,}")
_SECRET = frozenset({"password", "secret", "csrf_token"})
_MOST_ITEMS = 1
_MOST_SCALARS = 5
_LONGEST = 300


def shortened(value: Any) -> Any:
    """An answer one can take in: the first of many, no secrets, no long texts."""
    match value:
        case dict():
            return {
                name: "…" if name in _SECRET and isinstance(part, str) else shortened(part)
                for name, part in value.items()
            }
        case list():
            most = _MOST_ITEMS if any(isinstance(part, dict) for part in value) else _MOST_SCALARS
            return [shortened(part) for part in value[:most]]
        case str():
            return _SECRETS.sub(r"\1…", value)[:_LONGEST]
        case _:
            return value


async def record() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = Postgres(folder / "postgres", folder / "postgres.log")
        valkey = Valkey(folder / "valkey", folder / "valkey.log")
        postgres.start()
        valkey.start()
        try:
            async with (
                a_database(postgres.dsn) as database,
                a_platform(database, valkey.url, folder) as platform,
            ):
                await platform.until_live()
                document = (await platform.ask("GET", "/openapi.json")).json()
                walk = Walk(platform, document)
                await walk.all()
        finally:
            valkey.stop()
            postgres.stop()
    answers = {name: shortened(answer) for name, answer in sorted(walk.answers.items())}
    text = json.dumps(answers, ensure_ascii=False, indent=1)
    FILE.write_text(text + "\n", encoding="utf-8")
    for name, why in walk.refused.items():
        print(f"no answer of {name}: {why}")


if __name__ == "__main__":
    asyncio.run(record())
