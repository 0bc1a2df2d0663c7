"""Where the running platform is: what `zhiyin up` wrote into its data folder."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from zhiyin.demo.errors import DemoError

FILE: Final = "connection.json"


class Connection(Struct, frozen=True):
    """The part of connection.json that a client of the public gateway needs."""

    gateway: str
    admin_key: str


def read_connection(data: Path) -> Connection:
    """Raises DemoError when no stack has written its address there."""
    path = data / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Connection)
    except FileNotFoundError as error:
        raise DemoError(
            f"no platform runs with its data in {data}: start one with `zhiyin up --detach`"
        ) from error
    except (OSError, msgspec.DecodeError) as error:
        raise DemoError(f"{path} cannot be read: {error}") from error
