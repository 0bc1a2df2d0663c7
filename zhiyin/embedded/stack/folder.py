"""What lies where in the data folder."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from zhiyin.embedded.errors import EmbeddedError

Content = TypeVar("Content")

LAYOUT = 1
"""Raised when the folder's contents change so that older ones cannot be used."""


class About(msgspec.Struct, frozen=True):
    """What the folder was made with. `log` is where the events are: `postgres`, `kafka-local`
    or `kafka` (somebody's broker)."""

    layout: int
    log: str


@dataclass(frozen=True, slots=True)
class Folder:
    """One stack's data, by default `.zhiyin` in the current folder."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def supervisor_log(self) -> Path:
        return self.logs / "supervisor.log"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def wanted(self) -> Path:
        return self.root / "scale.json"

    @property
    def connection(self) -> Path:
        return self.root / "connection.json"

    @property
    def keys(self) -> Path:
        return self.root / "keys.json"

    @property
    def audit_head(self) -> Path:
        return self.root / "audit-head.json"

    @property
    def secret(self) -> Path:
        return self.root / "secret.key"

    @property
    def about(self) -> Path:
        return self.root / "stack.json"

    def create(self) -> None:
        """Makes it, for its owner only. Raises EmbeddedError if that cannot be."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
            write_private(self.root / ".writable", b"")
            (self.root / ".writable").unlink()
        except OSError as error:
            reason = error.strerror or str(error)
            raise EmbeddedError(f"the data folder {self.root} cannot be used: {reason}") from error

    def claim(self, log: str) -> None:
        """Notes what the folder is made with; refuses one that was made otherwise."""
        if not self.about.exists():
            write_private(self.about, msgspec.json.encode(About(LAYOUT, log)))
            return
        about = decode(self.about, About)
        if about.layout != LAYOUT:
            raise EmbeddedError(
                f"{self.root} was made by another version (layout {about.layout}, this one "
                f"uses {LAYOUT}): choose another --data"
            )
        if about.log != log:
            raise EmbeddedError(
                f"{self.root} has its events in {WORDS.get(about.log, about.log)}, not in "
                f"{WORDS[log]}: start it as before, or choose another --data"
            )


WORDS = {
    "postgres": "PostgreSQL",
    "kafka-local": "a local Apache Kafka (--kafka local)",
    "kafka": "an Apache Kafka of yours (--kafka HOST:PORT)",
}


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file at once, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)


def decode(path: Path, kind: type[Content]) -> Content:
    """The content of one of our files. Raises EmbeddedError if it was damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise EmbeddedError(f"{path} cannot be read: {error}") from error
