"""What `zhiyin doctor` looks at, each check a finding in one line."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from zhiyin.cli.target import service_env
from zhiyin.embedded import java, postgres, valkey
from zhiyin.embedded.child import Command, run
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.ports import is_free
from zhiyin.embedded.stack.audit import check_audit
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.health import ask_all
from zhiyin.embedded.stack.secret import secret_key
from zhiyin.embedded.stack.state import read_state
from zhiyin.runtime.http import internal_token

OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """`note` is something missing that only some commands need."""

    what: str
    verdict: Literal["ok", "note", "problem"]
    detail: str


def examine(
    folder: Folder, environ: Mapping[str, str], port: int, audit_head: str | None
) -> Iterator[Finding]:
    yield python()
    yield tried("PostgreSQL", lambda: version(str(postgres.binaries() / "postgres")))
    yield tried("Valkey", lambda: version(str(valkey.binary())))
    yield tried("data folder", lambda: writable(folder))
    yield disk(folder)
    yield tried("Java (for --kafka local)", lambda: java_found(environ), "note")
    yield maven(environ)
    yield from stack(folder, environ, port)
    yield from audit(folder, environ, audit_head)


def tried(
    what: str, check: Callable[[], str], verdict: Literal["note", "problem"] = "problem"
) -> Finding:
    try:
        return Finding(what, "ok", check())
    except EmbeddedError as error:
        return Finding(what, verdict, str(error))


def python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info >= OLDEST_PYTHON
    return Finding("Python", "ok" if fine else "problem", found if fine else f"{found} is too old")


def version(program: str) -> str:
    result = run(Command([program, "--version"]), timeout=20)
    if result.returncode != 0:
        raise EmbeddedError(f"{program} does not run: {result.stderr.strip()}")
    return result.stdout.strip()


def writable(folder: Folder) -> str:
    folder.create()
    return str(folder.root)


def disk(folder: Folder) -> Finding:
    place = next(p for p in (folder.root, *folder.root.parents) if p.exists())
    free = shutil.disk_usage(place).free
    enough = free >= LEAST_FREE_BYTES
    return Finding("disk", "ok" if enough else "problem", f"{free / 2**30:.1f} GiB free")


def java_found(environ: Mapping[str, str]) -> str:
    program = java.java(environ)
    return f"{program}, version {java.java_version(program)}"


def maven(environ: Mapping[str, str]) -> Finding:
    found = java.program("mvn", environ)
    what = "Maven (for --kafka local)"
    return Finding(what, "ok", str(found)) if found else Finding(what, "note", "not installed")


def stack(folder: Folder, environ: Mapping[str, str], port: int) -> Iterator[Finding]:
    state = read_state(folder)
    if state is None:
        yield Finding("stack", "note", "not running")
        free = is_free(port)
        yield Finding(f"port {port}", "ok" if free else "problem", "free" if free else "taken")
        return
    health = ask_all(state, internal_token(secret_key(folder, environ)))
    for server in health.servers:
        yield Finding(server.service, "ok" if server.pid else "problem", f"pid {server.pid}")
    for process in health.processes:
        word = "ready" if process.ready else "not ready (see zhiyin logs)"
        yield Finding(process.instance, "ok" if process.ready else "problem", word)


def audit(folder: Folder, environ: Mapping[str, str], head: str | None) -> Iterator[Finding]:
    """Only where there is a database to ask."""
    home = environ.get("ZHIYIN_POSTGRES") or "embedded"
    if read_state(folder) is None and home == "embedded":
        return
    yield tried(
        "audit trail",
        lambda: f"intact up to {check_audit(folder, service_env(folder, environ), home, head)}",
    )
