"""The words behind a command, read and checked."""

import argparse
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import msgspec

from zhiyin.runtime.env import SettingsError

T = TypeVar("T")


class Words(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"{self.prog}: {message}")


def listed(text: str) -> list[str]:
    """The parts of a comma-separated list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def checked(said: Mapping[str, Any], spec: type[T], command: str) -> T:
    """As a request with the same body is. Raises SettingsError."""
    try:
        return msgspec.json.decode(msgspec.json.encode(said), type=spec)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise SettingsError(f"{command}: {error}") from error
